"""BERT's uncased WordPiece for the ASCII questions of training: lower case, split at punctuation, longest piece first."""
import re


class Tokenizer:
    def __init__(self, path):
        self.ids = {piece: i for i, piece in enumerate(open(path, encoding='utf-8').read().split('\n')[:-1])}
        self.pieces = list(self.ids)
        self.size = len(self.ids) + 2  # [DEC] and [ENC] come after vocab.txt
        self.pad, self.sep, self.cls, self.dec = 0, self.ids['[SEP]'], self.ids['[CLS]'], self.size - 2
        self.known = {}

    def word(self, word):
        out, start = [], 0
        while start < len(word):
            for end in range(len(word), start, -1):
                piece = ('##' if start else '') + word[start:end]
                if piece in self.ids:
                    out.append(self.ids[piece])
                    start = end
                    break
            else:
                return [self.ids['[UNK]']]
        return out

    def text(self, text):
        if text not in self.known:
            words = re.findall(r'[a-z0-9]+|[^\sa-z0-9]', text.lower())
            self.known[text] = [i for w in words for i in self.word(w)]
        return self.known[text]

    def question(self, text):
        return [self.cls, *self.text(text), self.sep]
