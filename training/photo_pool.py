"""Builds what train.py reads beside the drawn rooms: python3 photo_pool.py PACK OUT --teacher ONNX.

PACK is the training pack of photos (its README names the sources; its pixels are research-only and stay where they are). OUT gets
`index.pickle`, `images.bin` (the pack's training photos as they are) and `teacher.npy`: what a detector sees in each. The teacher looks at
each photo once, and training varies photo and view together; composites (composites.py) are made anew and have no teacher. Two
processes; about 15 ms a photo and core. Nothing of OUT may be published."""
import argparse
import io
import json
import multiprocessing
import os
import pickle
import sys

import numpy as np
from PIL import Image


def move_box(box, crop, mirror):
    """A box in fractions of a frame, in fractions of a crop of it."""
    x0, x1 = ((box[i] - crop[0]) / (crop[2] - crop[0]) for i in (0, 2))
    y0, y1 = ((box[i] - crop[1]) / (crop[3] - crop[1]) for i in (1, 3))
    return [1 - x1, y0, 1 - x0, y1] if mirror else [x0, y0, x1, y1]


def photos(folder):
    """[(item, JPEG)] of the pack's own training pictures."""
    load = lambda name: [json.loads(line) for line in open(os.path.join(folder, name))]
    bins = {}

    def stored(row):
        name = row['bin']
        if name not in bins:
            bins[name] = np.memmap(os.path.join(folder, name + '.bin'), np.uint8, 'r')
        return bins[name][row['at'][0]:sum(row['at'])].tobytes()

    asked = {}
    for row in load('rooms_qa.jsonl'):
        asked.setdefault(row['id'], []).append((row['q'], row['a']))
    out = []
    for row in load('pets.jsonl'):
        if row['split'] != 'train':
            continue
        own = [b for b in row['boxes'] if b[0] == row['sp']]
        where = row['facts'].get('where')
        place = where[0][1] if where and len(where) == 1 else None
        pets = [[row['sp'], place if len(own) == 1 else None, b[2:]] for b in own if b[1] >= .35]
        out.append((dict(kind='pet', id=row['id'], facts=dict(row['facts']), boxes=row['boxes'], pets=pets), stored(row)))
    for row in load('rooms.jsonl'):
        if row['split'] != 'train':
            continue
        facts = dict(row['facts'], where=[] if row['facts'].get('dog') == 0 and row['facts'].get('cat') == 0 else None)
        out.append((dict(kind='room', id=row['id'], facts=facts, boxes=row['boxes'], pets=[], asked=asked.get(row['id'], [])), stored(row)))
    return out


def look(task):
    """(teacher's path, JPEGs, size) -> what the teacher sees, [N, GRID, GRID, CHANNELS] float16."""
    path, images, size = task
    import torch
    torch.set_num_threads(1)
    from teacher import Teacher
    if not hasattr(look, 'teacher'):
        look.teacher = Teacher(path)
    return look.teacher.see([np.asarray(Image.open(io.BytesIO(i)).convert('RGB').resize(size, Image.BICUBIC)) for i in images])


def add_teacher(path, out, items, pool):
    from numpy.lib.format import open_memmap
    from teacher import CHANNELS, GRID
    sizes = {'pet': (256, 256), 'room': (288, 224)}
    tasks, places = [], []
    for kind in sizes:
        rows = [i for i, (item, _) in enumerate(items) if item['kind'] == kind]
        for start in range(0, len(rows), 16):
            places.append(rows[start:start + 16])
            tasks.append((path, [items[i][1] for i in places[-1]], sizes[kind]))
    total, squares, count = np.zeros(CHANNELS), np.zeros(CHANNELS), 0
    seen = open_memmap(f'{out}/teacher.npy.new', 'w+', np.float16, (len(items), GRID, GRID, CHANNELS))
    for done, (rows, got) in enumerate(zip(places, pool.imap(look, tasks))):
        seen[rows] = got
        flat = got.reshape(-1, CHANNELS).astype(np.float64)
        total, squares, count = total + flat.sum(0), squares + (flat ** 2).sum(0), count + len(flat)
        if done % 100 == 0:
            print(f'teacher: {16 * done} of {len(items)}', flush=True)
    seen.flush()
    mean = total / count
    np.savez(f'{out}/teacher_scale.npz', mean=mean.astype(np.float32), std=np.sqrt(squares / count - mean ** 2 + 1e-6).astype(np.float32))
    os.replace(f'{out}/teacher.npy.new', f'{out}/teacher.npy')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('pack')
    parser.add_argument('out')
    parser.add_argument('--teacher', required=True)
    parser.add_argument('--processes', type=int, default=2)
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    with multiprocessing.Pool(args.processes) as pool:
        items = photos(args.pack)
        print(f'{len(items)} photos', flush=True)
        at = 0
        with open(f'{args.out}/images.bin', 'wb') as f:
            for item, data in items:
                item['at'] = (at, len(data))
                at += len(data)
                f.write(data)
        pickle.dump([item for item, _ in items], open(f'{args.out}/index.pickle.new', 'wb'))
        add_teacher(args.teacher, args.out, items, pool)
    os.replace(f'{args.out}/index.pickle.new', f'{args.out}/index.pickle')


if __name__ == '__main__':
    main()
