"""Begins a larger model with the weights of a smaller one of the same width: words are matched by their piece, positions are stretched
over the new grid, layers that the old one lacks begin as doing nothing."""
import json
import math

import torch
from torch.nn import functional as F

import safetensors


def stretched(positions, tokens):
    """[1, 1 + n * n, D] -> [1, tokens, D]: the class token's stays, the grid's are interpolated."""
    old, new = (math.isqrt(n - 1) for n in (positions.shape[1], tokens))
    grid = positions[:, 1:].reshape(1, old, old, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(new, new), mode='bicubic', align_corners=False)
    return torch.cat([positions[:, :1], grid.flatten(2).transpose(1, 2)], 1)


def begin_from(model, folder, pieces):
    """Loads `folder`'s weights into `model`, whose vocabulary is `pieces`; prints what had no beginning there."""
    old = {k: v.float() for k, v in safetensors.load(f'{folder}/model.safetensors').items() if v.dtype.is_floating_point}
    layers = json.load(open(f'{folder}/config.json'))['vision_config']['num_hidden_layers']
    before = open(f'{folder}/vocab.txt', encoding='utf-8').read().split('\n')[:-1]
    rows = {piece: i for i, piece in enumerate(before + ['[DEC]', '[ENC]'])}
    state, fresh = model.state_dict(), []
    for name, value in state.items():
        if not value.dtype.is_floating_point:
            continue
        if name.startswith('vision_model.encoder.layers.') and int(name.split('.')[3]) >= layers:
            if name.split('.')[-2] in ('projection', 'fc2'):  # what is added to the residual
                value.zero_()
            fresh.append(name)
        elif 'word_embeddings' in name or name.endswith(('predictions.bias', 'predictions.decoder.weight')):
            for i, piece in enumerate(pieces + ['[DEC]', '[ENC]']):
                if piece in rows:
                    value[i] = old[name][rows[piece]]
        elif name == 'vision_model.embeddings.position_embedding':
            value.copy_(stretched(old[name], value.shape[1]))
        elif name in old and old[name].shape == value.shape:
            value.copy_(old[name])
        else:
            fresh.append(name)
    model.load_state_dict(state)
    print(f'{len(state) - len(fresh)} tensors from {folder}; new: {", ".join(sorted({n.rsplit(".", 2)[0] for n in fresh}))}', flush=True)
