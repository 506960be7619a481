#!/usr/bin/env python3
"""Writes BASELINE.json for `pawsight cost --baseline`: BLIP base's shape in PyTorch, one question a call, beside ours
(`pawsight bench --random-base`), in turns on this machine. A round is a turn of theirs, one of ours in their precision
with one question (what the engine alone is worth), then one of ours in --precision with one question and with each of
--questions; rates are of the median of the rounds' medians. Both have random weights, the
same threads and one decoder step. Exit codes: 0 measured, 1 ours failed, 2 usage, 3 no PyTorch."""

import argparse
import datetime
import json
import statistics
import subprocess
import sys

import torch_blip  # ends with 3 where there is no PyTorch
from torch_blip import torch

OUR_NAMES = {"bfloat16": "bf16", "float32": "fp32"}


def processor():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as lines:
        return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def their_turn(model, repeat):
    """Milliseconds of a call, median of `repeat`."""
    pixels = torch.randn(1, 3, torch_blip.IMAGE, torch_blip.IMAGE).to(next(model.parameters()).dtype)
    ids = torch.randint(torch_blip.VOCABULARY, (1, 1, torch_blip.TOKENS))
    with torch.inference_mode():
        torch_blip.run_pass(model, pixels, ids)
        return statistics.median(torch_blip.run_pass(model, pixels, ids)["total"] for _ in range(repeat))


def fastest(options):
    """Their model, in the precision that is faster here (a processor without bfloat16 emulates it, slowly)."""
    names = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    model = torch_blip.Blip().eval()
    if options.their_precision == "fastest":
        took = {name: their_turn(model.to(dtype), 1) for name, dtype in names.items()}
        options.their_precision = min(took, key=took.get)
    return model.to(names[options.their_precision]), options.their_precision


def our_turn(options, precision, counts):
    """Milliseconds of a pass by its number of questions."""
    command = [options.pawsight, "bench", "--random-base", "--precision", precision, "--questions",
               ",".join(str(count) for count in counts), "--steps", "1", "--threads", str(torch.get_num_threads()),
               "--repeat", str(options.repeat), "--json"]
    ran = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if ran.returncode != 0:
        sys.exit(1)
    passes = [json.loads(line) for line in ran.stdout.splitlines()]
    return {one["questions"]: one["median_ms"]["total"] for one in passes}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="BASELINE.json")
    parser.add_argument("--pawsight", default="build/release/pawsight", help="our program [%(default)s]")
    parser.add_argument("--precision", default="int8", help="of ours [%(default)s]")
    parser.add_argument("--their-precision", default="fastest", choices=("fastest", "float32", "bfloat16"),
                        help="[%(default)s]")
    parser.add_argument("--questions", default="5", help="of a frame, a list; 1 is always measured [%(default)s]")
    parser.add_argument("--rounds", type=int, default=3, help="[%(default)s]")
    parser.add_argument("--repeat", type=int, default=5, help="passes of a turn [%(default)s]")
    parser.add_argument("--threads", type=int, default=0, help="of both [as PyTorch chooses]")
    options = parser.parse_args()
    try:
        counts = sorted({1, *(int(count) for count in options.questions.split(","))})
    except ValueError:
        parser.error("--questions: want numbers, as 1,5,20")
    if counts[0] < 1 or counts[-1] > 64 or options.rounds < 1 or options.repeat < 1 or options.threads < 0:
        parser.error("--questions: want 1 to 64; --rounds, --repeat: want 1 or more")
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    model, their_precision = fastest(options)
    theirs, same, ours = [], [], {count: [] for count in counts}
    same_precision = OUR_NAMES[their_precision]
    for _ in range(options.rounds):
        theirs.append(their_turn(model, options.repeat))
        same.append(our_turn(options, same_precision, [1])[1])
        for count, milliseconds in our_turn(options, options.precision, counts).items():
            ours[count].append(milliseconds)
    result = {"format": "pawsight-baseline", "format_version": 1,
              "what": f"PyTorch {torch.__version__}, {their_precision}, one question a call",
              "model": "random-base",
              "machine": f"{processor()}, {torch.get_num_threads()} threads",
              "made_at": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
              "calls_per_s": round(1000 / statistics.median(theirs), 4),
              "ours_precision": options.precision,
              "ours": [{"questions": count, "frames_per_s": round(1000 / statistics.median(ours[count]), 4)}
                       for count in counts],
              "ours_same_precision": {"precision": same_precision,
                                      "frames_per_s": round(1000 / statistics.median(same), 4)},
              "rounds_ms": {"theirs": [round(ms, 2) for ms in theirs],
                            "ours_same_precision": [round(ms, 2) for ms in same],
                            "ours": {str(count): [round(ms, 2) for ms in ours[count]] for count in counts}}}
    with open(options.out, "w", encoding="ascii") as out:
        json.dump(result, out, indent=1)
        out.write("\n")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
