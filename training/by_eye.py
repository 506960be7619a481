"""What was seen by eye on the training pack's photos: `pets_by_eye.txt`, `cutouts_by_eye.txt`, `rooms_by_eye.txt`, `surfaces_by_eye.txt`
and `people_by_eye.txt`, read off contact sheets. A line is an id and words; the first lines of each file tell them."""
import os
import re

HERE = os.path.dirname(os.path.abspath(__file__))
SURFACES = ('couch', 'bed', 'table', 'counter', 'chair', 'floor')
PLACES = SURFACES + ('outside',)  # what "where is it?" is answered with
NOT_ON = {place: SURFACES for place in ('window', 'held', 'shelf', 'other')}  # what a pet is not on that is there
NOT_ON.update(basket=('couch', 'table', 'counter', 'chair', 'floor'), cage=('couch', 'bed', 'table', 'counter', 'chair'),
              soft=('floor', 'table', 'counter', 'chair'))
THINGS = ('couch', 'bed', 'chair', 'table', 'tv', 'laptop', 'bowl', 'person')
ROOM_THINGS = THINGS + ('sink', 'toilet', 'refrigerator', 'window', 'lamp', 'door')
ROOM_ONLY = ('window', 'lamp', 'lamp_on', 'door', 'door_open', 'room')  # no box says where these are: they hold for the whole photo alone
LIKE = {'desk': 'table', 'monitor': 'tv', 'counter': 'table'}  # neither the thing nor something else


def lines(name):
    """{id: words}"""
    rows = (line.split() for line in open(os.path.join(HERE, name)) if line.strip() and line[0] != '#')
    return {row[0]: row[1:] for row in rows}


def things(facts, names, words, large):
    """Things listed are there, and of the others the large ones are not: small ones are overlooked."""
    for thing in names:
        if thing in words:
            facts[thing] = 1
        elif thing + '?' in words or any(LIKE.get(w.rstrip('?')) == thing for w in words):
            facts[thing] = None
        elif thing in large:
            facts[thing] = None if facts.get(thing) == 1 else 0


def surfaces():
    """{room: [[kind, rectangle in which a pet's feet may be, how tall a cat sitting there looks]]} in fractions of the picture."""
    number = lambda words: [float(w) for w in words.split(',')]
    out = {}
    for room, words in lines('surfaces_by_eye.txt').items():
        for kind, (x0, y0, x1, y1, cat) in ((w.split(':')[0], number(w.split(':')[1])) for w in words):
            out.setdefault(room, []).append([kind, (x0 / 16, y0 / 12, x1 / 16, y1 / 12), cat / 12])
    return out


def people():
    """[(photo, whether whole, rectangle)]: people whom no pet hides."""
    return [(photo, word.split(':')[0] == 'whole', [float(v) for v in word.split(':')[1].split(',')])
            for photo, words in lines('people_by_eye.txt').items() for word in words]


def posture(word):
    """One that says something, or None."""
    return word if word in ('asleep', 'rest', 'lie', 'sit', 'stand') else None


def pet(item, words):
    """Puts what was seen on a photo of pets into its facts; False: it is none of a live pet."""
    if words == ['skip']:
        return False
    (place, how), words, facts = words[:2], words[2:], item['facts']
    counts = {m[2]: int(m[1]) for m in (re.fullmatch(r'(\d)(cat|dog)s?', w) for w in words) if m}
    own = item['pets'][0][0] if item['pets'] else 'cat' if facts.get('cat') else 'dog'
    counts = counts or {own: 1}
    if own not in counts:
        own = next(iter(counts))
        for boxed in item['pets']:
            boxed[0] = own
    facts.update({'cat': 0, 'dog': 0, **counts})
    facts.pop('uncounted', None)
    things(facts, THINGS, [*words, place], ('couch', 'bed') if place != '?' else ())
    if place in ('soft', 'couch', 'chair'):  # an armchair is both
        for thing in {'soft': ('couch', 'bed'), 'couch': ('chair',), 'chair': ('couch',)}[place]:
            facts[thing] = facts[thing] or None
    if place in SURFACES + ('soft', 'window', 'outside'):
        facts['indoor'] = int(place != 'outside')
    one = sum(counts.values()) == 1
    facts['at_window'] = None if not one or place == '?' else 1 if place == 'window' else None if 'window' in words else 0
    facts['held'] = None if not one else 1 if place == 'held' else 0 if place in SURFACES and facts['person'] == 0 else None
    if place == 'held':
        facts['person'] = 1
    facts['where'] = [(own, place)] if one and place in PLACES else None
    facts['on'] = (own, place) if place in SURFACES and len(counts) == 1 else None
    facts['not_on'] = NOT_ON.get(place, ()) if one else ()
    facts['posture'] = posture(how) if one else None
    if len(item['pets']) == 1:
        item['pets'][0][1] = place if place in PLACES + ('basket',) else None
    return True


def room(facts, words):
    """The same for a photo of a room."""
    kind, words = words[0], words[1:]
    states = {'lamp_on': 'lamp', 'door_open': 'door'}
    things(facts, ROOM_THINGS, words + [states[w] for w in words if w in states], set(ROOM_THINGS) - {'laptop', 'bowl', 'person'})
    for state, thing in states.items():
        facts[state] = int(state in words) if facts[thing] == 1 and state + '?' not in words else None
    facts['indoor'], facts['room'] = 1, None if kind == '?' else kind


def without_room(facts):
    """Facts of a picture that shows a part of the room."""
    return {k: v for k, v in facts.items() if k not in ROOM_ONLY}
