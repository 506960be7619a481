"""Where training examples come from. A source's `next()` gives an example: `pixels` RGB uint8 [S, S, 3], `frame` and `patch` (values and
masks of targets.py), `teacher` (what the teacher saw of each patch, and of which patches, or None) and `pairs`, questions with answers
and their family."""
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

import montage
import photo_questions
import by_eye
import targets
from composites import Composites
from photo_pool import move_box


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
    """Photos of the pool that photo_pool.py made, cropped, shrunk, put beside each other and degraded anew each time, and composites made
    anew. `pack` is the training pack's folder, for its questions, camera effects and cut-outs; `shares` how often each of
    `composite`, `photo`, `zoom_out`, `mosaic` and `room` comes."""

    def __init__(self, pool, pack, seed, size, questions, shares):
        sys.path.insert(0, pack)
        import compose
        import questions as plain
        self.augment, self.visible, self.ask = compose.augment, compose.visible, plain.ask
        self.rng, self.size, self.questions, self.shares = random.Random(seed), size, questions, shares
        self.composites = Composites(compose, pack, self.rng)
        self.items = pickle.load(open(f'{pool}/index.pickle', 'rb'))
        self.images = np.memmap(f'{pool}/images.bin', np.uint8, 'r')
        self.teacher = np.load(f'{pool}/teacher.npy', mmap_mode='r')
        scale = np.load(f'{pool}/teacher_scale.npz')
        self.mean, self.std = scale['mean'], scale['std']
        self.label()
        for item in self.items:  # a long question makes every question of its batch as long
            item['asked'] = [pair for pair in item.get('asked', []) if len(pair[0].split()) <= 10]
        self.pets, self.rooms = self.groups()

    def label(self):
        """What was seen by eye; and a pet that stands or sits upright does not sleep."""
        if 'id' not in self.items[-1]:
            raise SystemExit('the pool was made by an older photo_pool.py: remove it, and train.sh makes it anew')
        pets, rooms = by_eye.lines('pets_by_eye.txt'), by_eye.lines('rooms_by_eye.txt')
        for item in self.items:
            if item['kind'] == 'room' and item['id'] in rooms:
                by_eye.room(item['facts'], rooms[item['id']])
            if item['kind'] == 'pet' and item['id'] in pets:
                item['seen'] = by_eye.pet(item, pets[item['id']])
            elif item['kind'] == 'pet' and len(item['pets']) == 1:
                box = item['pets'][0][2]
                item['facts']['posture'] = 'awake' if box[3] - box[1] > 1.2 * (box[2] - box[0]) else None

    def groups(self):
        """[(share, indices of items)] of pets and of rooms: what is rare, or like what a camera at home sees, comes more often."""
        pets = [i for i, x in enumerate(self.items) if x['kind'] == 'pet' and x.get('seen') is not False]
        rooms = [i for i, x in enumerate(self.items) if x['kind'] == 'room']
        facts = lambda i: self.items[i]['facts']
        on = {place: [i for i in pets if (facts(i).get('on') or (0, 0))[1] == place] for place in by_eye.SURFACES}
        on['window'] = [i for i in pets if facts(i).get('at_window')]
        share = {'couch': .1, 'bed': .07, 'chair': .05, 'table': .04, 'counter': .03, 'floor': .07, 'window': .03}
        home = ('couch', 'bed', 'chair', 'tv', 'laptop', 'bowl', 'table')
        common = [(share[place], those) for place, those in on.items() if those]
        return (common + [(.26, pets), (.06, [i for i in pets if facts(i).get('posture') == 'asleep']),
                          (.12, [i for i in pets if facts(i).get('person') == 1]), (.05, [i for i in pets if facts(i).get('indoor') == 0]),
                          (.12, [i for i in pets if any(facts(i).get(k) for k in home)])],
                [(.7, rooms), (.15, [i for i in rooms if facts(i).get('person') == 1]),
                 (.15, [i for i in rooms if facts(i).get('laptop') or facts(i).get('bowl')])])

    def choose(self, groups):
        return self.rng.choice(self.rng.choices(groups, [g[0] for g in groups])[0][1])

    def crop(self, item):
        """A crop that leaves the pets in view, as fractions."""
        rng = self.rng
        boxed = len(item['pets']) >= (item['facts'].get('cat') or 0) + (item['facts'].get('dog') or 0)
        least = .65 if item['kind'] == 'room' else .5 if item['pets'] and boxed else .85
        for _ in range(8):
            w = rng.uniform(least, 1)
            h = min(1, max(least, w * rng.uniform(.8, 1.25)))
            x, y = rng.uniform(0, 1 - w), rng.uniform(0, 1 - h)
            crop = (x, y, x + w, y + h)
            if all(self.visible(p[2], crop) >= .65 * min(1, self.visible(p[2], (0, 0, 1, 1)) + .01) for p in item['pets']):
                return crop
        return 0, 0, 1, 1

    def facts(self, item, crop):
        """What is out of view becomes unknown."""
        facts = dict(item['facts'])
        if crop == (0, 0, 1, 1):
            return facts
        facts = by_eye.without_room(facts)
        for thing in montage.THINGS:
            if facts.get(thing) == 1:
                boxes = [b[2:] for b in item['boxes'] if targets.DETECTED.get(b[0]) == thing and b[1] >= .3]
                on_it = any(p[1] == thing for p in item['pets'])
                if not on_it and not any(self.visible(b, crop) > .5 for b in boxes):
                    facts[thing] = None
        return facts

    def part(self, index, whole=False):
        """A photo, cropped and mirrored, as montage.py wants it."""
        item = self.items[index]
        start, length = item['at']
        image = Image.open(io.BytesIO(self.images[start:start + length].tobytes())).convert('RGB')
        crop = (0, 0, 1, 1) if whole else self.crop(item)
        mirror = not whole and self.rng.random() < .5
        image = image.crop(tuple(round(f * side) for f, side in zip(crop, 2 * image.size)))
        if mirror:
            image = image.transpose(Image.FLIP_LEFT_RIGHT)
        move = lambda b: move_box(b, crop, mirror)
        return dict(image=image, facts=self.facts(item, crop), boxes=[[b[0], b[1], *move(b[2:])] for b in item['boxes']],
                    pets=[[s, place, move(b)] for s, place, b in item['pets']], seen=(index, crop, mirror))

    def seen_by_teacher(self, seen):
        """[((index, crop, mirror), rectangle)], the upper ones last -> what it saw, bilinear at the patches' middles, float16
        [grid * grid, C] with mean 0 and deviation 1 a channel, and 1 for each patch that it saw."""
        grid = self.size // 16
        out, known = np.zeros((grid, grid, self.teacher.shape[-1]), np.float16), np.zeros((grid, grid), np.float32)
        middle = (np.arange(grid) + .5) / grid
        for (index, crop, mirror), rect in seen:
            stored, spots, inside = self.teacher[index], [], []
            n = stored.shape[0]
            for axis in (1, 0):
                at = (middle - rect[axis]) / (rect[axis + 2] - rect[axis])
                inside.append(np.nonzero((at > 0) & (at < 1))[0])
                at = at[inside[-1]]
                at = 1 - at if mirror and axis == 0 else at
                p = np.clip((crop[axis] + (crop[axis + 2] - crop[axis]) * at) * n - .5, 0, n - 1)
                first = np.minimum(p.astype(int), n - 2)
                spots.append((first, (p - first).astype(np.float32)))
            (y, fy), (x, fx) = spots
            if not len(y) or not len(x):
                continue
            stored = stored.astype(np.float32)
            rows = stored[y] * (1 - fy)[:, None, None] + stored[y + 1] * fy[:, None, None]
            got = rows[:, x] * (1 - fx)[:, None] + rows[:, x + 1] * fx[:, None]
            out[np.ix_(*inside)] = ((got - self.mean) / self.std).clip(-6, 6)
            known[np.ix_(*inside)] = 1
        return out.reshape(grid * grid, -1), known.reshape(-1)

    def pairs(self, facts):
        rng, places = self.rng, {}
        where = facts.get('where')
        for species in ('dog', 'cat'):
            own = None if where is None else [p for s, p in where if s == species]
            places[species] = own if own is not None and None not in own and len(own) == facts.get(species) else None
        n = self.questions
        for pet in filter(None, [facts.get('on')]):
            places[pet[0]] = places[pet[0]] or [pet[1], None]
        alike = {w for pair in targets.ALIKE for p in places.values() if p and pair & set(p) for w in pair - set(p)}
        words = {*alike, 'sofa'} if 'couch' in alike else alike
        plain = [(q, a) for q, a in self.ask(facts, rng, n - n // 2) if a != 'no' or ' on ' not in q or not any(w in q for w in words)]
        return photo_questions.own(facts, places, rng, n // 2) + plain

    def zoomed_out(self):
        """Small photos of pets on a room or on nothing."""
        rng = self.rng
        first = self.part(self.choose(self.pets))
        if rng.random() < .45:
            ground = montage.plain_ground(first['image'], self.size, rng)
            return montage.montage(self.size, ground, [(first, montage.inner_rect(rng, .35, 1))], rng)
        placed = [(first, montage.inner_rect(rng, .25, .8))]
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            rect = montage.inner_rect(rng, .2, .45)
            if all(montage.hidden_by(r, [rect]) == 0 for _, r in placed):
                placed.append((self.part(self.choose(self.pets)), rect))
        return montage.montage(self.size, self.part(self.choose(self.rooms)), placed, rng)

    def mosaic(self):
        rng = self.rng
        placed = [(self.part(self.choose(self.rooms if rng.random() < .3 else self.pets)), rect) for rect in montage.tiles(rng)]
        return montage.montage(self.size, Image.new('RGB', (self.size, self.size)), placed, rng)

    def next(self):
        rng, asked = self.rng, []
        kind = rng.choices(list(self.shares), list(self.shares.values()))[0]
        if kind == 'composite':
            scene = dict(self.composites.next(), seen=[])
        elif kind == 'zoom_out':
            scene = self.zoomed_out()
        elif kind == 'mosaic':
            scene = self.mosaic()
        else:
            index = self.choose(self.rooms if kind == 'room' else self.pets)
            whole = kind == 'room' and rng.random() < .4  # the room questions speak of left and right, and of small things
            asked = self.items[index]['asked'] if whole else []
            scene = self.part(index, whole)
            scene['seen'] = [(scene['seen'], (0, 0, 1, 1))]
        facts, image = scene['facts'], scene['image'].resize((self.size, self.size), Image.BICUBIC)
        if rng.random() < .65:
            image = montage.camera(image, rng)
        if rng.random() < .85:
            image = self.augment(image, rng)
        pairs = self.pairs(facts)
        if asked:
            pairs = pairs[:self.questions - 1] + rng.sample(asked, 1)
        return dict(pixels=np.asarray(image), frame=targets.photo_frame(facts),
                    patch=targets.photo_patches(facts, scene['boxes'], scene['pets'], self.size // 16),
                    teacher=self.seen_by_teacher(scene['seen']) if scene['seen'] else None, pairs=[(q, a, kind) for q, a in pairs])


class Mixed:
    """Drawn rooms and photos by share; a few questions are misspelt or cannot be answered. Each picture comes twice, some
    hundreds of examples apart, with half of its questions each time: a picture costs half as much as a step on it (Choi et al. 2019,
    data echoing), and the step leaves out other patches."""

    def __init__(self, drawn, photos, share, seed, unknown, misspelt, wait=256):
        self.drawn, self.photos, self.share, self.rng = drawn, photos, share, random.Random(seed)
        self.unknown, self.misspelt, self.wait, self.later = unknown, misspelt, wait, []

    def next(self):
        if len(self.later) > self.wait:
            example = self.later.pop(0)
        else:
            example = (self.drawn if self.rng.random() < self.share else self.photos).next()
            self.later.append(dict(example, pairs=example['pairs'][1::2]))
            example['pairs'] = example['pairs'][::2]
        for i, (question, answer, family) in enumerate(example['pairs']):
            if self.rng.random() < self.unknown:
                example['pairs'][i] = (*photo_questions.unknown(self.rng), 'unknown')
            elif self.rng.random() < self.misspelt:
                example['pairs'][i] = (photo_questions.misspell(question, self.rng), answer, family)
        return example


def make_batch(examples, tokenizer, questions, asked=None):
    """Examples -> arrays; each of the first `asked` images (of all, unless given) gets exactly `questions` rows, the surplus rows have
    no answer."""
    flat = [q for e in examples[:asked] for q in (e['pairs'] + [None] * questions)[:questions]]
    ids = [tokenizer.question(q[0]) if q else [tokenizer.cls, tokenizer.sep] for q in flat]
    length = max(map(len, ids))
    words = [tokenizer.text(q[1])[:4] + [tokenizer.sep] if q else [] for q in flat]
    steps = max(map(len, words))
    question_ids = np.array([i + [tokenizer.pad] * (length - len(i)) for i in ids], np.int64)
    answer_in = np.array([([tokenizer.dec] + w[:-1] + [0] * steps)[:steps] for w in words], np.int64)
    answer_out = np.array([w + [-100] * (steps - len(w)) for w in words], np.int64)
    grid = examples[0]['patch'].shape[1]
    seen = [e['teacher'] for e in examples]
    channels = next((s[0].shape[1] for s in seen if s is not None), 1)
    nothing = np.zeros((grid, channels), np.float16), np.zeros(grid, np.float32)
    seen = [s or nothing for s in seen]
    return dict(pixels=np.stack([e['pixels'] for e in examples]), ids=question_ids, mask=(question_ids != tokenizer.pad).astype(np.float32),
                answer_in=answer_in, answer_out=answer_out, frame=np.stack([e['frame'] for e in examples]),
                patch=np.stack([e['patch'] for e in examples]).astype(np.float16), teacher=np.stack([s[0] for s in seen]),
                taught=np.stack([s[1] for s in seen]), asked=[q and q[2] for q in flat], asked_images=len(examples[:asked]))


class Batches:
    """Makes batches in a child process that stays a few ahead. `open_source()` runs there."""

    def __init__(self, open_source, size, tokenizer, questions, asked=None, ahead=12):
        context = multiprocessing.get_context('fork')
        self.queue = context.Queue(ahead)
        self.child = context.Process(target=self.run, args=(open_source, size, tokenizer, questions, asked), daemon=True)
        self.child.start()

    def run(self, open_source, size, tokenizer, questions, asked):
        os.nice(5)  # what it makes waits in the queue; the run is what must not
        source, parent = open_source(), os.getppid()
        while True:
            batch = make_batch([source.next() for _ in range(size)], tokenizer, questions, asked)
            while os.getppid() == parent:
                try:
                    self.queue.put(batch, timeout=5)
                    break
                except queue.Full:
                    pass
            else:  # the run was killed and cannot end this process
                os._exit(0)

    def next(self):
        while True:
            try:
                return self.queue.get(timeout=60)
            except queue.Empty:
                if not self.child.is_alive():
                    raise RuntimeError('the process that makes batches has ended') from None
