"""Reading and writing safetensors: 8 bytes of length, a JSON header, the tensors' bytes."""
import json
import struct

import torch

TYPES = {'F32': torch.float32, 'F16': torch.float16, 'BF16': torch.bfloat16, 'I64': torch.int64, 'I32': torch.int32, 'U8': torch.uint8}
NAMES = {v: k for k, v in TYPES.items()}


def load(path):
    with open(path, 'rb') as f:
        header = json.loads(f.read(struct.unpack('<Q', f.read(8))[0]))
        data = bytearray(f.read())
    tensors = {}
    for name, entry in header.items():
        if name == '__metadata__':
            continue
        start, end = entry['data_offsets']
        flat = torch.frombuffer(data[start:end], dtype=TYPES[entry['dtype']]) if end > start else torch.empty(0)
        tensors[name] = flat.reshape(entry['shape'])
    return tensors


def save(path, tensors, metadata=None):
    header, offset = ({'__metadata__': metadata} if metadata else {}), 0
    ordered = sorted(tensors.items(), key=lambda t: (-t[1].element_size(), t[0]))  # wide types first: all stay aligned
    for name, t in ordered:
        size = t.numel() * t.element_size()
        header[name] = {'dtype': NAMES[t.dtype], 'shape': list(t.shape), 'data_offsets': [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as f:
        f.write(struct.pack('<Q', len(text)) + text)
        for _, t in ordered:
            f.write(t.contiguous().view(torch.uint8 if t.element_size() == 1 else torch.int16 if t.element_size() == 2
                                        else torch.int32 if t.element_size() == 4 else torch.int64).numpy().tobytes())
