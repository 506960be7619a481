"""Trains pawsight-mini: python3 train.py --program PATH scenes --pack PACK --pool POOL --out RUN [--resume] [--config F].

One thread. The renderer runs as a child and feeds drawn rooms, the pool (photo_pool.py) photos and composites. First the image
encoder alone learns what is where, from the truth about every patch and from what a detector sees there; then the whole graph
learns to answer, each image encoded once and asked several questions. The schedule runs by the clock (`look_minutes` and
`minutes` of the config): warm-up, constant, a cosine to zero."""
import argparse
import collections
import csv
import io
import json
import math
import multiprocessing
import os
import time

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

import data
import safetensors
import targets
from blip import Blip, initialise, take
from muon import Muon
from start import begin_from, stretched
from whiten import whiten
from wordpiece import Tokenizer

MEAN_RGB, STD_RGB = np.array([0.48145466, 0.4578275, 0.40821073]), np.array([0.26862954, 0.26130258, 0.27577711])
MEAN = torch.tensor(MEAN_RGB, dtype=torch.float32)[:, None, None]
STD = torch.tensor(STD_RGB, dtype=torch.float32)[:, None, None]


def masked_loss(logits, truth, weight=None):
    """truth [B, 2, ...]: values and masks -> the mean over what is known."""
    values, known = truth[:, 0].float(), truth[:, 1].float()
    if weight is not None:
        known = known * weight
    loss = F.binary_cross_entropy_with_logits(logits.float(), values, reduction='none')
    return (loss * known).sum() / known.sum().clamp(min=1)


class Helpers(nn.Module):
    """Heads on the image encoder that learn the truth itself and what the teacher sees; thrown away at export."""

    def __init__(self, width, channels):
        super().__init__()
        self.frame = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Linear(width, targets.FRAME_SIZE))
        self.patch = nn.Linear(width, targets.PATCH_SIZE)
        self.teacher = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, channels))
        self.patch_weight = torch.ones(targets.PATCH_SIZE)
        self.patch_weight[len(targets.PARTS):] = 2.0  # pets are what the questions are about, and small
        for base in (len(targets.PARTS), len(targets.PARTS) + targets.PET_SIZE):
            self.patch_weight[base] = 5.0

    def loss(self, image, batch, kept):
        if kept is not None:
            known = batch['patch'].shape[:2] + kept.shape[1:]
            patch = torch.gather(batch['patch'], 2, kept[:, None, :, None].expand(*known, batch['patch'].shape[3]))
            batch = dict(batch, patch=patch, teacher=take(batch['teacher'], kept), taught=torch.gather(batch['taught'], 1, kept))
        pooled = torch.cat([image[:, 0], image[:, 1:].mean(1)], -1)
        frame = masked_loss(self.frame(pooled), batch['frame'])
        patch = masked_loss(self.patch(image[:, 1:]), batch['patch'], self.patch_weight)
        taught = batch['taught'].bool()  # [B, patches]
        seen = F.smooth_l1_loss(self.teacher(image[:, 1:][taught]).float(), batch['teacher'][taught].float()) if taught.any() else 0 * frame
        return 8 * frame + 30 * patch + 6 * seen, {'frame': frame.item(), 'patch': patch.item(), 'teacher': seen.item()}


def tensors(batch):
    out = {k: torch.from_numpy(v) for k, v in batch.items() if isinstance(v, np.ndarray)}
    out['pixels'] = (out['pixels'].permute(0, 3, 1, 2).float() / 255 - MEAN) / STD
    out['asked'] = batch['asked']
    out['asked_images'] = batch['asked_images']
    return out


class Learner:
    """The model, its helper heads and the loss of a batch: what the run and each process beside it have."""

    def __init__(self, model_config, channels):
        self.model = Blip(model_config)
        self.helpers = Helpers(model_config['vision_config']['hidden_size'], channels)

    def params(self):
        return [*self.model.parameters(), *self.helpers.parameters()]

    def backward(self, batch, looking, helper_weight, keep=1.0):
        """Adds the gradients of a batch of whose patches the share `keep` is looked at; -> numbers to report."""
        images, patches = len(batch['pixels']), batch['patch'].shape[2]
        kept = torch.rand(images, patches).topk(round(keep * patches), 1).indices if keep < 1 else None
        with torch.autocast('cpu', dtype=torch.bfloat16):
            image = self.model.vision_model(batch['pixels'], kept)
            if not looking:
                logits = self.model.answer(image[:batch['asked_images']], batch['ids'], batch['mask'], batch['answer_in'])
            loss, numbers = self.helpers.loss(image, batch, kept)
        if not looking:
            logits, wanted = logits.float(), batch['answer_out']
            answer = F.cross_entropy(logits[:, 0], wanted[:, 0])
            rest = F.cross_entropy(logits[:, 1:].flatten(0, 1), wanted[:, 1:].flatten())
            loss = answer + 0.1 * rest + helper_weight * loss
            right = (logits[:, 0].argmax(-1) == wanted[:, 0]).float().sum() / (wanted[:, 0] >= 0).sum()
            numbers.update(answer=answer.item(), right=right.item())
        loss.backward()
        return numbers


class Beside:
    """A second process that computes gradients of its own batches with the time that other work on the machine leaves, at the lowest
    priority. The run adds them to its own whenever some are ready, so it never waits; they are a step or two old. A run with it
    does not repeat bit for bit."""

    def __init__(self, learner, open_batches, helper_weight):
        for p in learner.params():
            p.data.share_memory_()
        self.gradient = torch.zeros(sum(p.numel() for p in learner.params())).share_memory_()
        context = multiprocessing.get_context('fork')
        self.ready, self.looking, self.keep, self.taken = context.Value('i', 0), context.Value('i', 1), context.Value('d', 1), 0
        self.child = context.Process(target=self.run, args=(learner, open_batches, helper_weight), daemon=False)
        self.child.start()

    def run(self, learner, open_batches, helper_weight):
        os.setsid()
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, range(os.cpu_count()))
        os.nice(19)
        if os.path.exists('/proc/self/autogroup'):
            open('/proc/self/autogroup', 'w').write('19')
        batches, parent = open_batches(), os.getppid()
        while os.getppid() == parent:
            for p in learner.params():
                p.grad = None
            learner.backward(tensors(batches.next()), bool(self.looking.value), helper_weight, self.keep.value)
            while self.ready.value and os.getppid() == parent:
                time.sleep(0.002)
            at = 0
            for p in learner.params():
                self.gradient[at:at + p.numel()] = 0 if p.grad is None else p.grad.flatten()
                at += p.numel()
            self.ready.value = 1
        os._exit(0)

    def merge(self, learner, looking, keep):
        self.looking.value, self.keep.value = int(looking), keep
        if not self.ready.value:
            return
        at = 0
        for p in learner.params():
            if p.grad is not None:
                p.grad.add_(self.gradient[at:at + p.numel()].view_as(p)).mul_(0.5)
            at += p.numel()
        self.taken += 1
        self.ready.value = 0


class Run:
    def __init__(self, args, config):
        self.args, self.config = args, config
        torch.manual_seed(config['seed'])
        self.tokenizer = Tokenizer(f'{args.model}/vocab.txt')
        self.model_config = json.load(open(f'{args.model}/config.json'))
        vision = self.model_config['vision_config']
        self.size, self.grid = vision['image_size'], vision['image_size'] // vision['patch_size']
        self.learner = Learner(self.model_config, np.load(f'{args.pool}/teacher.npy', mmap_mode='r').shape[-1])
        self.model, self.helpers = self.learner.model, self.learner.helpers
        initialise(self.model)
        if args.start and not args.resume:
            begin_from(self.model, args.start, self.tokenizer.pieces)
            self.begin_heads(args.heads)
        elif not args.resume:
            source = data.DrawnRooms(args.program, config['seed'] + 1, self.size, 0, count=300)
            whiten(self.model.vision_model, ((source.next()['pixels'] / 255 - MEAN_RGB) / STD_RGB for _ in range(300)))
            source.close()
        self.params, self.optimizers = self.learner.params(), self.make_optimizers()
        if args.go_on and not args.resume:
            self.go_on(args.go_on)
        self.ema = {k: v.detach().clone() for k, v in self.model.state_dict().items() if v.dtype.is_floating_point}
        self.step, self.seconds, self.ask_from = 0, 0.0, 0
        os.makedirs(args.out, exist_ok=True)
        if args.resume:
            state = self.restore(f'{args.out}/checkpoint.pt')
            self.ema, self.step, self.seconds, self.ask_from = (state[k] for k in ('ema', 'step', 'seconds', 'ask_from'))
            torch.set_rng_state(state['rng'])

    def make_optimizers(self):
        """Muon for the matrices inside the layers, AdamW for the rest, each in a part that looks and one that asks."""
        parts = {'look': [self.model.vision_model, self.helpers], 'ask': [self.model.text_encoder, self.model.text_decoder]}
        inside, rest = [], []
        for part, modules in parts.items():
            named = [(n, p) for m in modules for n, p in m.named_parameters()]
            layers = [p for n, p in named if 'encoder.layer' in n and p.dim() == 2]
            taken = {id(p) for p in layers}
            others = [p for _, p in named if id(p) not in taken]
            inside.append({'params': layers, 'weight_decay': self.config['weight_decay'], 'part': part})
            rest.append({'params': [p for p in others if p.dim() >= 2], 'weight_decay': self.config['weight_decay'], 'part': part})
            rest.append({'params': [p for p in others if p.dim() < 2], 'weight_decay': 0.0, 'part': part})
        return [Muon(inside, lr=1e-9), torch.optim.AdamW(rest, lr=1e-9, betas=(0.9, 0.98))]

    def begin_heads(self, path):
        """The heads that were exported with the weights, where their sizes are those of today."""
        weights = {k: v.float() for k, v in safetensors.load(path).items()}
        if {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in self.helpers.state_dict().items()}:
            self.helpers.load_state_dict(weights)
        else:
            print(f'{path} has heads of other sizes; they begin from nothing', flush=True)

    def go_on(self, path):
        """Averaged weights and helper heads of a checkpoint; positions are stretched where the picture has another size."""
        state = torch.load(path)
        place = 'vision_model.embeddings.position_embedding'
        state['ema'][place] = stretched(state['ema'][place], self.grid ** 2 + 1)
        self.model.load_state_dict({**state['model'], **state['ema']})
        self.helpers.load_state_dict(state['helpers'])

    def restore(self, path):
        state = torch.load(path)
        self.model.load_state_dict(state['model'])
        self.helpers.load_state_dict(state['helpers'])
        for optimizer, saved in zip(self.optimizers, state['optimizers']):
            optimizer.load_state_dict(saved)
        return state

    def save(self):
        path = f'{self.args.out}/checkpoint.pt'
        torch.save(dict(model=self.model.state_dict(), helpers=self.helpers.state_dict(), optimizers=[o.state_dict() for o in self.optimizers],
                        ema=self.ema, step=self.step, seconds=self.seconds, ask_from=self.ask_from, rng=torch.get_rng_state()), path + '.new')
        os.replace(path + '.new', path)

    def looking(self):
        return self.seconds < 60 * self.config['look_minutes']

    def minutes(self):
        """Minutes of steps when the run ends: the config's or, with --until, what the clock on the wall leaves."""
        if self.args.until is None:
            return self.config['minutes']
        hours, minutes = map(int, self.args.until.split(':'))
        now = time.localtime()
        left = (60 * hours + minutes - 60 * now.tm_hour - now.tm_min - now.tm_sec / 60) % 1440
        return self.seconds / 60 + (left if left < 1200 else 0)

    def rate(self, part):
        c = self.config
        if self.looking():
            return c['learning_rate'] * min(1.0, (self.step + 1) / c['warmup_steps']) if part == 'look' else 0.0
        done = min(1.0, (self.seconds / 60 - c['look_minutes']) / max(1e-6, self.minutes() - c['look_minutes']))
        warm = min(1.0, (self.step - self.ask_from + 1) / c['warmup_steps'])
        peak = c['learning_rate'] * (c['look_again'] if part == 'look' else 1.0)
        return peak * warm * (0.5 * (1 + math.cos(math.pi * done)) + 0.005)

    def keep(self):
        """The share of patches that is looked at: fewer at first, which is faster, and all for the last part of the run."""
        return self.config['keep_patches'] if self.seconds / 60 < self.config['keep_until'] * self.minutes() else 1.0

    def train_step(self, batch, beside):
        for group in (g for o in self.optimizers for g in o.param_groups):
            group['lr'] = self.rate(group['part'])
        looking = self.looking()
        if looking:
            self.ask_from = self.step + 1
        for p in self.params:
            p.grad = None
        numbers = self.learner.backward(batch, looking, self.config['helper_weight'], self.keep())
        if beside:
            beside.merge(self.learner, looking, self.keep())
        nn.utils.clip_grad_norm_([p for p in self.params if p.grad is not None], 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
        if self.step % 5 == 0:
            keep = min(self.config['ema'], (1 + self.step) / (10 + self.step)) ** 5
            for name, value in self.model.state_dict().items():
                if name in self.ema:
                    self.ema[name].mul_(keep).add_(value, alpha=1 - keep)
        return numbers

    def drawn_validation(self):
        source = data.DrawnRooms(self.args.program, self.config['validation_seed'], self.size, 12, count=self.config['validation_images'])
        examples = [source.next() for _ in range(self.config['validation_images'])]
        source.close()
        return [(e['pixels'], [('drawn', *p) for p in e['pairs']]) for e in examples]

    def pack_validation(self):
        stored, out = open(f'{self.args.pack}/val.bin', 'rb').read(), []
        for line in open(f'{self.args.pack}/val.jsonl'):
            row = json.loads(line)
            image = Image.open(io.BytesIO(stored[row['at'][0]:sum(row['at'])])).convert('RGB').resize((self.size, self.size), Image.BICUBIC)
            family = lambda q, a: f'{row["kind"]}:{"yes/no" if a in ("yes", "no") else "count" if a.isdigit() else "words"}'
            out.append((np.asarray(image), [('pack', q, a, family(q, a)) for q, a in row['qa']]))
        return out

    def evaluate(self, examples):
        """Accuracy by set and family with the averaged weights: every word of the answer, over the whole vocabulary."""
        current = {k: v.clone() for k, v in self.model.state_dict().items()}
        self.model.load_state_dict({**current, **self.ema})
        counts = collections.defaultdict(lambda: [0, 0])
        with torch.no_grad(), torch.autocast('cpu', dtype=torch.bfloat16):
            for i in range(0, len(examples), 50):
                part = examples[i:i + 50]
                blank = dict(frame=np.zeros((2, 1)), patch=np.zeros((2, 1, 1)), teacher=None)
                batch = tensors(data.make_batch([dict(pixels=x, pairs=[p[1:] for p in pairs], **blank) for x, pairs in part],
                                                self.tokenizer, 12))
                _, logits = self.model(batch['pixels'], batch['ids'], batch['mask'], batch['answer_in'])
                wanted = batch['answer_out']
                right = ((logits.argmax(-1) == wanted) | (wanted < 0)).all(-1).view(len(part), 12)
                for row, (_, pairs) in zip(right.tolist(), part):
                    for ok, (name, _, _, family) in zip(row, pairs):
                        for key in ((name, ''), (name, family)):
                            counts[key][0] += ok
                            counts[key][1] += 1
        self.model.load_state_dict(current)
        share = {key: 100 * r / n for key, (r, n) in counts.items()}
        for name in ('drawn', 'pack'):
            worst = sorted((v, family) for (n, family), v in share.items() if n == name and family)[:14]
            print(f'--- step {self.step} held-out {name}: {share[name, ""]:.2f} % right; ' + '  '.join(f'{f} {v:.0f}' for v, f in worst), flush=True)
        return {name: round(share[name, ''], 2) for name in ('drawn', 'pack')}

    def open_batches(self, stream):
        """`stream` tells the run's own batches from those of the process beside it, and those of one part of a resumed run from
        the next."""
        c, args = self.config, self.args
        seed = c['seed'] + 1000003 * stream + 7919 * self.step

        def open_source():
            os.sched_setaffinity(0, range(os.cpu_count()))  # the run itself may be bound to one core
            asked = 2 * c['questions_per_image']  # each picture comes twice
            drawn = data.DrawnRooms(args.program, seed, self.size, asked)
            photos = data.Photos(args.pool, args.pack, seed, self.size, asked, c['shares'])
            return data.Mixed(drawn, photos, c['drawn_share'], seed, c['unknown_share'], c['misspelt_share'])
        return data.Batches(open_source, c['batch_images'], self.tokenizer, c['questions_per_image'], c['asked_images'])

    def loop(self):
        config, last_save, last_test, before = self.config, self.seconds, self.seconds, self.seconds
        held_out = self.drawn_validation() + self.pack_validation()
        batches = self.open_batches(0)
        beside = Beside(self.learner, lambda: self.open_batches(1), config['helper_weight']) if self.args.beside else None
        log = csv.writer(open(f'{self.args.out}/curve.csv', 'a', buffering=1))
        recent, taken = collections.deque(maxlen=50), 0
        columns = ('frame', 'patch', 'teacher', 'answer', 'right')
        while self.seconds < 60 * self.minutes() and (self.args.steps is None or self.step < self.args.steps):
            start = time.monotonic()
            recent.append(self.train_step(tensors(batches.next()), beside))
            self.seconds += time.monotonic() - start
            self.step += 1
            if self.step % 50 == 0:
                more, taken = (beside.taken - taken, beside.taken) if beside else (0, 0)
                mean = {k: round(float(np.mean([r[k] for r in recent if k in r])), 4) for k in recent[-1]}
                speed = (50 + more) * config['batch_images'] / (self.seconds - before)
                before = self.seconds
                log.writerow([self.step, round(self.seconds), *(mean.get(k, '') for k in columns), '', ''])
                print(f'step {self.step} {self.seconds:.0f} s {speed:.0f} images/s', mean, flush=True)
            if self.seconds - last_save > 60 * config['checkpoint_minutes']:
                self.save()
                last_save = self.seconds
            if self.seconds - last_test > 60 * config['evaluate_minutes'] and not self.looking():
                self.log_score(log, self.evaluate(held_out), columns)
                last_test = self.seconds
        self.save()
        self.log_score(log, self.evaluate(held_out), columns)
        if beside:
            beside.child.terminate()
        batches.child.terminate()

    def log_score(self, log, score, columns):
        log.writerow([self.step, round(self.seconds), *('' for _ in columns), score['drawn'], score['pack']])


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser()
    parser.add_argument('--program', nargs='+', required=True, help='the renderer: PATH/pawsight scenes')
    parser.add_argument('--pack', required=True, help='the training pack of photos')
    parser.add_argument('--pool', required=True, help='what photo_pool.py made of it')
    parser.add_argument('--model', default=f'{here}/../models/pawsight-mini', help='folder with config.json and vocab.txt')
    parser.add_argument('--start', help='a model folder whose weights to begin with')
    parser.add_argument('--heads', default=f'{here}/heads.safetensors', help='helper heads to begin with beside --start')
    parser.add_argument('--go-on', help='a checkpoint of the same sizes whose weights, helpers and optimizer to begin with; the clock begins anew')
    parser.add_argument('--until', help='HH:MM, local time, at which to be done instead of after the config\'s minutes')
    parser.add_argument('--out', required=True, help='folder for checkpoint.pt and curve.csv')
    parser.add_argument('--config', default=f'{here}/config.json')
    parser.add_argument('--resume', action='store_true')
    parser.add_argument('--beside', action='store_true', help='a second process uses the cores that are idle')
    parser.add_argument('--steps', type=int, help='stop after so many steps')
    args = parser.parse_args()
    torch.set_num_threads(1)
    Run(args, json.load(open(args.config))).loop()


if __name__ == '__main__':
    main()
