"""Rooms with pets pasted in, made anew for every example: the training pack's cut-outs, rooms and knowledge of where a pet can stand
(its `compose.py`), with more variety than its own composites: up to four pets from a tenth of the picture's height on, rooms whose
furniture nobody marked (the place is then unknown), people out of the pack's photos, all shapes of a crop, and decoys. A decoy is the
outline of a pet or a person filled with a piece of another room: whoever looks for the edges and the shadow that pasting leaves finds
decoys as often."""
import math

import numpy as np
from PIL import Image, ImageFilter

import by_eye
from photo_pool import move_box

ANIMALS = ('dog', 'cat')
WANTED = ('couch', 'couch', 'couch', 'bed', 'bed', 'floor', 'floor', 'table', 'table', 'counter', 'chair')
SITTING = .48  # metres from the floor to the ears of a cat
METRES = {'cat': (.42, .62), 'dog': (.5, .95)}


class Composites:
    """Example i of a seed is always the same. `rng` is read and nothing else; `compose` is the pack's module."""

    def __init__(self, compose, folder, rng):
        self.compose, self.pack, self.rng = compose, compose.Pack(folder), rng
        rooms = [r for r in self.pack.rooms if r['split'] == 'train' and r['facts']['dog'] == 0]
        seen = by_eye.lines('rooms_by_eye.txt')
        for room in rooms:
            if room['id'] in seen:
                by_eye.room(room['facts'], seen[room['id']])
        self.rooms, self.peopled = rooms, [r for r in rooms if r['facts']['person'] == 1]
        self.people, self.without = by_eye.people(), [r for r in rooms if r['facts']['person'] == 0]
        self.seats = by_eye.surfaces()
        for room in rooms:  # an ottoman is no couch, nor a toilet a chair
            self.seats[room['id']] = [s for s in self.seats.get(room['id'], []) if room['facts'].get(s[0]) != 0]
        self.places = {}
        for room in rooms:
            seats = {seat[0] for seat in self.seats[room['id']]}
            for place in {kind for kind, _ in room['surfaces']} | ({'floor'} if room['floor'] else set()) | seats:
                self.places.setdefault(place, []).append(room)
        self.posture = {cut: words[0] for cut, words in by_eye.lines('cutouts_by_eye.txt').items()}
        cut = [c for c in self.pack.cutouts if c['split'] == 'train' and self.posture.get(c['id']) != 'bad']
        self.whole = {s: [c for c in cut if c['sp'] == s and not c['cut']] for s in ANIMALS}
        self.low = {s: [c for c in cut if c['sp'] == s and c['cut'] == ['b']] for s in ANIMALS}

    def room(self, pets):
        """-> (a room, the place wanted of its first pet or None)."""
        rng = self.rng
        if rng.random() < .08:
            return rng.choice(self.peopled), None
        if not pets or rng.random() < .3:
            return rng.choice(self.rooms), None
        place = rng.choice(WANTED)
        return rng.choice(self.places[place]), place

    def spot(self, room, species, place):
        """-> (place or None, foot x, foot y, long side, the furniture's box or None) in fractions; the side of the picture's height."""
        rng = self.rng
        surfaces = room['surfaces'] + ([['floor', None]] if room['floor'] else []) + self.seats[room['id']]
        any_size = math.exp(rng.uniform(math.log(.1), math.log(.6)))
        if not surfaces or rng.random() < .12:
            return None, rng.uniform(.08, .92), rng.uniform(.4, 1), any_size, None
        kind, box, *cat = rng.choice([s for s in surfaces if s[0] == place] or surfaces)
        if cat:
            x, y, metre = rng.uniform(box[0], box[2]), rng.uniform(box[1], box[3]), cat[0] / SITTING
            more = .3 * (box[2] - box[0]) + .1, .3 * cat[0]  # the furniture is larger than where feet may be
            box = (box[0] - more[0], box[1] - more[1], box[2] + more[0], box[3] + more[1])
        else:
            x, y, metre = rng.choice(self.compose.spots(room, kind, box))
        side = min(max(metre * rng.uniform(*METRES[species]) * rng.uniform(1, 1.4), .1), .65)
        return kind, x, y, side if rng.random() < .6 else min(any_size, 1.6 * side), box

    def decoy(self, cut):
        """The outline of a pet with another room inside."""
        rng = self.rng
        other = self.pack.image(rng.choice(self.rooms)['id'])
        w, h = rng.uniform(.2, .6) * other.width, rng.uniform(.2, .6) * other.height
        x, y = rng.uniform(0, other.width - w), rng.uniform(0, other.height - h)
        inside = other.resize(cut.size, Image.BILINEAR, (x, y, x + w, y + h)).convert('RGBA')
        inside.putalpha(cut.getchannel('A'))
        return inside

    def paste(self, image, cut, foot, side, decoy):
        """Pastes a cut-out with its feet at a pixel; -> its box in pixels."""
        rng, compose = self.rng, self.compose
        cut = self.pack.image(cut['id'], 'RGBA')
        if rng.random() < .5:
            cut = cut.transpose(Image.FLIP_LEFT_RIGHT)
        scale = side / max(cut.size)
        cut = cut.resize((max(4, round(cut.width * scale * rng.uniform(.88, 1.14))), max(4, round(cut.height * scale))), Image.LANCZOS)
        if decoy:
            cut = self.decoy(cut)
        if rng.random() < .8:
            cut = compose.relight(cut, image, foot, rng)
        alpha = cut.getchannel('A').filter(ImageFilter.GaussianBlur(rng.uniform(.3, 1.1)))
        if rng.random() < .3:  # as blurred as the room may be
            cut = cut.filter(ImageFilter.GaussianBlur(rng.uniform(.3, .9)))
        cut.putalpha(alpha)
        x, y = round(foot[0] - cut.width / 2), round(foot[1] - cut.height)
        if rng.random() < .8:
            compose.shadow(image, x, x + cut.width, foot[1], rng)
        image.paste(cut, (x, y), cut)
        return x, y, x + cut.width, y + cut.height

    def person(self, decoy):
        """Somebody out of a photo of the pack, RGBA with an edge that fades; a decoy has a piece of a room instead."""
        rng = self.rng
        photo, whole, box = rng.choice(self.people)
        image = self.pack.image(rng.choice(self.without)['id'] if decoy else photo)
        image = image.crop(tuple(round(v * side) for v, side in zip(box, 2 * image.size)))
        if rng.random() < .5:
            image = image.transpose(Image.FLIP_LEFT_RIGHT)
        across, down = (np.abs(np.linspace(-1, 1, n)) for n in image.size)
        power = rng.uniform(3, 8)
        edge = 1 - (across[None] ** power + down[:, None] ** power)
        image.putalpha(Image.fromarray((np.clip(edge * rng.uniform(2, 6), 0, 1) * 255).astype(np.uint8)))
        return image, whole

    def add_person(self, image, room, pets):
        """Pastes somebody, or a decoy, where not hidden by the pets' rectangles -> (rectangle in pixels, whether a person), or None."""
        rng, (width, height) = self.rng, image.size
        decoy = rng.random() < .3
        someone, whole = self.person(decoy)
        floors = [s for s in self.seats[room['id']] if s[0] == 'floor']
        for _ in range(8):
            if floors and rng.random() < .7:
                _, box, cat = rng.choice(floors)
                x, y = rng.uniform(box[0], box[2]), rng.uniform(box[1], box[3])
                tall = cat / SITTING * (1.7 if whole else 1.0) * rng.uniform(.8, 1.15)
            else:
                x, y, tall = rng.uniform(.05, .95), rng.uniform(.6, 1.05), math.exp(rng.uniform(math.log(.2), math.log(.85)))
            tall = min(max(tall, .15), 1.1) * height
            wide = tall * someone.width / someone.height * rng.uniform(.85, 1.1)
            rect = x * width - wide / 2, y * height - tall, x * width + wide / 2, y * height
            visible = self.compose.visible
            if visible(rect, (0, 0, width, height)) > .6 and sum(visible(rect, p) for p in pets) < .4:
                break
        else:
            return None
        someone = someone.resize((max(3, round(wide)), max(6, round(tall))), Image.LANCZOS)
        if rng.random() < .7:
            someone = self.compose.relight(someone, image, (x * width, min(y, 1) * height), rng)
        if rng.random() < .4:
            alpha = someone.getchannel('A')
            someone = someone.filter(ImageFilter.GaussianBlur(rng.uniform(.3, .9)))
            someone.putalpha(alpha)
        image.paste(someone, (round(rect[0]), round(rect[1])), someone)
        return rect, not decoy

    def choose(self, room, size, count, place, close):
        """Pets and decoys that do not hide each other -> [(foot's y, species or None, place, cut-out, foot, side, box, furniture)]."""
        rng, chosen, (width, height) = self.rng, [], size
        decoys = rng.choices((0, 1, 2), (.66, .24, .1))[0]
        for i in range(count + decoys):
            species = rng.choice(ANIMALS) if not chosen or rng.random() < .6 else chosen[0][3]['sp']
            for _ in range(12):
                cut = rng.choice((self.low if close else self.whole)[species])
                if close:
                    kind, x, y, side, box = None, rng.uniform(.15, .85), 1.01, rng.uniform(.35, .8), None
                else:
                    kind, x, y, side, box = self.spot(room, species, place if i == 0 else None)
                w, h = (side * height * n / max(cut['size']) for n in cut['size'])
                if box and w > 1.15 * (box[2] - box[0]) * width:
                    continue
                rect = (x * width - w / 2, y * height - h, x * width + w / 2, y * height)
                taken = [c[6] for c in chosen]
                visible = self.compose.visible
                if visible(rect, (0, 0, width, height + 3)) > .85 and all(visible(rect, t) < .25 and visible(t, rect) < .25 for t in taken):
                    chosen.append((y, species if i < count else None, kind, cut, (x * width, y * height), side * height, rect, box))
                    break
        return sorted(chosen, key=lambda c: c[0])  # far ones first

    def crop(self, size, pets, furniture):
        """A crop, in pixels, of any shape that leaves pets whole and what they are on in view."""
        rng, (width, height) = self.rng, size
        visible = self.compose.visible
        for _ in range(14):
            zoom = rng.uniform(.5, 1) if pets else rng.uniform(.6, 1)
            w = width * min(1, zoom * rng.uniform(.8, 1.2))
            h = height * min(1, zoom * rng.uniform(.8, 1.2))
            x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
            crop = (x, y, x + w, y + h)
            if all(visible(b, crop) > .8 for b in pets) and all(visible(b, crop) > .5 for b in furniture):
                return crop
        return 0, 0, width, height

    def next(self):
        """-> dict(image, facts, boxes, pets): boxes and pets as photo_pool.py's items have them."""
        rng = self.rng
        count = rng.choices((0, 1, 2, 3, 4), (.22, .46, .22, .07, .03))[0]
        room, place = self.room(count)
        image = self.pack.image(room['id'])
        size = width, height = image.size
        close = count and rng.random() < .07
        chosen = self.choose(room, size, count, place, close)
        people = [self.add_person(image, room, [c[6] for c in chosen]) for _ in range(rng.choices((0, 1, 2), (.76, .2, .04))[0])]
        rects = [self.paste(image, c[3], c[4], c[5], c[1] is None) for c in chosen]
        whole = lambda b: (b[0] * width, b[1] * height, b[2] * width, b[3] * height)
        part = lambda b: (b[0] / width, b[1] / height, b[2] / width, b[3] / height)
        own = [(c, r) for c, r in zip(chosen, rects) if c[1]]
        crop = self.crop(size, [r for _, r in own], [whole(c[7]) for c, _ in own if c[7]])
        image = image.crop(tuple(round(v) for v in crop))
        mirror = rng.random() < .5
        if mirror:
            image = image.transpose(Image.FLIP_LEFT_RIGHT)
        crop = part(crop)
        hidden = [part(r) for r in rects]
        visible = self.compose.visible
        over = hidden + [part(p[0]) for p in people if p]
        facts = self.compose.crop_facts(by_eye.without_room(room['facts']), room['boxes'], crop, over)
        people = [['person', .9, *part(p[0])] for p in people if p and p[1]]
        clear = [p for p in people if all(visible(p[2:], h) < .5 for h in hidden)]
        if people and facts['person'] != 1:
            facts['person'] = 1 if any(visible(p[2:], crop) > .5 for p in clear) else None
        for species in ANIMALS:
            facts[species] = sum(c[1] == species for c, _ in own)
        facts.update({c[2]: 1 for c, _ in own if c[2] in facts}, where=[(c[1], c[2]) for c, _ in own])
        facts['posture'] = by_eye.posture(self.posture.get(own[0][0][3]['id'])) if len(own) == 1 else None
        seen = [b for b in room['boxes'] if all(visible(b[2:], h) < .5 for h in over)] + clear
        boxes = [[b[0], b[1], *move_box(b[2:], crop, mirror)] for b in seen]
        return dict(image=image, facts=facts, boxes=boxes, pets=[[c[1], c[2], move_box(part(r), crop, mirror)] for c, r in own])
