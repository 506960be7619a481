"""Writes model.safetensors from a checkpoint's averaged weights: python3 export.py RUN OUT_DIR. Half precision (fp16);
the helper heads stay behind. Names and layout as the hub's, the tied decoder weight stored once more as there."""
import sys

import torch

import safetensors


def exported(checkpoint):
    weights = {**checkpoint['model'], **checkpoint['ema']}
    words = weights['text_decoder.bert.embeddings.word_embeddings.weight']
    weights['text_decoder.cls.predictions.decoder.weight'] = words
    tensors = {}
    for name, value in weights.items():
        if value.dtype.is_floating_point:
            assert value.abs().max() < 6e4 and torch.isfinite(value).all(), name
            value = value.half()
        tensors[name] = value.contiguous()
    return tensors


if __name__ == '__main__':
    run, out = sys.argv[1:]
    checkpoint = torch.load(f'{run}/checkpoint.pt', map_location='cpu')
    safetensors.save(f'{out}/model.safetensors', exported(checkpoint), {'format': 'pt'})
    print(f'step {checkpoint["step"]}, {checkpoint["seconds"] / 60:.0f} minutes of training')
