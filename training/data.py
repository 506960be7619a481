"""Where training examples come from. A source's `next()` gives an example: `pixels` RGB uint8 [S, S, 3], `frame` and `patch` (values and
masks of targets.py), `teacher` (what the teacher saw of each patch, or None) and `pairs`, questions with answers and their family."""
import io
import json
import multiprocessing
import os
import pickle
import queue
import random
import struct
import subprocess
import sys

import numpy as np
from PIL import Image

import photo_questions
import targets
from photo_pool import move_box

THINGS = ('person', 'couch', 'bed', 'chair', 'tv', 'laptop', 'bowl', 'table', 'sink', 'toilet', 'refrigerator')


class DrawnRooms:
    """`pawsight scenes stream` in a child process. Example i of a seed is the same on every machine."""

    def __init__(self, program, seed, size, questions, first=0, count=-1):
        self.rng = random.Random(seed)
        command = [*program, 'stream', '--seed', str(seed), '--first', str(first), '--count', str(count),
                   '--size', str(size), '--questions', str(questions)]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=1 << 20)
        magic, version, self.size = struct.unpack('<8sII', self.read(16))
        assert magic == b'PAWSCENE' and version == 1 and self.size == size

    def read(self, count):
        data = self.child.stdout.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def next(self):
        record = json.loads(self.read(struct.unpack('<I', self.read(4))[0]))
        pixels = np.frombuffer(self.read(3 * self.size ** 2), np.uint8).reshape(self.size, self.size, 3)
        truth = record['truth']
        pairs = [(q['text'], q['answer'], q['family']) for q in record['questions']]
        window = photo_questions.by_window(truth, self.rng)
        if window and self.rng.random() < .4:  # the renderer does not ask this one
            pairs = pairs[:-1] + [(*window, 'by_window')]
        return dict(pixels=pixels, frame=targets.drawn_frame(truth), patch=targets.drawn_patches(truth, self.size // 16), teacher=None,
                    pairs=pairs)

    def close(self):
        self.child.kill()
        self.child.wait()


class Photos:
    """The pool that photo_pool.py made, each picture cropped, mirrored and degraded anew. `pack` is the training pack's folder, for its
    questions and its camera effects."""

    def __init__(self, pool, pack, seed, size, questions):
        sys.path.insert(0, pack)
        import compose
        import questions as plain
        self.augment, self.visible, self.ask = compose.augment, compose.visible, plain.ask
        self.rng, self.size, self.questions = random.Random(seed), size, questions
        self.items = pickle.load(open(f'{pool}/index.pickle', 'rb'))
        self.images = np.memmap(f'{pool}/images.bin', np.uint8, 'r')
        self.teacher = np.load(f'{pool}/teacher.npy', mmap_mode='r')
        scale = np.load(f'{pool}/teacher_scale.npz')
        self.mean, self.std = scale['mean'], scale['std']
        self.label_sleep()
        for item in self.items:  # a long question makes every question of its batch as long
            item['asked'] = [pair for pair in item.get('asked', []) if len(pair[0].split()) <= 10]
        self.groups = self.group()

    def label_sleep(self):
        """What asleep.txt says; and a pet that stands or sits upright does not sleep."""
        lines = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'asleep.txt')).read().split('\n')
        said = {photo: line.split()[0] == 'asleep' for line in lines if line and line[0] != '#' for photo in line.split()[1:]}
        for item in self.items:
            upright = [b for _, _, b in item['pets'] if b[3] - b[1] > 1.2 * (b[2] - b[0])]
            if item['kind'] == 'pet' and len(item['pets']) == 1:
                item['facts']['asleep'] = said.get(item['id'], False if upright else None)

    def group(self):
        """[(share of the stream, indices of items)]: what is rare comes more often than it is there."""
        pets = [i for i, x in enumerate(self.items) if x['kind'] == 'pet']
        rooms = [i for i, x in enumerate(self.items) if x['kind'] == 'room']
        facts = lambda i: self.items[i]['facts']
        return [(.46, [i for i, x in enumerate(self.items) if x['kind'] == 'composite']), (.18, pets),
                (.03, [i for i in pets if facts(i).get('asleep')]), (.07, [i for i in pets if facts(i).get('person') == 1]), (.05, [i for i in pets if facts(i).get('indoor') == 0]),
                (.05, [i for i in pets if any(facts(i).get(k) for k in ('couch', 'bed', 'chair', 'tv', 'laptop', 'bowl', 'table'))]),
                (.11, rooms), (.02, [i for i in rooms if facts(i).get('person') == 1]),
                (.03, [i for i in rooms if facts(i).get('laptop') or facts(i).get('bowl')])]

    def crop(self, item):
        """A crop that leaves the pets in view, as fractions."""
        rng = self.rng
        least = {'composite': .85 if item['pets'] else .7, 'room': .65}.get(item['kind'], .5 if item['pets'] else .85)
        keep = .9 if item['kind'] == 'composite' else .65
        for _ in range(8):
            w = rng.uniform(least, 1)
            h = min(1, max(least, w * rng.uniform(.88, 1.14)))
            x, y = rng.uniform(0, 1 - w), rng.uniform(0, 1 - h)
            crop = (x, y, x + w, y + h)
            if all(self.visible(p[2], crop) >= keep * min(1, self.visible(p[2], (0, 0, 1, 1)) + .01) for p in item['pets']):
                return crop
        return 0, 0, 1, 1

    def facts(self, item, crop):
        """What is out of view becomes unknown."""
        facts = dict(item['facts'])
        if crop == (0, 0, 1, 1):
            return facts
        for thing in THINGS:
            if facts.get(thing) == 1:
                boxes = [b[2:] for b in item['boxes'] if targets.DETECTED.get(b[0]) == thing and b[1] >= .3]
                on_it = any(p[1] == thing for p in item['pets'])
                if not on_it and not any(self.visible(b, crop) > .5 for b in boxes):
                    facts[thing] = None
        return facts

    def seen_by_teacher(self, index, crop, mirror):
        """Bilinear at the patches' middles -> float16 [grid * grid, C], mean 0 and deviation 1 a channel."""
        grid, stored = self.size // 16, self.teacher[index]
        n = stored.shape[0]
        middle = (np.arange(grid) + .5) / grid
        spots = []
        for low, high, at in ((crop[1], crop[3], middle), (crop[0], crop[2], middle[::-1] if mirror else middle)):
            p = np.clip((low + (high - low) * at) * n - .5, 0, n - 1)
            first = np.minimum(p.astype(int), n - 2)
            spots.append((first, (p - first).astype(np.float32)))
        (y, fy), (x, fx) = spots
        stored = stored.astype(np.float32)
        rows = stored[y] * (1 - fy)[:, None, None] + stored[y + 1] * fy[:, None, None]
        out = rows[:, x] * (1 - fx)[:, None] + rows[:, x + 1] * fx[:, None]
        return ((out - self.mean) / self.std).reshape(grid * grid, -1).clip(-6, 6).astype(np.float16)

    def pairs(self, item, facts, whole):
        rng, places = self.rng, {}
        where = facts.get('where')
        for species in ('dog', 'cat'):
            own = None if where is None else [p for s, p in where if s == species]
            places[species] = own if own is not None and None not in own and len(own) == facts.get(species) else None
        n = self.questions
        pairs = photo_questions.own(facts, places, rng, n // 2) + self.ask(facts, rng, n - n // 2)
        if whole and item.get('asked'):
            pairs = pairs[:n - 1] + rng.sample(item['asked'], 1)
        return pairs

    def next(self):
        rng = self.rng
        group = rng.choices(self.groups, [g[0] for g in self.groups])[0][1]
        index = rng.choice(group)
        item = self.items[index]
        start, length = item['at']
        image = Image.open(io.BytesIO(self.images[start:start + length].tobytes())).convert('RGB')
        whole = item['kind'] == 'room' and rng.random() < .4  # the room questions speak of left and right, and of small things
        crop = (0, 0, 1, 1) if whole else self.crop(item)
        mirror = not whole and rng.random() < .5
        box = (crop[0] * image.width, crop[1] * image.height, crop[2] * image.width, crop[3] * image.height)
        image = image.resize((self.size, self.size), Image.BICUBIC, box)
        if mirror:
            image = image.transpose(Image.FLIP_LEFT_RIGHT)
        facts = self.facts(item, crop)
        move = lambda b: move_box(b, crop, mirror)
        boxes = [[b[0], b[1], *move(b[2:])] for b in item['boxes']]
        pets = [[s, place, move(b)] for s, place, b in item['pets']]
        pixels = np.asarray(self.augment(image, rng) if rng.random() < .9 else image)
        return dict(pixels=pixels, frame=targets.photo_frame(facts), teacher=self.seen_by_teacher(index, crop, mirror),
                    patch=targets.photo_patches(facts, boxes, pets, self.size // 16),
                    pairs=[(q, a, item['kind']) for q, a in self.pairs(item, facts, whole)])


class Mixed:
    """Drawn rooms and photos by share; a few questions are misspelt or cannot be answered."""

    def __init__(self, drawn, photos, share, seed, unknown, misspelt):
        self.drawn, self.photos, self.share, self.rng = drawn, photos, share, random.Random(seed)
        self.unknown, self.misspelt = unknown, misspelt

    def next(self):
        example = (self.drawn if self.rng.random() < self.share else self.photos).next()
        for i, (question, answer, family) in enumerate(example['pairs']):
            if self.rng.random() < self.unknown:
                example['pairs'][i] = (*photo_questions.unknown(self.rng), 'unknown')
            elif self.rng.random() < self.misspelt:
                example['pairs'][i] = (photo_questions.misspell(question, self.rng), answer, family)
        return example


def make_batch(examples, tokenizer, questions):
    """Examples -> arrays; every image gets exactly `questions` rows, the surplus rows have no answer."""
    flat = [q for e in examples for q in (e['pairs'] + [None] * questions)[:questions]]
    ids = [tokenizer.question(q[0]) if q else [tokenizer.cls, tokenizer.sep] for q in flat]
    length = max(map(len, ids))
    words = [tokenizer.text(q[1])[:4] + [tokenizer.sep] if q else [] for q in flat]
    steps = max(map(len, words))
    question_ids = np.array([i + [tokenizer.pad] * (length - len(i)) for i in ids], np.int64)
    answer_in = np.array([([tokenizer.dec] + w[:-1] + [0] * steps)[:steps] for w in words], np.int64)
    answer_out = np.array([w + [-100] * (steps - len(w)) for w in words], np.int64)
    grid = examples[0]['patch'].shape[1]
    seen = [e['teacher'] for e in examples]
    channels = next((s.shape[1] for s in seen if s is not None), 1)
    empty = np.zeros((grid, channels), np.float16)
    return dict(pixels=np.stack([e['pixels'] for e in examples]), ids=question_ids, mask=(question_ids != tokenizer.pad).astype(np.float32),
                answer_in=answer_in, answer_out=answer_out, frame=np.stack([e['frame'] for e in examples]),
                patch=np.stack([e['patch'] for e in examples]).astype(np.float16), teacher=np.stack([empty if s is None else s for s in seen]),
                taught=np.array([s is not None for s in seen], np.float32), asked=[q and q[2] for q in flat])


class Batches:
    """Makes batches in a child process that stays a few ahead. `open_source()` runs there."""

    def __init__(self, open_source, size, tokenizer, questions, ahead=6):
        context = multiprocessing.get_context('fork')
        self.queue = context.Queue(ahead)
        self.child = context.Process(target=self.run, args=(open_source, size, tokenizer, questions), daemon=True)
        self.child.start()

    def run(self, open_source, size, tokenizer, questions):
        source = open_source()
        while True:
            self.queue.put(make_batch([source.next() for _ in range(size)], tokenizer, questions))

    def next(self):
        while True:
            try:
                return self.queue.get(timeout=60)
            except queue.Empty:
                if not self.child.is_alive():
                    raise RuntimeError('the process that makes batches has ended') from None
