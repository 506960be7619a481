"""The truth as numbers for the helper heads of training, which look at the image encoder alone and are not exported."""
import numpy as np

THINGS = ['night', 'couch', 'bed', 'table', 'chair', 'tv', 'door', 'window', 'lamp', 'bowl', 'ball', 'basket', 'tv_on', 'door_open',
          'lamp_on', 'couch_torn']
ROOMS = ['livingroom', 'bedroom', 'kitchen']
SPECIES = ['dog', 'cat']
ACTIVITIES = ['sleeping', 'sitting', 'walking', 'playing', 'chewing', 'eating']
PLACES = ['floor', 'couch', 'bed', 'table', 'basket']
# things and people; rooms; then for each species: at least 1, 2, 3 of it, its activities and places
FRAME_SIZE = len(THINGS) + 1 + len(ROOMS) + 2 * (3 + len(ACTIVITIES) + len(PLACES))
PATCH_SIZE = 2 + len(ACTIVITIES) + len(PLACES)


def frame_targets(truth):
    values = [truth[t] for t in THINGS] + [truth['people'] > 0] + [truth['room'] == r for r in ROOMS]
    for species in SPECIES:
        pets = [p for p in truth['pets'] if p['species'] == species]
        values += [len(pets) > n for n in range(3)]
        values += [any(p['activity'] == a for p in pets) for a in ACTIVITIES]
        values += [any(p['place'] == a for p in pets) for a in PLACES]
    return np.array(values, np.float32)


def patch_targets(truth, grid):
    """[grid * grid, PATCH_SIZE]: for each patch whether a dog, a cat covers its middle, and what that pet does where."""
    out = np.zeros((grid, grid, PATCH_SIZE), np.float32)
    middles = (np.arange(grid) + 0.5) / grid
    for pet in truth['pets']:
        x0, y0, x1, y1 = pet['box']
        inside = ((middles >= y0) & (middles <= y1))[:, None] & ((middles >= x0) & (middles <= x1))[None]
        label = np.zeros(PATCH_SIZE, np.float32)
        label[SPECIES.index(pet['species'])] = 1
        label[2 + ACTIVITIES.index(pet['activity'])] = 1
        label[2 + len(ACTIVITIES) + PLACES.index(pet['place'])] = 1
        out[inside] = np.maximum(out[inside], label)
    return out.reshape(grid * grid, PATCH_SIZE)
