"""BLIP's visual question answering graph (Li et al. 2022) in plain PyTorch, named as in the hub's checkpoints.

The module tree is the tensor tree: `state_dict()` gives exactly the names of BlipForQuestionAnswering. Sizes come from
`config.json` and nowhere else. `check_graph.py` compares it with reference numbers.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


def attend(query, key, value, heads, bias=None):
    """query [B, Q, D], key and value [B, K, D], bias broadcastable to [B, heads, Q, K] -> [B, Q, D]."""
    batch, length, width = query.shape
    size = width // heads
    q = query.view(batch, length, heads, size).transpose(1, 2)
    k = key.view(batch, -1, heads, size).transpose(1, 2)
    v = value.view(batch, -1, heads, size).transpose(1, 2)
    scores = torch.matmul(q, k.transpose(-1, -2)) * (1 / math.sqrt(size))
    if bias is not None:
        scores = scores + bias
    weights = torch.softmax(scores, dim=-1).to(v.dtype)
    return torch.matmul(weights, v).transpose(1, 2).reshape(batch, length, width)


def take(rows, kept):
    """rows [B, N, D], kept [B, K] indices -> [B, K, D]."""
    return torch.gather(rows, 1, kept[..., None].expand(-1, -1, rows.shape[-1]))


# Vision: pre-norm.

class VisionEmbeddings(nn.Module):
    def __init__(self, c):
        super().__init__()
        width, self.patch = c['hidden_size'], c['patch_size']
        self.class_embedding = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.patch_embedding = nn.Conv2d(3, width, self.patch, stride=self.patch)
        tokens = (c['image_size'] // self.patch) ** 2 + 1
        self.position_embedding = nn.Parameter(torch.randn(1, tokens, width) * 0.02)

    def forward(self, pixels, kept=None):
        batch, _, height, width = pixels.shape
        p = self.patch  # a convolution whose stride is its size is one matrix product
        x = pixels.view(batch, 3, height // p, p, width // p, p).permute(0, 2, 4, 1, 3, 5)
        x = x.reshape(batch, -1, 3 * p * p)
        places = self.position_embedding[:, 1:]
        if kept is not None:
            x, places = take(x, kept), take(places.expand(batch, -1, -1), kept)
        x = F.linear(x, self.patch_embedding.weight.flatten(1), self.patch_embedding.bias) + places
        first = self.class_embedding + self.position_embedding[:, :1]
        return torch.cat([first.expand(batch, -1, -1).to(x.dtype), x], 1)


class VisionAttention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads = c['num_attention_heads']
        self.qkv = nn.Linear(c['hidden_size'], 3 * c['hidden_size'])
        self.projection = nn.Linear(c['hidden_size'], c['hidden_size'])

    def forward(self, x):
        return self.projection(attend(*self.qkv(x).chunk(3, -1), self.heads))


class VisionMlp(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.fc1 = nn.Linear(c['hidden_size'], c['intermediate_size'])
        self.fc2 = nn.Linear(c['intermediate_size'], c['hidden_size'])

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class VisionLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.self_attn = VisionAttention(c)
        self.layer_norm1 = nn.LayerNorm(c['hidden_size'], c['layer_norm_eps'])
        self.mlp = VisionMlp(c)
        self.layer_norm2 = nn.LayerNorm(c['hidden_size'], c['layer_norm_eps'])

    def forward(self, x):
        x = x + self.self_attn(self.layer_norm1(x))
        return x + self.mlp(self.layer_norm2(x))


class Stack(nn.Module):
    def __init__(self, name, layers):
        super().__init__()
        self.add_module(name, nn.ModuleList(layers))


class VisionModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embeddings = VisionEmbeddings(c)
        self.encoder = Stack('layers', [VisionLayer(c) for _ in range(c['num_hidden_layers'])])
        self.post_layernorm = nn.LayerNorm(c['hidden_size'], c['layer_norm_eps'])

    def forward(self, pixels, kept=None):
        """`kept` [B, K]: the patches that are looked at, the others are left out (Liu et al. 2022, PatchDropout); all unless given."""
        x = self.embeddings(pixels, kept)
        for layer in self.encoder.layers:
            x = layer(x)
        return self.post_layernorm(x)


# Text: post-norm, as BERT.

class TextEmbeddings(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.word_embeddings = nn.Embedding(c['vocab_size'], c['hidden_size'])
        self.position_embeddings = nn.Embedding(c['max_position_embeddings'], c['hidden_size'])
        self.LayerNorm = nn.LayerNorm(c['hidden_size'], c['layer_norm_eps'])
        self.register_buffer('position_ids', torch.arange(c['max_position_embeddings'])[None])

    def forward(self, ids):
        return self.LayerNorm(self.word_embeddings(ids) + self.position_embeddings.weight[:ids.shape[1]])


class Projections(nn.Module):
    def __init__(self, width, source_width):
        super().__init__()
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(source_width, width)
        self.value = nn.Linear(source_width, width)


class AddAndNorm(nn.Module):
    def __init__(self, width_in, width, eps):
        super().__init__()
        self.dense = nn.Linear(width_in, width)
        self.LayerNorm = nn.LayerNorm(width, eps)

    def forward(self, x, residual):
        return self.LayerNorm(self.dense(x) + residual)


class TextAttention(nn.Module):
    def __init__(self, c, source_width):
        super().__init__()
        self.heads = c['num_attention_heads']
        self.add_module('self', Projections(c['hidden_size'], source_width))
        self.output = AddAndNorm(c['hidden_size'], c['hidden_size'], c['layer_norm_eps'])

    def forward(self, x, source, bias=None, repeat=1):
        """`repeat` questions share a row of `source`: its keys and values are computed once."""
        p = getattr(self, 'self')
        key, value = p.key(source), p.value(source)
        if repeat == 1:
            return self.output(attend(p.query(x), key, value, self.heads, bias), x)
        batch, length, width = x.shape  # the questions of an image side by side as one longer query
        query = p.query(x).view(batch // repeat, repeat * length, width)
        mixed = attend(query, key, value, self.heads, bias)
        return self.output(mixed.view(batch, length, width), x)


class Dense(nn.Module):
    def __init__(self, width_in, width):
        super().__init__()
        self.dense = nn.Linear(width_in, width)

    def forward(self, x):
        return F.gelu(self.dense(x))


class TextLayer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.attention = TextAttention(c, c['hidden_size'])
        self.crossattention = TextAttention(c, c['encoder_hidden_size'])
        self.intermediate = Dense(c['hidden_size'], c['intermediate_size'])
        self.output = AddAndNorm(c['intermediate_size'], c['hidden_size'], c['layer_norm_eps'])

    def forward(self, x, bias, source, source_bias, repeat):
        x = self.attention(x, x, bias)
        x = self.crossattention(x, source, source_bias, repeat)
        return self.output(self.intermediate(x), x)


class TextModel(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embeddings = TextEmbeddings(c)
        self.encoder = Stack('layer', [TextLayer(c) for _ in range(c['num_hidden_layers'])])

    def forward(self, ids, bias, source, source_bias=None, repeat=1):
        x = self.embeddings(ids)
        for layer in self.encoder.layer:
            x = layer(x, bias, source, source_bias, repeat)
        return x


class PredictionTransform(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.dense = nn.Linear(c['hidden_size'], c['hidden_size'])
        self.LayerNorm = nn.LayerNorm(c['hidden_size'], c['layer_norm_eps'])

    def forward(self, x):
        return self.LayerNorm(F.gelu(self.dense(x)).to(self.LayerNorm.weight.dtype))


class Predictions(nn.Module):
    def __init__(self, c, words):
        super().__init__()
        self.transform = PredictionTransform(c)
        self.decoder = nn.Linear(c['hidden_size'], c['vocab_size'], bias=False)
        self.decoder.weight = words  # tied
        self.bias = nn.Parameter(torch.zeros(c['vocab_size']))

    def forward(self, x):
        return self.decoder(self.transform(x)) + self.bias


class TextDecoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.bert = TextModel(c)
        self.cls = nn.Module()
        self.cls.predictions = Predictions(c, self.bert.embeddings.word_embeddings.weight)

    def forward(self, ids, states, states_bias):
        length = ids.shape[1]
        causal = torch.full((length, length), -1e9).triu(1)
        return self.cls.predictions(self.bert(ids, causal, states, states_bias))


def padding_bias(mask):
    """mask [B, T] of 1 and 0 -> what is added to attention scores, [B, 1, 1, T]."""
    return (1 - mask.float())[:, None, None] * -1e9


class Blip(nn.Module):
    def __init__(self, config):
        super().__init__()
        text = config['text_config']
        self.vision_model = VisionModel(config['vision_config'])
        self.text_encoder = TextModel(text)
        self.text_decoder = TextDecoder(text)

    def forward(self, pixels, question_ids, question_mask, answer_ids):
        """pixels [B,3,S,S]; questions [B*K,T], K of an image side by side; -> image embeds, logits [B*K, A, vocabulary]."""
        image = self.vision_model(pixels)
        return image, self.answer(image, question_ids, question_mask, answer_ids)

    def answer(self, image, question_ids, question_mask, answer_ids):
        bias = padding_bias(question_mask)
        states = self.text_encoder(question_ids, bias, image, None, question_ids.shape[0] // image.shape[0])
        return self.text_decoder(answer_ids, states, bias)


def initialise(model):
    for name, p in model.named_parameters():
        if p.dim() >= 2 and 'embedding' not in name.lower():
            nn.init.trunc_normal_(p, std=min(0.02 * 768 / p.shape[-1], 1 / math.sqrt(p.flatten(1).shape[1])))
        elif 'word_embeddings' in name or 'position_embeddings' in name:
            nn.init.normal_(p, std=0.02)
        elif 'patch_embedding.weight' in name:
            nn.init.trunc_normal_(p, std=1 / math.sqrt(p[0].numel()))
        elif name.endswith('bias'):
            nn.init.zeros_(p)
