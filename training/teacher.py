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
    """With `scores` it can tell what it would detect, too (`detect`)."""

    def __init__(self, path, scores=False):
        graph = onnx.load(path).graph
        self.weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
        self.nodes, self.levels, self.scores, needed = [], [], [], set()
        for node in graph.node:
            if node.op_type == 'Constant':
                self.weights[node.output[0]] = torch.from_numpy(numpy_helper.to_array(node.attribute[0].t).copy())
            elif node.op_type == 'Conv' and node.input[1].startswith('head.cls_preds'):
                self.levels.append(node.input[0])
            if scores and node.op_type == 'Conv' and node.input[1].startswith(('head.cls_preds', 'head.obj_preds')):
                self.scores.append(node.output[0])
        needed.update(self.levels + self.scores)
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

    def values(self, images):
        """images: RGB uint8 arrays [H, W, 3] of one size, sides multiples of 32 -> what each node that is needed computes."""
        x = torch.from_numpy(np.stack(images)[..., ::-1].copy()).permute(0, 3, 1, 2).float()
        values = {'images': x}
        with torch.no_grad():
            for kind, inputs, output, attributes in self.nodes:
                got = [values[i] if i in values else self.weights.get(i) for i in inputs]
                values[output] = self.run(kind, got, attributes)
        return values

    def detect(self, images):
        """-> the highest score of each of COCO's 80 classes, [N, 80]; no boxes."""
        values = self.values(images)
        pairs = zip(self.scores[::2], self.scores[1::2])  # classes, object or not, by level
        return torch.stack([(values[c].sigmoid() * values[o].sigmoid()).amax((2, 3)) for c, o in pairs]).amax(0).numpy()

    def see(self, images):
        """-> float16 [N, GRID, GRID, CHANNELS]."""
        values = self.values(images)
        with torch.no_grad():
            levels = [F.interpolate(values[l], size=(GRID, GRID), mode='bilinear', align_corners=False) if values[l].shape[2] < GRID
                      else F.adaptive_avg_pool2d(values[l], GRID) for l in self.levels]
        return torch.cat(levels, 1).permute(0, 2, 3, 1).half().numpy()
