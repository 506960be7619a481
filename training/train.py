"""Trains pawsight-mini: python3 train.py --program PATH --model ../models/pawsight-mini --out RUN [--resume] [--config F].

One thread. The renderer runs as a child and feeds drawn rooms. First the image encoder alone learns what is where, from
the truth about every patch; then the whole graph learns to answer, each image encoded once and asked several questions.
The schedule runs by the clock (`look_minutes` and `minutes` of the config): warm-up, constant, a cosine to zero."""
import argparse
import collections
import csv
import json
import math
import os
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import data
import targets
from blip import Blip, initialise
from whiten import whiten
from wordpiece import Tokenizer

MEAN_RGB, STD_RGB = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
MEAN = torch.tensor(MEAN_RGB, dtype=torch.float32)[:, None, None]
STD = torch.tensor(STD_RGB, dtype=torch.float32)[:, None, None]


class Helpers(nn.Module):
    """Heads on the image encoder that learn the truth itself; thrown away at export."""

    def __init__(self, width):
        super().__init__()
        self.frame = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, targets.FRAME_SIZE))
        self.patch = nn.Linear(width, targets.PATCH_SIZE)
        self.patch_weight = torch.ones(targets.PATCH_SIZE)
        self.patch_weight[len(targets.PARTS):] = 2.5  # pets are what the questions are about, and small

    def loss(self, image, frame, patch):
        pooled = torch.cat([image[:, 0], image[:, 1:].mean(1)], -1)
        frame_loss = F.binary_cross_entropy_with_logits(self.frame(pooled).float(), frame)
        patch_loss = F.binary_cross_entropy_with_logits(self.patch(image[:, 1:]).float(), patch, self.patch_weight)
        return 8 * frame_loss + 40 * patch_loss, frame_loss, patch_loss


def make_batch(examples, tokenizer, questions, grid):
    """Examples -> tensors; every image gets exactly `questions` rows, the surplus rows have no answer."""
    pixels = np.stack([e[0] for e in examples]).transpose(0, 3, 1, 2)
    pixels = (torch.from_numpy(np.ascontiguousarray(pixels)).float() / 255 - MEAN) / STD
    asked = [(e[2] + [None] * questions)[:questions] for e in examples]
    flat = [q for row in asked for q in row]
    ids = [tokenizer.question(q['text']) if q else [tokenizer.cls, tokenizer.sep] for q in flat]
    length = max(map(len, ids))
    question_ids = torch.tensor([i + [tokenizer.pad] * (length - len(i)) for i in ids])
    answers = [tokenizer.text(q['answer'])[0] if q else -100 for q in flat]
    answer_in = torch.tensor([[tokenizer.dec, max(a, 0)] for a in answers])
    answer_out = torch.tensor([[a, tokenizer.sep if a >= 0 else -100] for a in answers])
    frame = torch.from_numpy(np.stack([targets.frame_targets(e[1]) for e in examples]))
    patch = torch.from_numpy(np.stack([targets.patch_targets(e[1], grid) for e in examples]))
    return dict(pixels=pixels, ids=question_ids, mask=(question_ids != tokenizer.pad).float(), answer_in=answer_in,
                answer_out=answer_out, frame=frame, patch=patch, asked=flat)


class Run:
    def __init__(self, args, config):
        self.args, self.config = args, config
        torch.manual_seed(config['seed'])
        self.tokenizer = Tokenizer(f'{args.model}/vocab.txt')
        self.model_config = json.load(open(f'{args.model}/config.json'))
        vision = self.model_config['vision_config']
        self.size, self.grid = vision['image_size'], vision['image_size'] // vision['patch_size']
        self.model = Blip(self.model_config)
        initialise(self.model)
        if not args.resume:
            source = data.DrawnRooms(args.program, config['seed'] + 1, self.size, 0, count=300)
            whiten(self.model.vision_model, ((source.next()[0] / 255 - MEAN_RGB) / STD_RGB for _ in range(300)))
            source.close()
        self.helpers = Helpers(vision['hidden_size'])
        parts = {'look': [self.model.vision_model, self.helpers], 'ask': [self.model.text_encoder, self.model.text_decoder]}
        self.params, groups = [], []
        for part, modules in parts.items():
            params = [p for m in modules for p in m.parameters()]
            self.params += params
            groups.append({'params': [p for p in params if p.dim() >= 2], 'weight_decay': config['weight_decay'], 'part': part})
            groups.append({'params': [p for p in params if p.dim() < 2], 'weight_decay': 0.0, 'part': part})
        self.optimizer = torch.optim.AdamW(groups, lr=1e-9, betas=(0.9, 0.98))
        self.ema = {k: v.detach().clone() for k, v in self.model.state_dict().items() if v.dtype.is_floating_point}
        self.step, self.seconds, self.ask_from = 0, 0.0, 0
        os.makedirs(args.out, exist_ok=True)
        if args.resume:
            self.restore()

    def restore(self):
        state = torch.load(f'{self.args.out}/checkpoint.pt')
        self.model.load_state_dict(state['model'])
        self.helpers.load_state_dict(state['helpers'])
        self.optimizer.load_state_dict(state['optimizer'])
        self.ema, self.step, self.seconds, self.ask_from = (state[k] for k in ('ema', 'step', 'seconds', 'ask_from'))
        torch.set_rng_state(state['rng'])

    def save(self):
        path = f'{self.args.out}/checkpoint.pt'
        torch.save(dict(model=self.model.state_dict(), helpers=self.helpers.state_dict(), optimizer=self.optimizer.state_dict(),
                        ema=self.ema, step=self.step, seconds=self.seconds, ask_from=self.ask_from, rng=torch.get_rng_state()), path + '.new')
        os.replace(path + '.new', path)

    def looking(self):
        return self.seconds < 60 * self.config['look_minutes']

    def rate(self, part):
        c = self.config
        if self.looking():
            return c['learning_rate'] * min(1.0, (self.step + 1) / c['warmup_steps']) if part == 'look' else 0.0
        done = min(1.0, (self.seconds / 60 - c['look_minutes']) / (c['minutes'] - c['look_minutes']))
        warm = min(1.0, (self.step - self.ask_from + 1) / c['warmup_steps'])
        peak = c['learning_rate'] * (c['look_again'] if part == 'look' else 1.0)
        return peak * warm * (0.5 * (1 + math.cos(math.pi * done)) + 0.005)

    def train_step(self, batch):
        for group in self.optimizer.param_groups:
            group['lr'] = self.rate(group['part'])
        looking = self.looking()
        with torch.autocast('cpu', dtype=torch.bfloat16):
            if looking:
                self.ask_from = self.step + 1
                image = self.model.vision_model(batch['pixels'])
            else:
                image, logits = self.model(batch['pixels'], batch['ids'], batch['mask'], batch['answer_in'])
            helper_loss, frame_loss, patch_loss = self.helpers.loss(image, batch['frame'], batch['patch'])
        numbers = {'frame': frame_loss.item(), 'patch': patch_loss.item()}
        loss = helper_loss
        if not looking:
            logits, wanted = logits.float(), batch['answer_out']
            answer_loss = F.cross_entropy(logits[:, 0], wanted[:, 0])
            end_loss = F.cross_entropy(logits[:, 1], wanted[:, 1])
            loss = answer_loss + 0.05 * end_loss + self.config['helper_weight'] * helper_loss
            right = (logits[:, 0].argmax(-1) == wanted[:, 0]).float().sum() / (wanted[:, 0] >= 0).sum()
            numbers.update(answer=answer_loss.item(), right=right.item())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([p for p in self.params if p.grad is not None], 1.0)
        self.optimizer.step()
        if self.step % 5 == 0:
            keep = min(self.config['ema'], (1 + self.step) / (10 + self.step)) ** 5
            for name, value in self.model.state_dict().items():
                if name in self.ema:
                    self.ema[name].mul_(keep).add_(value, alpha=1 - keep)
        return numbers

    def validation(self):
        source = data.DrawnRooms(self.args.program, self.config['validation_seed'], self.size, 12,
                                 count=self.config['validation_images'])
        examples = [source.next() for _ in range(self.config['validation_images'])]
        source.close()
        return examples

    def evaluate(self, examples):
        """Accuracy by question family with the averaged weights, greedy first token over the whole vocabulary."""
        current = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict({**current, **self.ema})
        counts = collections.defaultdict(lambda: [0, 0])
        with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
            for i in range(0, len(examples), 50):
                batch = make_batch(examples[i:i + 50], self.tokenizer, 12, self.grid)
                _, logits = self.model(batch['pixels'], batch['ids'], batch['mask'], batch['answer_in'])
                right = logits[:, 0].argmax(-1) == batch['answer_out'][:, 0]
                for question, ok in zip(batch['asked'], right.tolist()):
                    if question:
                        counts[question['family']][0] += ok
                        counts[question['family']][1] += 1
        self.model.load_state_dict(current)
        total = [sum(c[i] for c in counts.values()) for i in range(2)]
        print(f'--- step {self.step} held-out accuracy {100 * total[0] / total[1]:.2f} % of {total[1]}', flush=True)
        print('   '.join(f'{family} {100 * r / n:.0f}' for family, (r, n) in sorted(counts.items(), key=lambda c: c[1][0] / c[1][1])),
              flush=True)
        return total[0] / total[1]

    def loop(self):
        config, last_save, last_test, before = self.config, self.seconds, self.seconds, self.seconds
        held_out = self.validation()
        source = data.DrawnRooms(self.args.program, config['seed'], self.size, config['questions_per_image'],
                                 first=self.step * config['batch_images'])
        batches = data.Batches(source, config['batch_images'],
                               lambda e: make_batch(e, self.tokenizer, config['questions_per_image'], self.grid))
        log = csv.writer(open(f'{self.args.out}/curve.csv', 'a', buffering=1))
        recent = collections.deque(maxlen=50)
        while self.seconds < 60 * config['minutes'] and (self.args.steps is None or self.step < self.args.steps):
            start = time.monotonic()
            recent.append(self.train_step(batches.next()))
            self.seconds += time.monotonic() - start
            self.step += 1
            if self.step % 50 == 0:
                mean = {k: round(float(np.mean([r[k] for r in recent if k in r])), 4) for k in recent[-1]}
                speed = 50 * config['batch_images'] / (self.seconds - before)
                before = self.seconds
                log.writerow([self.step, round(self.seconds), *(mean.get(k, '') for k in ('frame', 'patch', 'answer', 'right'))])
                print(f'step {self.step} {self.seconds:.0f} s {speed:.0f} images/s', mean, flush=True)
            if self.seconds - last_save > 60 * config['checkpoint_minutes']:
                self.save()
                last_save = self.seconds
            if self.seconds - last_test > 60 * config['evaluate_minutes'] and not self.looking():
                self.evaluate(held_out)
                last_test = self.seconds
        self.save()
        self.evaluate(held_out)
        source.close()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser()
    parser.add_argument('--program', nargs='+', required=True, help='the renderer: PATH/pawsight scenes')
    parser.add_argument('--model', default=f'{here}/../models/pawsight-mini', help='folder with config.json and vocab.txt')
    parser.add_argument('--out', required=True, help='folder for checkpoint.pt and curve.csv')
    parser.add_argument('--config', default=f'{here}/config.json')
    parser.add_argument('--resume', action='store_true')
    parser.add_argument('--steps', type=int, help='stop after so many steps')
    args = parser.parse_args()
    torch.set_num_threads(1)
    Run(args, json.load(open(args.config))).loop()


if __name__ == '__main__':
    main()
