"""Writes model.safetensors from a checkpoint's averaged weights: python3 export.py RUN OUT_DIR [--blend MODEL SHARE]. Half precision
(fp16); the helper heads stay behind, or go to the file that --heads names (train.py goes on with heads.safetensors). Names and layout as the hub's, the tied decoder weight stored once more as there. --blend mixes
in SHARE (0..1) of the weights of MODEL, from which the run went on: what a short run has learned anew without all that it forgot."""
import argparse

import torch

import safetensors


def exported(checkpoint, other=None, share=0.0):
    weights = {**checkpoint['model'], **checkpoint['ema']}
    for name in checkpoint['ema'] if other else ():
        weights[name] = (1 - share) * weights[name] + share * other[name].float()
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('run')
    parser.add_argument('out')
    parser.add_argument('--blend', nargs=2, metavar=('MODEL', 'SHARE'))
    parser.add_argument('--heads', help='also write the helper heads, to go on with')
    args = parser.parse_args()
    checkpoint = torch.load(f'{args.run}/checkpoint.pt', map_location='cpu')
    blend = (safetensors.load(f'{args.blend[0]}/model.safetensors'), float(args.blend[1])) if args.blend else ()
    safetensors.save(f'{args.out}/model.safetensors', exported(checkpoint, *blend), {'format': 'pt'})
    if args.heads:
        safetensors.save(args.heads, {k: v.half().contiguous() for k, v in checkpoint['helpers'].items()}, {'format': 'pt'})
    print(f'step {checkpoint["step"]}, {checkpoint["seconds"] / 60:.0f} minutes of training')
