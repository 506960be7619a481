"""Compares blip.py with reference numbers: python3 check_graph.py FOLDER... (config.json, model.safetensors,
goldens.safetensors). Exit 0 only when every stage is within tolerance."""
import json
import sys

import torch

import safetensors
from blip import Blip, padding_bias


def check(folder):
    config = json.load(open(f'{folder}/config.json'))
    model = Blip(config)
    model.load_state_dict(safetensors.load(f'{folder}/model.safetensors'), strict=True)
    golden = safetensors.load(f'{folder}/goldens.safetensors')
    pixels = golden['pre.pixel_values']
    ids, mask = golden['in.question_ids'].long(), golden['in.question_mask']
    worst = 0.0
    with torch.no_grad():
        for i in range(2):
            image = model.vision_model(pixels[i:i + 1])
            bias = padding_bias(mask)
            states = model.text_encoder(ids, bias, image, None, ids.shape[0])
            tokens = golden[f'q3img{i}.greedy.sequences'].long()[:, :-1]
            logits = model.text_decoder(tokens, states, padding_bias(torch.ones_like(mask)))
            for name, got, want in [('image_embeds', image, golden[f'q3img{i}.vision.image_embeds']),
                                    ('question_states', states, golden[f'q3img{i}.text.question_states']),
                                    ('greedy.logits', logits, golden[f'q3img{i}.greedy.logits'])]:
                want = want.reshape(got.shape)
                error = (got - want).abs().max().item()
                worst = max(worst, error)
                print(f'{folder} image {i} {name}: max absolute difference {error:.2e}')
    return worst < 5e-5


if __name__ == '__main__':
    sys.exit(0 if all([check(folder) for folder in sys.argv[1:]]) else 1)
