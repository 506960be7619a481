#!/usr/bin/env python3
"""Writes BLIP base's shape with random weights as ONNX graphs for onnx_blip.mjs: FOLDER/{fp32,int8}/*.onnx.

  image       pixels [1,3,384,384] -> embeds [1,577,768]
  text        ids [Q,8], embeds -> states [Q,8,768]; the cross-attention's keys and values are made in it, once a frame
  states      states -> context [Q,8,18432]: keys and values of all decoder layers
  decoder     id [Q,1], past [Q,P,18432], context -> hidden [Q,1,768], present [Q,P+1,18432]
  vocabulary  hidden -> logits [Q,30524]
  pair        hidden -> logits [Q,2], of yes and no

int8 is what onnxruntime's quantize_dynamic leads to: signed bytes with a scale a column, activations to bytes with one
scale a tensor, both in one DynamicQuantizeMatMul. Exit codes: 0 written, 2 usage, 3 no python3-onnx."""

import pathlib
import sys

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper
except ImportError:
    print("onnx_blip: ONNX is not installed: apt-get install python3-onnx", file=sys.stderr)
    sys.exit(3)

WIDTH, INNER, HEADS, LAYERS = 768, 3072, 12, 12
IMAGE, PATCH, VOCABULARY, POSITIONS, TOKENS = 384, 16, 30524, 512, 8
SIDE = IMAGE // PATCH
CONTRIB = "com.microsoft"


class Graph:
    """Nodes and weights in order; a method adds an operation and returns its output's name."""

    def __init__(self, int8):
        self.int8, self.nodes, self.weights, self.inputs, self.random = int8, [], [], [], np.random.default_rng(1)

    def input(self, name, shape, kind=TensorProto.FLOAT):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def constant(self, values):
        name = f"w{len(self.weights)}"
        kind = helper.mapping.NP_TYPE_TO_TENSOR_TYPE[values.dtype]
        self.weights.append(helper.make_tensor(name, kind, values.shape, values.tobytes(), raw=True))
        return name

    def floats(self, *shape):
        return self.random.standard_normal(shape, dtype=np.float32) * np.float32(0.02)

    def op(self, kind, *inputs, outputs=1, domain="", **attributes):
        names = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, domain=domain, **attributes))
        return names if outputs > 1 else names[0]

    def reshape(self, x, *shape):
        return self.op("Reshape", x, self.constant(np.array(shape, np.int64)))

    def linear(self, x, k, n):
        weight, bias = self.floats(k, n), self.constant(self.floats(n))
        if not self.int8:
            return self.op("Add", self.op("MatMul", x, self.constant(weight)), bias)
        scale = np.abs(weight).max(axis=0) / np.float32(127)
        weight = np.rint(weight / scale).astype(np.int8)
        packed = [self.constant(part) for part in (weight, scale, np.zeros(n, np.int8))]
        return self.op("DynamicQuantizeMatMul", x, *packed, bias, domain=CONTRIB)

    def norm(self, x):
        gain, bias = self.constant(1 + self.floats(WIDTH)), self.constant(self.floats(WIDTH))
        return self.op("LayerNormalization", x, gain, bias, axis=-1, epsilon=1e-6)

    def split(self, x, parts):
        return self.op("Split", x, outputs=parts, axis=-1)

    def attend(self, q, k, v):
        return self.op("MultiHeadAttention", q, k, v, domain=CONTRIB, num_heads=HEADS)

    def feed(self, x):
        return self.linear(self.op("Gelu", self.linear(x, WIDTH, INNER), domain=CONTRIB), INNER, WIDTH)

    def add(self, x, y):
        return self.op("Add", x, y)

    def embed(self, ids, positions):
        """positions: the name of the positions' numbers."""
        words = self.op("Gather", self.constant(self.floats(VOCABULARY, WIDTH)), ids)
        return self.norm(self.add(words, self.op("Gather", self.constant(self.floats(POSITIONS, WIDTH)), positions)))

    def write(self, path, **outputs):
        """outputs: name=value."""
        for name, value in outputs.items():
            self.nodes.append(helper.make_node("Identity", [value], [name]))
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, path.stem, self.inputs, results, self.weights)
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid(CONTRIB, 1)]
        onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))


def image(graph):
    x = graph.reshape(graph.input("pixels", [1, 3, IMAGE, IMAGE]), 3, SIDE, PATCH, SIDE, PATCH)
    x = graph.reshape(graph.op("Transpose", x, perm=[1, 3, 0, 2, 4]), 1, SIDE * SIDE, 3 * PATCH * PATCH)
    x = graph.linear(x, 3 * PATCH * PATCH, WIDTH)
    x = graph.op("Concat", graph.constant(graph.floats(1, 1, WIDTH)), x, axis=1)
    x = graph.add(x, graph.constant(graph.floats(1, SIDE * SIDE + 1, WIDTH)))
    for _ in range(LAYERS):
        qkv = graph.split(graph.linear(graph.norm(x), WIDTH, 3 * WIDTH), 3)
        x = graph.add(x, graph.linear(graph.attend(*qkv), WIDTH, WIDTH))
        x = graph.add(x, graph.feed(graph.norm(x)))
    return {"embeds": graph.norm(x)}


def text(graph):
    x = graph.embed(graph.input("ids", ["Q", TOKENS], TensorProto.INT64), graph.constant(np.arange(TOKENS)))
    embeds = graph.input("embeds", [1, SIDE * SIDE + 1, WIDTH])
    for _ in range(LAYERS):
        qkv = graph.split(graph.linear(x, WIDTH, 3 * WIDTH), 3)
        x = graph.norm(graph.add(x, graph.linear(graph.attend(*qkv), WIDTH, WIDTH)))
        # All questions see the same frame: their tokens are as good as those of one long question.
        q = graph.reshape(graph.linear(x, WIDTH, WIDTH), 1, -1, WIDTH)
        seen = graph.attend(q, *graph.split(graph.linear(embeds, WIDTH, 2 * WIDTH), 2))
        x = graph.norm(graph.add(x, graph.reshape(graph.linear(seen, WIDTH, WIDTH), -1, TOKENS, WIDTH)))
        x = graph.norm(graph.add(x, graph.feed(x)))
    return {"states": x}


def states(graph):
    return {"context": graph.linear(graph.input("states", ["Q", TOKENS, WIDTH]), WIDTH, LAYERS * 2 * WIDTH)}


def decoder(graph):
    ids = graph.input("ids", ["Q", 1], TensorProto.INT64)
    past = graph.input("past", ["Q", "P", LAYERS * 2 * WIDTH])
    context = graph.split(graph.input("context", ["Q", TOKENS, LAYERS * 2 * WIDTH]), 2 * LAYERS)
    x = graph.embed(ids, graph.op("Shape", past, start=1, end=2))
    before, kept = graph.split(past, 2 * LAYERS), []
    for layer in range(LAYERS):
        q, k, v = graph.split(graph.linear(x, WIDTH, 3 * WIDTH), 3)
        kept += [graph.op("Concat", old, new, axis=1) for old, new in zip(before[2 * layer:], (k, v))]
        x = graph.norm(graph.add(x, graph.linear(graph.attend(q, *kept[-2:]), WIDTH, WIDTH)))
        seen = graph.attend(graph.linear(x, WIDTH, WIDTH), *context[2 * layer:2 * layer + 2])
        x = graph.norm(graph.add(x, graph.linear(seen, WIDTH, WIDTH)))
        x = graph.norm(graph.add(x, graph.feed(x)))
    return {"hidden": x, "present": graph.op("Concat", *kept, axis=-1)}


def head(graph, words):
    x = graph.reshape(graph.input("hidden", ["Q", 1, WIDTH]), -1, WIDTH)
    x = graph.norm(graph.op("Gelu", graph.linear(x, WIDTH, WIDTH), domain=CONTRIB))
    return {"logits": graph.linear(x, WIDTH, words)}


PARTS = {"image": image, "text": text, "states": states, "decoder": decoder,
         "vocabulary": lambda graph: head(graph, VOCABULARY), "pair": lambda graph: head(graph, 2)}


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__, "\n\nusage: onnx_blip.py FOLDER", file=sys.stderr)
        sys.exit(2)
    for precision in ("fp32", "int8"):
        folder = pathlib.Path(sys.argv[1]) / precision
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in PARTS.items():
            graph = Graph(int8=precision == "int8")
            graph.write(folder / f"{name}.onnx", **part(graph))


if __name__ == "__main__":
    main()
