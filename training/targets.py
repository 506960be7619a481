"""The truth as numbers for the helper heads of training, which look at the image encoder alone and are not exported. Each value comes
with a mask: 0 where the truth does not say (a photo's lamp, what a photographed cat does)."""
import numpy as np

THINGS = ['night', 'couch', 'bed', 'table', 'chair', 'tv', 'door', 'window', 'lamp', 'bowl', 'ball', 'basket', 'tv_on', 'door_open',
          'lamp_on', 'couch_torn', 'laptop', 'sink', 'toilet', 'refrigerator', 'indoor', 'person']
PARTS = ['couch', 'bed', 'table', 'chair', 'tv', 'tv_on', 'tv_off', 'door_open', 'door_closed', 'window', 'lamp_on', 'lamp_off', 'bowl',
         'ball', 'basket', 'kitchen', 'person', 'laptop', 'sink', 'toilet', 'refrigerator', 'plant', 'bottle', 'book']
DETECTED = {'couch': 'couch', 'bed': 'bed', 'dining_table': 'table', 'chair': 'chair', 'tv': 'tv', 'laptop': 'laptop', 'bowl': 'bowl',
            'person': 'person', 'sink': 'sink', 'toilet': 'toilet', 'refrigerator': 'refrigerator', 'potted_plant': 'plant',
            'bottle': 'bottle', 'book': 'book'}  # the detector's class -> part
SURE, PERHAPS = .5, .2  # a detector's score: there; below it not there; between not known
ROOMS = ['livingroom', 'bedroom', 'kitchen']
SPECIES = ['dog', 'cat']
ACTIVITIES = ['sleeping', 'sitting', 'walking', 'playing', 'chewing', 'eating']
PLACES = ['floor', 'couch', 'bed', 'table', 'basket', 'counter', 'chair', 'outside']
ALIKE = ({'couch', 'chair'}, {'table', 'counter'})  # an armchair is a couch and a chair, a worktop a table and a counter
# things; rooms; then for each species: at least 1, 2, 3 of it, its activities and places
FRAME_SIZE = len(THINGS) + len(ROOMS) + 2 * (3 + len(ACTIVITIES) + len(PLACES))
# for each patch: what is there; for each species that it is there, what it does and where
PET_SIZE = 1 + len(ACTIVITIES) + len(PLACES)
PATCH_SIZE = len(PARTS) + 2 * PET_SIZE


def masked(values):
    """Numbers and None -> [2, N]: values, and 1 where known."""
    return np.array([[float(v or 0) for v in values], [v is not None for v in values]], np.float32)


def drawn_frame(truth):
    values = [truth['people'] > 0 if t == 'person' else truth.get(t) for t in THINGS] + [truth['room'] == r for r in ROOMS]
    for species in SPECIES:
        pets = [p for p in truth['pets'] if p['species'] == species]
        values += [len(pets) > n for n in range(3)]
        values += [any(p['activity'] == a for p in pets) for a in ACTIVITIES]
        values += [any(p['place'] == a for p in pets) for a in PLACES]
    return masked(values)


def on(places):
    """For each of PLACES whether it is one of these; None where the two are hard to tell apart."""
    alike = {p for pair in ALIKE for p in pair if pair & set(places)}
    return [True if p in places else None if p in alike else False for p in PLACES]


def activities(posture):
    """What a posture tells of ACTIVITIES: who sits may eat or play, too, and who stands may walk."""
    known = {}
    if posture and posture != 'rest':
        known['sleeping'] = posture == 'asleep'
    if posture in ('asleep', 'rest', 'lie', 'sit', 'stand'):
        known['sitting'] = posture == 'sit'
    if posture in ('asleep', 'rest', 'lie', 'sit'):
        known['walking'] = False
    return [known.get(a) for a in ACTIVITIES]


def photo_frame(facts):
    kind = facts.get('room')
    values = [facts.get(t) for t in THINGS] + [kind and kind == r for r in ROOMS]
    for species in SPECIES:
        count, where = facts.get(species), facts.get('where')
        values += [None if count is None or (n and facts.get('uncounted')) else count > n for n in range(3)]
        values += [0] * len(ACTIVITIES) if count == 0 else activities(facts.get('posture') if count else None)
        places = None if where is None else [p for s, p in where if s == species]
        if count == 0:
            values += [0] * len(PLACES)
        elif places is None or None in places or count is None or len(places) < count:
            some, denied = [*(places or ()), *(p for s, p in filter(None, [facts.get('on')]) if s == species)], facts.get('not_on', ())
            values += [1 if p in some else 0 if p in denied else None for p in PLACES]
        else:
            values += on(places)
    return masked(values)


def covered(box, grid):
    """Patches of which the box covers a good part, or which hold a good part of a small box: slices of the grid."""
    def span(low, high):
        low, high = max(0, low * grid), min(grid, high * grid)
        first, last = int(max(0, min(low, grid - 1))), int(max(0, min(grid - 1, high)))
        length = max(high - low, 1e-6)
        while first < last and (first + 1 - low) < 0.35 * min(1.0, length):
            first += 1
        while last > first and (high - last) < 0.35 * min(1.0, length):
            last -= 1
        return slice(first, last + 1)
    return span(box[1], box[3]), span(box[0], box[2])


def in_view(box):
    return box[2] > .02 and box[3] > .02 and box[0] < .98 and box[1] < .98


def drawn_patches(truth, grid):
    """[2, grid * grid, PATCH_SIZE]: values and mask."""
    out = np.zeros((2, grid, grid, PATCH_SIZE), np.float32)
    out[1] = 1
    out[1, :, :, [PARTS.index(p) for p in ('laptop', 'sink', 'toilet', 'refrigerator', 'plant', 'bottle', 'book')]] = 0
    for thing in truth['things']:
        names = ['tv', thing['name']] if thing['name'].startswith('tv_') else [thing['name']]
        for name in names:
            out[(0, *covered(thing['box'], grid), PARTS.index(name))] = 1
    for pet in truth['pets']:
        base = len(PARTS) + SPECIES.index(pet['species']) * PET_SIZE
        rows, columns = covered(pet['box'], grid)
        for at in (base, base + 1 + ACTIVITIES.index(pet['activity']), base + 1 + len(ACTIVITIES) + PLACES.index(pet['place'])):
            out[0, rows, columns, at] = 1
    return out.reshape(2, grid * grid, PATCH_SIZE)


def photo_patches(facts, boxes, pets, grid):
    out = np.zeros((2, grid, grid, PATCH_SIZE), np.float32)
    out[1, :, :, [PARTS.index(p) for p in DETECTED.values()]] = 1
    boxed = set()
    for name, score, *box in boxes:
        part = DETECTED.get(name)
        if part is None or not in_view(box):
            continue
        if score >= SURE or facts.get(part) == 1 and score >= .3:
            out[(0, *covered(box, grid), PARTS.index(part))] = 1
        elif score >= PERHAPS and facts.get(part) != 0:
            out[(1, *covered(box, grid), PARTS.index(part))] = 0
        else:
            continue
        boxed.add(part)
    for part in set(DETECTED.values()) - boxed:
        if part in facts and facts[part] != 0:  # may be there, and no box says where
            out[1, :, :, PARTS.index(part)] = 0
    for s, species in enumerate(SPECIES):
        base = len(PARTS) + s * PET_SIZE
        own = [p for p in pets if p[0] == species and in_view(p[2])]
        if facts.get(species) == 0 or own and not facts.get('uncounted') and len(own) >= (facts.get(species) or 1):
            out[1, :, :, base:base + PET_SIZE] = 1
        for _, place, box in own:
            rows, columns = covered(box, grid)
            out[:, rows, columns, base] = 1
            out[1, rows, columns, base + 1:base + PET_SIZE] = 0
            if place in PLACES:
                out[:, rows, columns, base + 1 + len(ACTIVITIES):base + PET_SIZE] = masked(on([place]))[:, None, None]
    return out.reshape(2, grid * grid, PATCH_SIZE)
