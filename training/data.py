"""Where training examples come from. A source yields examples by index, so a run can go on where it stopped; the drawn
rooms are one source, photos will be another with the same three methods."""
import json
import queue
import struct
import subprocess
import threading

import numpy as np


class DrawnRooms:
    """`pawsight scenes stream` in a child process. Example i of a seed is the same on every machine."""

    def __init__(self, program, seed, size, questions, first=0, count=-1):
        command = [*program, 'stream', '--seed', str(seed), '--first', str(first), '--count', str(count),
                   '--size', str(size), '--questions', str(questions)]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, bufsize=1 << 20)
        magic, version, self.size = struct.unpack('<8sII', self.read(16))
        assert magic == b'PAWSCENE' and version == 1 and self.size == size

    def read(self, count):
        data = self.child.stdout.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def next(self):
        """-> (RGB [S,S,3] uint8, truth dict, [question dict with text, answer, family])"""
        record = json.loads(self.read(struct.unpack('<I', self.read(4))[0]))
        pixels = np.frombuffer(self.read(3 * self.size ** 2), np.uint8).reshape(self.size, self.size, 3)
        return pixels, record['truth'], record['questions']

    def close(self):
        self.child.kill()
        self.child.wait()


class Batches:
    """Takes `size` examples a time from a source, in a thread that stays a few batches ahead."""

    def __init__(self, source, size, make, ahead=4):
        self.queue = queue.Queue(ahead)
        self.thread = threading.Thread(target=self.run, args=(source, size, make), daemon=True)
        self.thread.start()

    def run(self, source, size, make):
        while True:
            self.queue.put(make([source.next() for _ in range(size)]))

    def next(self):
        return self.queue.get()
