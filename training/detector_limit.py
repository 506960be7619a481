"""What a detector makes of the labelled photos, by the side of the picture it sees: python3 detector_limit.py TEACHER.onnx PHOTOS/labels.json
COCO_LABELS. The detector (YOLOX-nano) learned from 118,000 photos of COCO; the side at which it no longer finds a pet is one at which
a smaller model that learned from a sixth of that will not either. Counts "is there a cat, dog, person?" as right by the highest score
of the class at 0.35, or at whichever single threshold suits the photos best (so an upper limit). Needs python3-onnx."""
import argparse
import json
import os

import numpy as np
from PIL import Image

from teacher import Teacher


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('teacher')
    parser.add_argument('labels', help='labels.json: {"photos": {path: {"qa": {question: answer}}}}')
    parser.add_argument('classes', help='the 80 class names, one a line')
    parser.add_argument('--sides', type=int, nargs='+', default=[128, 160, 192, 256, 320, 416])
    args = parser.parse_args()
    names = open(args.classes, encoding='utf-8').read().split('\n')
    teacher = Teacher(args.teacher, scores=True)
    folder = os.path.dirname(os.path.dirname(os.path.abspath(args.labels)))
    photos = json.load(open(args.labels))['photos']
    print('side   right of all   at the best threshold   cats found at 0.35')
    for side in args.sides:
        asked = []  # score, truth, thing
        for path, label in photos.items():
            image = Image.open(os.path.join(folder, path)).convert('RGB').resize((side, side), Image.BICUBIC)
            scores = teacher.detect([np.asarray(image)])[0]
            for thing in ('cat', 'dog', 'person'):
                answer = label['qa'].get(f'Is there a {thing}?')
                if answer:
                    asked.append((scores[names.index(thing)], answer == 'yes', thing))
        right = lambda least: sum((score >= least) == truth for score, truth, _ in asked)
        best = max((right(least / 100), least / 100) for least in range(2, 90))
        cats = [score >= .35 for score, truth, thing in asked if truth and thing == 'cat']
        print(f'{side:4}   {right(.35):3} of {len(asked)}      {best[0]:3} of {len(asked)} at {best[1]:.2f}          {sum(cats)} of {len(cats)}', flush=True)


if __name__ == '__main__':
    main()
