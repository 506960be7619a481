// A pass of BLIP base's shape in ONNX Runtime (onnx_blip.py wrote the graphs), in turns with `pawsight bench`, so that
// both see the same machine. ONNX Runtime gets all graph optimisations; how its threads wait is left as it is.
// Usage and JSON: bench/peers/README.md. Exit codes: 0 measured, 1 a result is not finite or ours failed, 2 usage,
// 3 no onnxruntime-node.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";

const WIDTH = 768;
const KEPT = 12 * 2 * WIDTH; // keys and values of a position, all layers
const TOKENS = 8;
const VOCABULARY = 30524;
const STAGES = ["image_encoder", "text_encoder", "decoder", "total"];
const PRECISIONS = ["int8", "fp32"];

function fail(code, message) {
  console.error(`onnx_blip: ${message}`);
  process.exit(code);
}

function load(folder) {
  try {
    const require = createRequire(resolve(folder, "here"));
    return { ort: require("onnxruntime-node"), version: require("onnxruntime-node/package.json").version };
  } catch (error) {
    return fail(3, `no onnxruntime-node in ${folder} (PAWSIGHT_PEERS_MODULES): ${error.message}`);
  }
}

function readOptions() {
  const text = (value) => ({ type: "string", default: value });
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        models: text("build/peers/onnx"), pawsight: text("build/release/pawsight"), questions: text("1,5,20"),
        steps: text("1,5"), threads: text("2"), rounds: text("3"), repeat: text("1000000"), seconds: text("3"),
        json: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    fail(2, error.message);
  }
  const numbers = (name) => {
    const list = values[name].split(",").map(Number);
    const fits = (value) => value > 0 && (name === "seconds" || Number.isInteger(value));
    if (!list.every(fits)) fail(2, `--${name}: want 1 or more`);
    return list;
  };
  const first = (name) => numbers(name)[0];
  return {
    ...values, questions: numbers("questions"), steps: numbers("steps"), threads: first("threads"),
    rounds: first("rounds"), repeat: first("repeat"), seconds: first("seconds"),
  };
}

/** Interpolated between neighbours as `pawsight bench` does. */
function quantile(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = part * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}

const quantiles = (passes, part) => Object.fromEntries(
  STAGES.map((stage) => [stage, Number(quantile(passes.map((pass) => pass[stage]), part).toFixed(3))]));

class Blip {
  constructor(ort, sessions) {
    this.ort = ort;
    this.sessions = sessions;
  }

  static async open(ort, folder, threads) {
    const sessions = {};
    for (const part of ["image", "text", "states", "decoder", "vocabulary", "pair"]) {
      sessions[part] = await ort.InferenceSession.create(join(folder, `${part}.onnx`), {
        executionProviders: ["cpu"], graphOptimizationLevel: "all", intraOpNumThreads: threads, interOpNumThreads: 1,
        // Each graph has threads of its own: those of the one that is done would keep the next one's from the cores.
        extra: { session: { force_spinning_stop: "1" } },
      });
    }
    return new Blip(ort, sessions);
  }

  ids(shape, next) {
    const values = BigInt64Array.from({ length: shape[0] * shape[1] }, (_, i) => BigInt(next(i)));
    return new this.ort.Tensor("int64", values, shape);
  }

  /** Greedy words, or for one step the scores of yes and no. Returns milliseconds of each stage. */
  async pass(pixels, ids, steps) {
    const questions = ids.dims[0];
    const { image, text, states: contexts, decoder, vocabulary, pair } = this.sessions;
    const start = performance.now();
    const { embeds } = await image.run({ pixels });
    const seen = performance.now();
    const { states } = await text.run({ ids, embeds });
    const read = performance.now();
    const { context } = await contexts.run({ states });
    let past = new this.ort.Tensor("float32", new Float32Array(0), [questions, 0, KEPT]);
    let words = new Array(questions).fill(VOCABULARY - 2);
    let logits;
    for (let step = 0; step < steps; step++) {
      const { hidden, present } = await decoder.run({ ids: this.ids([questions, 1], (i) => words[i]), past, context });
      past = present;
      ({ logits } = await (steps === 1 ? pair : vocabulary).run({ hidden }));
      words = best(logits);
    }
    const end = performance.now();
    if (!logits.data.every(Number.isFinite)) fail(1, "a result is not finite");
    return { image_encoder: seen - start, text_encoder: read - seen, decoder: end - read, total: end - start };
  }

  async measure(options, questions, steps) {
    const random = (length) => Float32Array.from({ length }, () => 2 * Math.random() - 1);
    const pixels = new this.ort.Tensor("float32", random(3 * 384 * 384), [1, 3, 384, 384]);
    const ids = this.ids([questions, TOKENS], (i) => (7919 * (i + 1)) % VOCABULARY);
    await this.pass(pixels, ids, steps);
    const passes = [];
    const start = performance.now();
    do passes.push(await this.pass(pixels, ids, steps));
    while (passes.length < options.repeat && performance.now() - start < 1000 * options.seconds);
    return passes;
  }

  async close() {
    for (const session of Object.values(this.sessions)) await session.release();
  }
}

/** The index of the largest in each row of logits [rows, words]. */
function best(logits) {
  const [rows, words] = logits.dims;
  return Array.from({ length: rows }, (_, row) => {
    const scores = logits.data.subarray(row * words, (row + 1) * words);
    let top = 0;
    for (let i = 1; i < words; i++) if (scores[i] > scores[top]) top = i;
    return top;
  });
}

function ours(options, precision, questions, steps) {
  const { threads, repeat, seconds } = options;
  const flags = { precision, questions, steps, threads, repeat, seconds };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  try {
    const line = execFileSync(options.pawsight, ["bench", "--random-base", ...words, "--json"], { encoding: "utf8" });
    return JSON.parse(line);
  } catch (error) {
    return fail(1, `${options.pawsight} bench: ${error.message}`);
  }
}

/** The keys of `pawsight bench --json`; what is not known is null. image_kv is part of text_encoder. */
function theirs(options, version, precision, questions, steps, passes) {
  const median = quantiles(passes, 0.5);
  return {
    precision, threads: options.threads, teams: 1, frames: 1, questions, steps,
    median_ms: { ...median, image_kv: null }, p95_ms: { ...quantiles(passes, 0.95), image_kv: null },
    frames_per_s: Number((1000 / median.total).toFixed(3)), gops: null, peak_share: null, peak_rss_mb: null,
    bytes_moved: null, kernels: `onnxruntime ${version}`,
  };
}

/** Medians of the rounds: [theirs, ours] of each stage, image_kv counted to text_encoder. */
function compare(rounds) {
  const stage = ({ median_ms: ms }, name) => ms[name] + (name === "text_encoder" ? ms.image_kv ?? 0 : 0);
  const median = (side, name) => quantile(rounds.map((round) => stage(round[side], name)), 0.5);
  return STAGES.map((name) => [median(0, name), median(1, name)]);
}

function table(rows, version, options) {
  const { threads, rounds } = options;
  console.log(`onnxruntime ${version}, node ${process.version}, ${threads} threads, medians of ${rounds} rounds, ms;`);
  console.log("each: onnxruntime / ours, and onnxruntime's time over ours (above 1 ours is faster)");
  console.log("precision questions steps " + STAGES.map((stage) => stage.padStart(24)).join(""));
  for (const { precision, questions, steps, pairs } of rows) {
    const cells = pairs.map(([a, b]) => `${a.toFixed(1)} / ${b.toFixed(1)} ${(a / b).toFixed(2)}`.padStart(24));
    const numbers = `${String(questions).padStart(9)} ${String(steps).padStart(5)}`;
    console.log(`${precision.padEnd(9)} ${numbers} ${cells.join("")}`);
  }
}

const options = readOptions();
const { ort, version } = load(process.env.PAWSIGHT_PEERS_MODULES ?? "build/peers");
const rows = [];
for (const precision of PRECISIONS) {
  const blip = await Blip.open(ort, join(options.models, precision), options.threads);
  for (const steps of options.steps) {
    for (const questions of options.questions) {
      const rounds = [];
      for (let round = 0; round < options.rounds; round++) {
        const passes = await blip.measure(options, questions, steps);
        const peer = theirs(options, version, precision, questions, steps, passes);
        rounds.push([peer, ours(options, precision, questions, steps)]);
        if (options.json) for (const result of rounds.at(-1)) console.log(JSON.stringify(result));
      }
      rows.push({ precision, questions, steps, pairs: compare(rounds) });
    }
  }
  await blip.close();
}
if (!options.json) table(rows, version, options);
