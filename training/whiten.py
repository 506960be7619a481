"""A head start for the image encoder: instead of random numbers, its patch embedding begins as the principal components
of real patches, each scaled to unit variance, its positions as waves over the grid, its attention as looking at
neighbours (queries and keys begin alike). All of it is trained on afterwards."""
import math

import numpy as np
import torch


def waves(grid, width):
    """[grid * grid, width]: sines and cosines of row and column."""
    rows, columns = np.meshgrid(np.arange(grid), np.arange(grid), indexing='ij')
    quarter = width // 4
    speed = math.pi / grid * np.exp(np.linspace(0, math.log(grid * 0.75), quarter))
    out = [f(axis.reshape(-1, 1) * speed) for axis in (rows, columns) for f in (np.sin, np.cos)]
    return torch.from_numpy(np.concatenate(out, 1)).float()


def whiten(vision, images):
    embeddings = vision.embeddings
    p, (width, inputs) = embeddings.patch, embeddings.patch_embedding.weight.flatten(1).shape
    patches = []
    for image in images:
        s = image.shape[0] // p
        patches.append(image.reshape(s, p, s, p, 3).transpose(0, 2, 4, 1, 3).reshape(s * s, inputs))
    patches = np.concatenate(patches)
    mean = patches.mean(0)
    values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False))
    values, vectors = values[::-1][:width], vectors[:, ::-1][:, :width]
    weight = (vectors / np.sqrt(values + 1e-3)).T
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(width, width)))
    weight = turn @ weight  # spread over all channels, so that no channel is louder
    with torch.no_grad():
        embeddings.patch_embedding.weight.copy_(torch.from_numpy(weight).float().view_as(embeddings.patch_embedding.weight))
        embeddings.patch_embedding.bias.copy_(torch.from_numpy(-weight @ mean).float())
        grid = int(math.isqrt(embeddings.position_embedding.shape[1] - 1))
        embeddings.position_embedding[0, 1:] = waves(grid, width)
        for layer in vision.encoder.layers:
            qkv = layer.self_attn.qkv.weight
            qkv[width:2 * width] = qkv[:width] * 0.7 + qkv[width:2 * width] * 0.7
