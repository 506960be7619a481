"""More questions, in an owner's words: about a photo, from what is known about it; about drawn pets and windows; and questions that no
picture here can answer. The training pack's own `questions.ask` asks the plain ones."""
import os

from targets import ALIKE

SEEN = ('Any {x} here?', 'Is the {x} there?', 'Is the {x} in the room?', 'Is there a {x} in view?', 'Does the camera see a {x}?',
        'Is my {x} in the picture?', 'Can the {x} be seen?', 'Is a {x} in this photo?', 'Is there a {x}?', 'is there a {x}')
IS_IT = ('Is this a {x}?', 'Is it a {x}?', 'Is that a {x}?', 'Is the animal a {x}?', 'Is this animal a {x}?')
ON = ('Is the {x} on the {y}?', 'Is my {x} on the {y}?', 'Is the {x} up on the {y}?', 'Is the {x} on top of the {y}?',
      'Has the {x} got on the {y}?', 'Is there a {x} on the {y}?', 'Do you see the {x} on the {y}?')
WHERE = ("Where's the {x}?", 'Where is my {x}?', 'Where is the {x}?', 'On what is the {x}?', 'Where can you see the {x}?')
COUNT = ('How many {x}s?', 'What is the number of {x}s?', 'How many {x}s can you see?', 'Count the {x}s.', 'How many {x}s are here?')
PERSON = ('Is anyone home?', 'Is anyone there?', 'Do you see anyone?', 'Is there a human?', 'Is somebody in the picture?', 'Any people?',
          'Is someone there?', 'Is there a man or a woman?', 'Do you see people?', 'Is there a person?')
PET = ('Any pets?', 'Is a pet visible?', 'Do you see a pet?', 'Is there any animal here?', 'Can you see an animal?')
EMPTY = ('Is the room empty?', 'Is nobody there?', 'Is the room without people and pets?', 'Is there nobody in the room?')
THING = ('Is there a {x}?', 'Is a {x} there?', 'Do you see any {x}?', 'Is there any {x}?', 'Is a {x} in the picture?', 'Do you see a {x}?')
DOING = ('Is the {x} sleeping?', 'Is the {x} asleep?', 'Is the {x} sitting?', 'Is the {x} walking?', 'Is the {x} eating?',
         'Is the {x} playing?', 'Is the {x} by the window?', 'Is the {x} lying down?')
LYING = ('Is the {x} lying down?', 'Is the {x} lying?', 'Is my {x} lying down?', 'Is the {x} lying on something?')
SITTING = ('Is the {x} sitting?', 'Is the {x} sitting up?', 'Is the {x} sitting down?', 'Is my {x} sitting?')
STANDING = ('Is the {x} standing?', 'Is the {x} on its feet?', 'Is the {x} standing up?')
ACT = ('What is the {x} doing?', 'What is the {x} doing now?', 'What does the {x} do?')
HELD = ('Is someone holding the {x}?', 'Is the {x} being held?', 'Does somebody hold the {x}?')
A_ROOM = ('Is this a {x}?', 'Is it a {x}?', 'Is the room a {x}?', 'Does this show a {x}?')
LIT = ('Is the lamp on?', 'Is the lamp switched on?', 'Is a lamp on?')
OPEN = ('Is the door open?', 'Is there an open door?', 'Did someone leave the door open?', 'Do you see an open door?')
ASLEEP = ('Is the {x} sleeping?', 'Is the {x} asleep?', 'Is there a sleeping {x}?', 'Is the {x} sleeping now?', 'Is my {x} asleep?')
WINDOW = ('Is the {x} by the window?', 'Is the {x} near a window?', 'Is the {x} at the window?', 'Is the {x} next to the window?',
          'Is there a {x} by the window?', 'Is the {x} looking out of the window?', 'Is the {x} sitting by the window?')
OTHER = {'couch': ('couch', 'sofa', 'couch'), 'tv': ('tv', 'television'), 'table': ('table',), 'refrigerator': ('refrigerator', 'fridge')}
YES_NO = {True: 'yes', False: 'no'}
HERE = os.path.dirname(os.path.abspath(__file__))
UNKNOWN = [line.strip() for line in open(os.path.join(HERE, 'unknown_questions.txt')) if line.strip() and line[0] != '#']


def candidates(f, pet_places):
    """[(weight, wordings, words, answer)]; pet_places: places that the species' pets are on, or None where not known."""
    out = []
    for a in ('dog', 'cat'):
        n = f.get(a)
        if n is None:
            continue
        out.append((1.5, SEEN, dict(x=a), YES_NO[n > 0]))
        other = f.get('cat' if a == 'dog' else 'dog')
        if other is not None and (n > 0) != (other > 0):
            out.append((.8, IS_IT, dict(x=a), YES_NO[n > 0]))
        if not f.get('uncounted'):
            out.append((.8 if n else .3, COUNT, dict(x=a), str(n)))
        if n == 0:
            out.append((.25, DOING, dict(x=a), 'no'))
        elif f.get('posture'):
            out += about_posture(a, f['posture'])
        if n and f.get('held') is not None:
            out.append((1.5 if f['held'] else .15, HELD, dict(x=a), YES_NO[bool(f['held'])]))
        if n and f.get('at_window') is not None:
            out.append((2 if f['at_window'] else .2, WINDOW, dict(x=a), YES_NO[bool(f['at_window'])]))
        known = pet_places.get(a)
        for y in ('couch', 'bed', 'table', 'chair', 'floor', 'counter'):
            if n and known is not None and y in known:
                out.append((2.5, ON, dict(x=a, y=y), 'yes'))
            elif n == 0:
                out.append((.12, ON, dict(x=a, y=y), 'no'))
            elif n and y in f.get('not_on', ()):
                out.append((.7, ON, dict(x=a, y=y), 'no'))
            elif f.get(y) == 0 and y != 'table' or known is not None and None not in known and not any({y, *known} >= pair for pair in ALIKE):
                out.append((.5, ON, dict(x=a, y=y), 'no'))
        if n and known is not None and len(set(known)) == 1:
            out.append((2.5, WHERE, dict(x=a), known[0]))
    d, c, p = f.get('dog'), f.get('cat'), f.get('person')
    if d is not None and c is not None:
        out.append((.4, PET, {}, YES_NO[bool(d or c)]))
        if p is not None and f.get('indoor') and not f.get('photo'):
            out.append((.6, EMPTY, {}, YES_NO[not (d or c or p)]))
    if p is not None:
        out.append((2.5 if p else .8, PERSON, {}, YES_NO[bool(p)]))
    for t in ('couch', 'bed', 'tv', 'laptop', 'bowl', 'chair', 'table', 'refrigerator', 'sink', 'toilet'):
        if f.get(t) is not None:
            out.append((2 if f[t] else .2, THING, dict(x=t), YES_NO[bool(f[t])]))
    for t in ('window', 'lamp', 'door'):
        if f.get(t) is not None:
            out.append((.5, THING, dict(x=t), YES_NO[bool(f[t])]))
    for state, wordings in (('lamp_on', LIT), ('door_open', OPEN)):
        if f.get(state) is not None:
            out.append((1, wordings, {}, YES_NO[bool(f[state])]))
    for kind in ('bedroom', 'kitchen') if f.get('room') else ():
        out.append((2 if f['room'] == kind else .4, A_ROOM, dict(x=kind), YES_NO[f['room'] == kind]))
    return out


def about_posture(a, posture):
    """`awake`: no more is known; `rest`: lies, and whether it sleeps is not."""
    x, asleep = dict(x=a), posture == 'asleep'
    out = [] if posture == 'rest' else [(2.5 if asleep else .4, ASLEEP, x, YES_NO[asleep])]
    if posture == 'awake':
        return out
    out += [(.7, LYING, x, YES_NO[posture in ('asleep', 'rest', 'lie')]), (.6, SITTING, x, YES_NO[posture == 'sit']),
            (.4, STANDING, x, YES_NO[posture == 'stand'])]
    word = {'asleep': 'sleeping', 'lie': 'lying', 'sit': 'sitting', 'stand': 'standing'}.get(posture)
    return out + ([(1.2 if asleep else .5, ACT, x, word)] if word else [])


def own(f, pet_places, rng, n):
    items = candidates(f, pet_places)
    pairs = []
    for _ in range(n):
        if not items:
            break
        _, wordings, words, answer = rng.choices(items, [i[0] for i in items])[0]
        pairs.append((rng.choice(wordings).format(**{k: rng.choice(OTHER.get(v, (v,))) for k, v in words.items()}), answer))
    return pairs


def by_window(truth, rng):
    """A question and answer from a drawn room's truth, or None where no pet is clearly near or clearly not."""
    windows = [t['box'] for t in truth['things'] if t['name'] == 'window']
    found = {}
    for pet in truth['pets']:
        x0, y0, x1, _ = pet['box']
        gaps = [max(w[0] - x1, x0 - w[2], 0) + max(y0 - w[3] - .12, 0) for w in windows]
        near = min(gaps, default=1)
        found.setdefault(pet['species'], []).append(near)
    answers = []
    for species, near in found.items():
        if min(near) < .06:
            answers += [(species, 'yes')] * 3
        elif min(near) > .22:
            answers.append((species, 'no'))
    if not answers:
        return None
    species, answer = rng.choice(answers)
    return rng.choice(WINDOW).format(x=species), answer


def unknown(rng):
    """A question whose answer cannot be seen; yes and no equally often, so the best answer is neither."""
    text = rng.choice(UNKNOWN).format(x=rng.choice(('dog', 'cat', 'pet', 'person', 'animal')), y=rng.choice(('couch', 'bed', 'room', 'picture')))
    return text, rng.choice(('yes', 'no'))


def misspell(text, rng):
    """One slip of a finger: two letters swapped, one left out, doubled or another."""
    at = [i for i in range(1, len(text) - 1) if text[i - 1:i + 2].isalpha()]
    if not at:
        return text
    i, kind = rng.choice(at), rng.randrange(4)
    if kind == 0:
        return text[:i] + text[i + 1] + text[i] + text[i + 2:]
    if kind == 1:
        return text[:i] + text[i + 1:]
    return text[:i] + (text[i] if kind == 2 else rng.choice('aeinorst')) + text[i if kind == 2 else i + 1:]
