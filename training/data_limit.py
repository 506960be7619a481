"""How much of what is wrong is for want of rooms and pets: python3 data_limit.py CHECKPOINT --pack PACK [--model MODEL]. Asks about the
pack's own composites (its `compose.py`) of the rooms and cut-outs that training knows, and of those held out. A minute."""
import argparse
import json
import os
import random
import sys

import numpy as np
import torch
from PIL import Image

import data
import train
from blip import Blip
from wordpiece import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))
NOTHING = dict(frame=np.zeros((2, 1)), patch=np.zeros((2, 1, 1)), teacher=None)


def right(model, tokenizer, size, pack, split, count):
    """-> (questions, right in all their words), of `count` composites."""
    import compose
    import questions
    rng, asked, good = random.Random(77), 0, 0
    for _ in range(count // 40):
        examples = []
        for _ in range(40):
            image, facts = compose.composite(pack, rng, split, 128)[:2]
            pixels = np.asarray(image.convert('RGB').resize((size, size), Image.BICUBIC))
            examples.append(dict(NOTHING, pixels=pixels, pairs=[(q, a, '') for q, a in questions.ask(facts, rng, 4)]))
        batch = train.tensors(data.make_batch(examples, tokenizer, 4))
        with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
            logits = model(batch['pixels'], batch['ids'], batch['mask'], batch['answer_in'])[1]
        wanted = batch['answer_out']
        there = (wanted >= 0).any(-1)
        asked += there.sum().item()
        good += ((logits.argmax(-1) == wanted) | (wanted < 0)).all(-1)[there].sum().item()
    return asked, good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('checkpoint')
    parser.add_argument('--pack', required=True)
    parser.add_argument('--model', default=f'{HERE}/../models/pawsight-mini', help='folder with config.json and vocab.txt')
    parser.add_argument('--count', type=int, default=640)
    args = parser.parse_args()
    torch.set_num_threads(1)
    sys.path.insert(0, args.pack)
    import compose
    config, state = json.load(open(f'{args.model}/config.json')), torch.load(args.checkpoint, map_location='cpu')
    model = Blip(config)
    model.load_state_dict({**state['model'], **state['ema']})
    for split, name in (('train', 'rooms and pets of training'), ('val', 'held out')):
        asked, good = right(model, Tokenizer(f'{args.model}/vocab.txt'), config['vision_config']['image_size'], compose.Pack(args.pack), split, args.count)
        print(f'{name:28} {asked} questions, {100 * good / asked:.1f} % right', flush=True)


if __name__ == '__main__':
    main()
