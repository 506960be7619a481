"""Makes the checkpoints of this folder: run it there with Debian 12's python3-torch (1.13.1)."""

import collections

import torch

shared = torch.arange(10, dtype=torch.float32)
tensors = collections.OrderedDict()
tensors["a.weight"] = torch.tensor([[1.5, -2.0, 3.25], [4.0, 0.5, -0.125]])
tensors["b.half"] = torch.tensor([1.0, 2.0, -0.5], dtype=torch.float16)
tensors["c.bf16"] = torch.tensor([1.0, 2.0, -0.5], dtype=torch.bfloat16)
tensors["d.double"] = torch.tensor([3.141592653589793], dtype=torch.float64)
tensors["e.position_ids"] = torch.arange(4).reshape(1, 4)
tensors["f.shared_head"] = shared[:4]
tensors["f.shared_tail"] = shared[4:10].reshape(2, 3)
tensors["g.scalar"] = torch.tensor(7.0)
tensors["h.parameter"] = torch.nn.Parameter(torch.tensor([9.0]))
tensors["i.bool"] = torch.tensor([True, False])
tensors["j.empty"] = torch.zeros(0, 3)

torch.save(tensors, "all_types_zip.bin")
torch.save(tensors, "all_types_older.bin", _use_new_zipfile_serialization=False)
torch.save(tensors, "all_types_protocol4.bin", pickle_protocol=4)

layer = torch.nn.Linear(2, 2)  # its state_dict carries _metadata, which BUILD sets
with torch.no_grad():
    layer.weight.copy_(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    layer.bias.copy_(torch.tensor([5.0, 6.0]))
torch.save(layer.state_dict(), "state_dict_zip.bin")
torch.save(layer.state_dict(), "state_dict_older.bin", _use_new_zipfile_serialization=False)

torch.save({"t": shared.reshape(2, 5).t()}, "transposed.bin")
torch.save(layer, "whole_module_zip.bin")
torch.save({"model": layer.state_dict(), "epoch": 3}, "nested.bin")
