"""Writes vocab.txt: python3 make_vocab.py PROGRAM OUT. WordPiece pieces of the special tokens, characters (so that any
text tokenizes), the words of every question and answer the renderer asks, and the common words of words.txt."""
import os
import string
import subprocess
import sys

SPECIAL = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]']
ENDINGS = ['##s', '##es', '##ed', '##ing', '##er', '##ly', '##y', '##n', '##ion', '##ness', '##able', '##al', '##et', '##le',
           '##or', '##ar', '##en', '##an', '##in', '##on', '##at', '##it', '##st', '##th', '##ch', '##sh', '##ck', '##ll']


def pieces(program):
    asked = subprocess.run([*program, 'words'], check=True, capture_output=True, text=True).stdout.split()
    characters = list(string.punctuation) + list(string.digits) + list(string.ascii_lowercase)
    continued = ['##' + c for c in string.digits + string.ascii_lowercase]
    common = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'words.txt')).read().split()
    return list(dict.fromkeys(SPECIAL + characters + continued + ENDINGS + sorted(set(asked) | set(common))))


if __name__ == '__main__':
    found = pieces(sys.argv[1:-1])
    open(sys.argv[-1], 'w').write('\n'.join(found) + '\n')
    print(f'{len(found)} pieces')
