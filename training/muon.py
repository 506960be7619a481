"""Muon (Jordan et al. 2024): a matrix's step is its momentum with every singular value brought near one, so that rare directions are
learned as fast as common ones. Sized as Liu et al. 2025 (Moonlight) do, so that AdamW's rates and decay fit."""
import collections
import math

import torch


def orthogonal(g, steps=5):
    """g [N, rows, columns], rows <= columns -> the same singular vectors, singular values within about 0.7 to 1.2: a quintic
    Newton-Schulz iteration in bfloat16."""
    x = g.bfloat16()
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        a = torch.bmm(x, x.transpose(1, 2))
        x = 3.4445 * x + torch.bmm(-4.7750 * a + 2.0315 * torch.bmm(a, a), x)
    return x


class Muon(torch.optim.Optimizer):
    """For matrices that act between hidden states; embeddings, biases and heads are AdamW's. Matrices of one shape go through the
    iteration together; one of three stacked squares (query, key, value) counts as three."""

    def __init__(self, groups, lr, momentum=0.95):
        super().__init__(groups, dict(lr=lr, momentum=momentum, weight_decay=0.0))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = collections.defaultdict(list)
            for p in group['params']:
                if p.grad is None:
                    continue
                state = self.state[p]
                if 'momentum' not in state:
                    state['momentum'] = torch.zeros_like(p)
                state['momentum'].lerp_(p.grad, 1 - group['momentum'])
                ahead = p.grad.lerp(state['momentum'], group['momentum'])
                rows, columns = p.shape
                parts = 3 if rows == 3 * columns else 1
                for part, seen in zip(p.chunk(parts), ahead.chunk(parts)):
                    shapes[(min(part.shape), max(part.shape))].append((part, seen))
            for (_, longest), members in shapes.items():
                flat = torch.stack([s if s.shape[0] <= s.shape[1] else s.T for _, s in members])
                size = 0.2 * math.sqrt(longest) * group['lr']
                for (part, seen), step in zip(members, orthogonal(flat)):
                    part.mul_(1 - group['lr'] * group['weight_decay'])
                    part.add_(step if seen.shape[0] <= seen.shape[1] else step.T, alpha=-size)
