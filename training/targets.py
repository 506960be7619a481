"""The truth as numbers for the helper heads of training, which look at the image encoder alone and are not exported."""
import numpy as np

THINGS = ['night', 'couch', 'bed', 'table', 'chair', 'tv', 'door', 'window', 'lamp', 'bowl', 'ball', 'basket', 'tv_on', 'door_open',
          'lamp_on', 'couch_torn']
PARTS = ['couch', 'bed', 'table', 'chair', 'tv_on', 'tv_off', 'door_open', 'door_closed', 'window', 'lamp_on', 'lamp_off', 'bowl', 'ball',
         'basket', 'kitchen', 'person']
ROOMS = ['livingroom', 'bedroom', 'kitchen']
SPECIES = ['dog', 'cat']
ACTIVITIES = ['sleeping', 'sitting', 'walking', 'playing', 'chewing', 'eating']
PLACES = ['floor', 'couch', 'bed', 'table', 'basket']
# things and people; rooms; then for each species: at least 1, 2, 3 of it, its activities and places
FRAME_SIZE = len(THINGS) + 1 + len(ROOMS) + 2 * (3 + len(ACTIVITIES) + len(PLACES))
# for each patch: what is there; for each species that it is there, what it does and where
PET_SIZE = 1 + len(ACTIVITIES) + len(PLACES)
PATCH_SIZE = len(PARTS) + 2 * PET_SIZE


def frame_targets(truth):
    values = [truth[t] for t in THINGS] + [truth['people'] > 0] + [truth['room'] == r for r in ROOMS]
    for species in SPECIES:
        pets = [p for p in truth['pets'] if p['species'] == species]
        values += [len(pets) > n for n in range(3)]
        values += [any(p['activity'] == a for p in pets) for a in ACTIVITIES]
        values += [any(p['place'] == a for p in pets) for a in PLACES]
    return np.array(values, np.float32)


def covered(box, grid):
    """Patches of which the box covers a good part, or which hold a good part of a small box: slices of the grid."""
    def span(low, high):
        low, high = low * grid, high * grid
        first, last = int(max(0, low)), int(min(grid - 1, high))
        length = max(high - low, 1e-6)
        while first < last and (first + 1 - low) < 0.35 * min(1.0, length):
            first += 1
        while last > first and (high - last) < 0.35 * min(1.0, length):
            last -= 1
        return slice(first, last + 1)
    return span(box[1], box[3]), span(box[0], box[2])


def patch_targets(truth, grid):
    """[grid * grid, PATCH_SIZE] of 0 and 1."""
    out = np.zeros((grid, grid, PATCH_SIZE), np.float32)
    for thing in truth['things']:
        out[covered(thing['box'], grid) + (PARTS.index(thing['name']),)] = 1
    for pet in truth['pets']:
        base = len(PARTS) + SPECIES.index(pet['species']) * PET_SIZE
        rows, columns = covered(pet['box'], grid)
        for at in (base, base + 1 + ACTIVITIES.index(pet['activity']), base + 1 + len(ACTIVITIES) + PLACES.index(pet['place'])):
            out[rows, columns, at] = 1
    return out.reshape(grid * grid, PATCH_SIZE)
