"""Several photos in one picture, and what is known about it then. Photos of pets fill their frame and a camera's pets do not: a photo shrunk
into a room or onto a plain ground, or beside three others, shows the model real pets at every size. A part is
dict(image, facts, boxes, pets, seen): boxes and pets as photo_pool.py's items have them, in fractions of the part; seen = (index,
crop, mirror), what of a photo it is. A rectangle is in fractions of the picture."""
import math

import numpy as np
from PIL import Image, ImageFilter

THINGS = ('person', 'couch', 'bed', 'chair', 'tv', 'laptop', 'bowl', 'table', 'sink', 'toilet', 'refrigerator')
ANIMALS = ('dog', 'cat')


def into(box, rect):
    """A box of a part, in fractions of the picture."""
    w, h = rect[2] - rect[0], rect[3] - rect[1]
    return [rect[0] + box[0] * w, rect[1] + box[1] * h, rect[0] + box[2] * w, rect[1] + box[3] * h]


def hidden_by(box, rects):
    area = max(1e-6, (box[2] - box[0]) * (box[3] - box[1]))
    shared = lambda r: max(0, min(box[2], r[2]) - max(box[0], r[0])) * max(0, min(box[3], r[3]) - max(box[1], r[1]))
    return sum(map(shared, rects)) / area


def merged(parts):
    """Facts of a picture from those of its parts: one that has a thing is enough, all must lack it."""
    if len(parts) == 1:
        return dict(parts[0])
    facts = {}
    for thing in THINGS:
        values = [p.get(thing) for p in parts]
        facts[thing] = 1 if 1 in values else None if None in values else 0
    for species in ANIMALS:
        counts = [p.get(species) for p in parts]
        facts[species] = sum(c or 0 for c in counts) if None not in counts or any(counts) else None
        if None in counts:
            facts['uncounted'] = 1
    if any(p.get('uncounted') for p in parts):
        facts['uncounted'] = 1
    facts['where'] = []
    for p in parts:
        pets = [s for s in ANIMALS for _ in range(p.get(s) or 0)]
        facts['where'] += p['where'] if p.get('where') and len(p['where']) == len(pets) else [(s, None) for s in pets]
    inside = {p.get('indoor') for p in parts}
    facts['indoor'] = inside.pop() if len(inside) == 1 else None
    facts['photo'] = 1
    facts['posture'] = next((p['posture'] for p in parts if p.get('posture')), None) if len(facts['where']) == 1 else None
    return facts


def montage(size, ground, placed, rng):
    """ground: a part that fills the picture, or a plain image; placed: [(part, rect)], none of which hides another's pets.
    -> dict(image, facts, boxes, pets, seen=[((index, crop, mirror), rect)])."""
    plain = isinstance(ground, Image.Image)
    image = (ground if plain else ground['image']).resize((size, size), Image.BICUBIC)
    rects = [rect for _, rect in placed]
    for part, rect in placed:
        left, top, right, bottom = (round(v * size) for v in rect)
        shown = part['image'].resize((max(1, right - left), max(1, bottom - top)), Image.BICUBIC)
        edge = min(shown.size) * rng.choice((0, .03, .08, .15))
        if edge < 1:
            image.paste(shown, (left, top))
            continue
        mask = Image.new('L', shown.size, 0)  # an edge that fades
        inner = round(edge)
        mask.paste(255, (inner * (left > 0), inner * (top > 0), shown.width - inner * (right < size), shown.height - inner * (bottom < size)))
        image.paste(shown, (left, top), mask.filter(ImageFilter.GaussianBlur(edge / 2)))
    parts = [(part, rect, []) for part, rect in placed]
    if not plain:
        facts = dict(ground['facts'])
        for thing in THINGS:
            if facts.get(thing) == 1 and not any(b[0] in (thing, 'dining_' + thing) and b[1] >= .3 and hidden_by(b[2:], rects) < .5
                                                 for b in ground['boxes']):
                facts[thing] = None
        parts.insert(0, (dict(ground, facts=facts), (0, 0, 1, 1), rects))
    boxes = [[b[0], b[1], *into(b[2:], rect)] for part, rect, over in parts for b in part['boxes'] if hidden_by(into(b[2:], rect), over) < .5]
    pets = [[s, place, into(b, rect)] for part, rect, _ in parts for s, place, b in part['pets']]
    return dict(image=image, facts=merged([p['facts'] for p, _, _ in parts]), boxes=boxes, pets=pets,
                seen=[(part['seen'], rect) for part, rect, _ in parts])


def plain_ground(image, size, rng):
    """Something to shrink a photo onto: one colour to another, or the photo itself out of focus."""
    if rng.random() < .5:
        small = image.resize((rng.choice((2, 3, 5)), rng.choice((2, 3, 5))), Image.BOX)
        return small.resize((size, size), Image.BICUBIC)
    corners = np.random.RandomState(rng.getrandbits(31)).randint(20, 235, (2, 2, 3)).astype(np.uint8)
    return Image.fromarray(corners).resize((size, size), Image.BILINEAR)


def inner_rect(rng, low, high):
    """A rectangle low to high of the picture's height, anywhere in it. The model sees a wide camera's picture squeezed into a
    square, so that most things are narrower than they are in their own photo."""
    h = rng.uniform(low, high)
    w = min(high, max(.6 * low, h * math.exp(rng.uniform(math.log(.5), math.log(1.25)))))
    x, y = rng.uniform(0, 1 - w), rng.uniform(0, 1 - h)
    return x, y, x + w, y + h


def tiles(rng):
    """Rectangles that divide the picture in two, three or four."""
    x, y = rng.uniform(.36, .64), rng.uniform(.36, .64)
    kind = rng.choice(('columns', 'rows', 'three', 'four', 'four', 'four'))
    if kind == 'columns':
        return [(0, 0, x, 1), (x, 0, 1, 1)]
    if kind == 'rows':
        return [(0, 0, 1, y), (0, y, 1, 1)]
    quarters = [(0, 0, x, y), (x, 0, 1, y), (0, y, x, 1), (x, y, 1, 1)]
    return quarters if kind == 'four' else [(0, 0, 1, y), *quarters[2:]]


def camera(image, rng):
    """What the pack's own effects lack: few pixels, a cheap lens, wrong colours, another gamma, something before the lens."""
    size = image.size
    if rng.random() < .3:
        few = rng.uniform(.35, .85)
        image = image.resize((max(8, round(size[0] * few)), max(8, round(size[1] * few))), rng.choice((Image.BILINEAR, Image.BOX)))
        image = image.resize(size, rng.choice((Image.BICUBIC, Image.BILINEAR)))
    pixels = np.asarray(image)
    table = np.arange(256) / 255.
    if rng.random() < .3:
        table = table ** rng.uniform(.65, 1.5)
    if rng.random() < .12:  # too dark or too bright, cut off
        table = table * rng.uniform(.5, 1.35) + rng.uniform(-.08, .08)
    tables = np.stack([table] * 3)
    if rng.random() < .2:
        tables = tables * np.array([[rng.uniform(.85, 1.15)] for _ in range(3)])
    pixels = np.stack([(np.clip(t, 0, 1) * 255).astype(np.uint8)[pixels[..., i]] for i, t in enumerate(tables)], -1)
    if rng.random() < .05:
        pixels = pixels[..., [(2, 1, 0), (0, 2, 1), (1, 1, 1)][rng.randrange(3)]]
    if rng.random() < .1:
        k, axis = rng.choice((2, 3, 4)), rng.choice((0, 1))  # moved while the shutter was open
        pixels = np.mean([np.roll(pixels, i, axis) for i in range(k)], 0).astype(np.uint8)
    return Image.fromarray(np.ascontiguousarray(pixels))
