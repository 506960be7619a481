"""Writes vocab.txt: python3 make_vocab.py PROGRAM scenes PACK OUT. WordPiece pieces of the special tokens, characters (so that any
text tokenizes), the words of every question and answer that training asks, and the common words of words.txt."""
import collections
import json
import os
import re
import string
import subprocess
import sys

import photo_questions

SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
ENDINGS = ['##s', '##es', '##ed', '##ing', '##er', '##ly', '##y', '##n', '##ion', '##ness', '##able', '##al', '##et', '##le',
           '##or', '##ar', '##en', '##an', '##in', '##on', '##at', '##it', '##st', '##th', '##ch', '##sh', '##ck', '##ll']
SELDOM = 3  # a word of the room questions counts when it comes so often


def wordings(module):
    """The words of a module's tuples of texts."""
    return words(' '.join(t for value in vars(module).values() if isinstance(value, tuple) for t in value if isinstance(t, str)))


def words(text):
    return re.findall(r'[a-z]+', re.sub(r'\{.\}', ' ', text.lower()))


def pieces(program, pack):
    asked = subprocess.run([*program, 'words'], check=True, capture_output=True, text=True).stdout.split()
    rooms = collections.Counter()
    for line in open(os.path.join(pack, 'rooms_qa.jsonl')):
        row = json.loads(line)
        if row['split'] == 'train':
            rooms.update(words(row['q'] + ' ' + row['a']))
    sys.path.insert(0, pack)
    import questions
    templates = words(' '.join(photo_questions.UNKNOWN)) + wordings(photo_questions) + wordings(questions)
    characters = list(string.punctuation) + list(string.digits) + list(string.ascii_lowercase)
    continued = ['##' + c for c in string.digits + string.ascii_lowercase]
    common = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'words.txt')).read().split()
    known = set(asked) | set(common) | set(templates) | {w for w, n in rooms.items() if n >= SELDOM}
    return list(dict.fromkeys(SPECIAL + characters + continued + ENDINGS + sorted(known)))


if __name__ == '__main__':
    found = pieces(sys.argv[1:-2], sys.argv[-2])
    open(sys.argv[-1], 'w').write('\n'.join(found) + '\n')
    print(f'{len(found)} pieces')
