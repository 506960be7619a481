"""A detector's view of a picture, for the image encoder to imitate while it trains. The detector (YOLOX-nano as ONNX) is read with
python3-onnx and run in PyTorch; only what it sees is used, nothing of it is exported. Needs python3-onnx."""
import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F

CHANNELS = 192  # three levels of 64
GRID = 12       # of the picture's sides


class Teacher:
    def __init__(self, path):
        graph = onnx.load(path).graph
        self.weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
        self.nodes, self.levels, needed = [], [], set()
        for node in graph.node:
            if node.op_type == 'Constant':
                self.weights[node.output[0]] = torch.from_numpy(numpy_helper.to_array(node.attribute[0].t).copy())
            elif node.op_type == 'Conv' and node.input[1].startswith('head.cls_preds'):
                self.levels.append(node.input[0])
        needed.update(self.levels)
        for node in reversed(graph.node):  # only what the levels need
            if any(o in needed for o in node.output) and node.op_type != 'Constant':
                needed.update(node.input)
                self.nodes.append((node.op_type, list(node.input), node.output[0], {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}))
        self.nodes.reverse()

    def run(self, kind, x, a):
        if kind == 'Conv':
            pads = a.get('pads', [0, 0, 0, 0])
            return F.conv2d(x[0], x[1], x[2], a.get('strides', [1, 1]), pads[:2], a.get('dilations', [1, 1]), a.get('group', 1))
        if kind == 'Sigmoid':
            return torch.sigmoid(x[0])
        if kind == 'Mul':
            return x[0] * x[1]
        if kind == 'Add':
            return x[0] + x[1]
        if kind == 'Concat':
            return torch.cat(x, a['axis'])
        if kind == 'MaxPool':
            return F.max_pool2d(x[0], a['kernel_shape'], a.get('strides', [1, 1]), a['pads'][:2])
        if kind == 'Resize':
            return F.interpolate(x[0], scale_factor=2, mode='nearest')
        if kind == 'Slice':
            starts, ends, axes, steps = (v.tolist() for v in x[1:5])
            for axis, start, end, step in zip(axes, starts, ends, steps):
                index = [slice(None)] * x[0].dim()
                index[axis] = slice(start, end if end < 1 << 30 else None, step)
                x[0] = x[0][tuple(index)]
            return x[0]
        raise ValueError(f'teacher: operator {kind} is not known')

    def see(self, images):
        """images: RGB uint8 arrays [H, W, 3] of one size, sides multiples of 32 -> float16 [N, GRID, GRID, CHANNELS]."""
        x = torch.from_numpy(np.stack(images)[..., ::-1].copy()).permute(0, 3, 1, 2).float()
        values = {'images': x}
        with torch.no_grad():
            for kind, inputs, output, attributes in self.nodes:
                got = [values[i] if i in values else self.weights.get(i) for i in inputs]
                values[output] = self.run(kind, got, attributes)
            levels = [F.interpolate(values[l], size=(GRID, GRID), mode='bilinear', align_corners=False) if values[l].shape[2] < GRID
                      else F.adaptive_avg_pool2d(values[l], GRID) for l in self.levels]
        return torch.cat(levels, 1).permute(0, 2, 3, 1).half().numpy()
