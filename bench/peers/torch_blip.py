#!/usr/bin/env python3
"""Times a bfloat16 pass of BLIP base's shape in PyTorch, from random weights: what `pawsight bench --steps 1` is
measured against. A frame is encoded and its cross-attention keys and values computed once, all questions are read and
answered in one batch, by one decoder step scored for two words. The modules are written here: no other package and no
network is needed. Exit codes: 0 measured, 2 usage, 3 no PyTorch."""

import argparse
import json
import statistics
import sys
import time

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:
    print("torch_blip: PyTorch is not installed: apt-get install python3-torch", file=sys.stderr)
    sys.exit(3)

WIDTH, INNER, HEADS, LAYERS = 768, 3072, 12, 12
IMAGE, PATCH, VOCABULARY, POSITIONS, TOKENS = 384, 16, 30524, 512, 8
STAGES = ("image_encoder", "image_kv", "text_encoder", "decoder")


def heads(x):
    """[B, T, WIDTH] as [B, HEADS, T, WIDTH / HEADS]."""
    return x.unflatten(-1, (HEADS, WIDTH // HEADS)).transpose(1, 2)


def attend(q, k, v):
    """Every q sees every key; keys may be those of one frame for a batch of questions."""
    scores = torch.matmul(q, k.transpose(-1, -2)) * (WIDTH // HEADS) ** -0.5
    return torch.matmul(F.softmax(scores, dim=-1), v).transpose(1, 2).flatten(-2)


class VisionLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.projection = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)

    def forward(self, x):
        q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        x = x + self.projection(attend(heads(q), heads(k), heads(v)))
        return x + self.fc2(F.gelu(self.fc1(self.norm2(x))))


class ImageEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, stride=PATCH)
        self.first = nn.Parameter(torch.randn(1, 1, WIDTH))
        self.positions = nn.Parameter(torch.randn(1, (IMAGE // PATCH) ** 2 + 1, WIDTH))
        self.layers = nn.ModuleList(VisionLayer() for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)

    def forward(self, pixels):
        patches = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat((self.first.expand(len(pixels), -1, -1), patches), dim=1) + self.positions
        for layer in self.layers:
            x = layer(x)
        return self.norm(x)


class TextLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.self_out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.cross_q, self.cross_out = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.cross_kv = nn.Linear(WIDTH, 2 * WIDTH)
        self.fc1, self.fc2 = nn.Linear(WIDTH, INNER), nn.Linear(INNER, WIDTH)
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(WIDTH) for _ in range(3))

    def context(self, states):
        """The keys and values of what is looked at."""
        k, v = self.cross_kv(states).chunk(2, dim=-1)
        return heads(k), heads(v)

    def forward(self, x, context):
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        x = self.norm1(x + self.self_out(attend(heads(q), heads(k), heads(v))))
        x = self.norm2(x + self.cross_out(attend(heads(self.cross_q(x)), *context)))
        return self.norm3(x + self.fc2(F.gelu(self.fc1(x))))


class Text(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(POSITIONS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleList(TextLayer() for _ in range(LAYERS))

    def contexts(self, states):
        return [layer.context(states) for layer in self.layers]

    def forward(self, ids, contexts):
        x = self.norm(self.words(ids) + self.positions(torch.arange(ids.shape[1])))
        for layer, context in zip(self.layers, contexts):
            x = layer(x, context)
        return x


class Blip(nn.Module):
    def __init__(self):
        super().__init__()
        self.vision, self.encoder, self.decoder = ImageEncoder(), Text(), Text()
        self.transform, self.transform_norm = nn.Linear(WIDTH, WIDTH), nn.LayerNorm(WIDTH)

    def score(self, hidden, words):
        x = self.transform_norm(F.gelu(self.transform(hidden)))
        return F.linear(x, self.decoder.words.weight[words])


def run_pass(model, pixels, ids):
    """Milliseconds of each stage. ids [frames, questions, TOKENS]."""
    frames, questions, _ = ids.shape
    marks = [time.perf_counter()]
    embeds = model.vision(pixels)
    marks.append(time.perf_counter())
    contexts = model.encoder.contexts(embeds)
    marks.append(time.perf_counter())
    if frames > 1:  # each question its frame's; one frame's are shared as they are
        contexts = [tuple(part.repeat_interleave(questions, dim=0) for part in pair) for pair in contexts]
    states = model.encoder(ids.flatten(0, 1), contexts)
    marks.append(time.perf_counter())
    start = torch.full((frames * questions, 1), VOCABULARY - 2)
    hidden = model.decoder(start, model.decoder.contexts(states))
    torch.softmax(model.score(hidden[:, 0], [2748, 2053]).float(), dim=-1)
    marks.append(time.perf_counter())
    times = {stage: 1000 * (end - begin) for stage, begin, end in zip(STAGES, marks, marks[1:])}
    times["total"] = 1000 * (marks[-1] - marks[0])
    return times


def quantile(passes, part):
    """Of each stage by itself, interpolated between neighbours as `pawsight bench` does."""
    result = {}
    for stage in (*STAGES, "total"):
        values = sorted(times[stage] for times in passes)
        at = part * (len(values) - 1)
        below = int(at)
        above = min(below + 1, len(values) - 1)
        result[stage] = round(values[below] + (at - below) * (values[above] - values[below]), 3)
    return result


def peak_rss_mb():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


def measure(model, options, questions):
    pixels = torch.randn(options.frames, 3, IMAGE, IMAGE).to(torch.bfloat16)
    ids = torch.randint(VOCABULARY, (options.frames, questions, TOKENS))
    with torch.inference_mode():
        run_pass(model, pixels, ids)
        passes = [run_pass(model, pixels, ids) for _ in range(options.repeat)]
    median = quantile(passes, 0.5)
    return {"precision": "bf16", "threads": torch.get_num_threads(), "teams": 1, "frames": options.frames,
            "questions": questions, "steps": 1, "median_ms": median, "p95_ms": quantile(passes, 0.95),
            "frames_per_s": round(1000 * options.frames / statistics.median(p["total"] for p in passes), 3),
            "gops": None, "peak_share": None, "peak_rss_mb": round(peak_rss_mb(), 3), "bytes_moved": None,
            "kernels": "torch " + torch.__version__}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", default="1,5,20", help="of each frame, a list [1,5,20]")
    parser.add_argument("--frames", type=int, default=1, help="looked at together [1]")
    parser.add_argument("--threads", type=int, default=0, help="[as PyTorch chooses]")
    parser.add_argument("--repeat", type=int, default=10, help="passes of each case [10]")
    parser.add_argument("--json", action="store_true", help="one JSON object a case and line")
    options = parser.parse_args()
    try:
        counts = [int(count) for count in options.questions.split(",")]
    except ValueError:
        parser.error("--questions: want numbers, as 1,5,20")
    if min(counts) < 1 or options.frames < 1 or options.repeat < 1 or options.threads < 0:
        parser.error("--questions, --frames, --repeat: want 1 or more")
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model = Blip().to(torch.bfloat16).eval()
    if not options.json:
        threads = torch.get_num_threads()
        print(f"torch {torch.__version__}, {threads} threads, {options.frames} frames a pass; median ms")
        print("questions", *(f"{stage:>13}" for stage in (*STAGES, "total")), f"{'frames/s':>9}")
    for questions in counts:
        result = measure(model, options, questions)
        if options.json:
            print(json.dumps(result), flush=True)
        else:
            median = result["median_ms"]
            print(f"{questions:9}", *(f"{median[stage]:13.2f}" for stage in (*STAGES, "total")),
                  f"{result['frames_per_s']:9.2f}", flush=True)


if __name__ == "__main__":
    main()
