// apps/bench.cc: `pawsight bench`: what a frame, its questions and their answers cost here, stage by stage, in each
// precision, against what the same kernels can do at best.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <thread>

#include "apps/artifact_cache.h"
#include "apps/bench_pass.h"
#include "apps/measure_peak.h"
#include "apps/commands.h"
#include "apps/interrupt.h"
#include "apps/open_model.h"
#include "apps/random_base.h"
#include "base/files.h"
#include "base/json.h"
#include "engine/precision.h"
#include "engine/vqa.h"
#include "targets/cpu/cpu_target.h"
#include "tools/server_view.h"

namespace pawsight {
namespace {

constexpr int kTokens = 8;  // of a question: "is there a dog on the couch?" and its two marks, about

constexpr const char* kFooter = R"(Examples:
  pawsight bench                                              the model that ships
  pawsight bench --random-base --precision bf16,int8          BLIP base's size, anywhere (0.7 GB in ~/.cache once)
  pawsight bench --random-base --questions 5 --steps 1 --teams 2 --threads 1 --seconds 20
  pawsight bench --model DIR --questions 1,5,20 --steps 1,5 --json

One case for each precision, number of steps and number of questions: a pass to warm up, then passes for --seconds.
JSON, one object a case and line: precision, threads (of a team), teams, frames (looked at together), questions (of
each frame, 8 tokens each), steps (1: yes/no, two words scored; more: so many words written, all of the vocabulary
scored), median_ms and p95_ms {image_encoder, image_kv, text_encoder, decoder, total}, frames_per_s, gops (billions of
operations a second of all teams, a multiply-add counted as two), peak_share (gops against the measured peak of the
kernel in the first-level cache, times the threads that have a core), peak_rss_mb (most memory while the case ran),
bytes_moved (weights read in a pass), kernels (the table in use).
Ctrl-C keeps what was measured and ends with 130.)";

struct BenchCommand {
  std::string model;
  std::string artifacts;
  bool random_base = false;
  std::vector<std::string> precisions = {"fp32", "bf16", "int8"};
  std::vector<int> questions = {1, 5, 20};
  std::vector<int> steps = {1, 5};
  int frames = 1;
  int threads = 0;
  int teams = 1;
  std::string kernels;
  int repeat = 0;
  double seconds = 0;  // 0: 3, or without limit when `repeat` says when to stop
  bool json = false;
};

/// A target and what its weights take.
struct BenchModel {
  std::unique_ptr<engine::Target> target;
  std::string precision;
  std::array<double, 3> bytes_a_weight{};  // by engine::Component
};

/// Opens the model in one of the precisions asked for; artifacts have their own. `dir` is the model directory, kernels
/// the table's name.
Result<BenchModel> OpenForBench(const BenchCommand& command, const std::string& dir, const std::string& precision,
                                const std::string& kernels) {
  targets::CpuOptions options{.threads = command.threads, .teams = command.teams, .kernels = kernels};
  BenchModel model;
  std::string artifacts = command.artifacts;
  if (artifacts.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(artifacts, CachedArtifacts(dir, *engine::ParsePrecision(precision), options));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(model.target, targets::OpenCpuArtifacts(artifacts, options));
  for (const engine::Component component : engine::kComponents) {
    const auto artifact = engine::Artifact::Open(targets::ArtifactPath(artifacts, component));
    if (!artifact.ok()) return artifact.status();
    if (component == engine::Component::kImageEncoder)
      model.precision = engine::PrecisionName(artifact->info().precision);
    double bytes = 0;
    double weights = 0;
    for (const auto& [name, size] : artifact->bytes_by_precision()) {
      const auto parsed = engine::ParsePrecision(name).value_or(engine::Precision::kFp32);
      const bool narrow = parsed != engine::Precision::kFp32;
      bytes += static_cast<double>(size);
      weights += static_cast<double>(size) / (narrow ? kernels::NarrowBytes(parsed) : sizeof(float));
    }
    if (weights > 0) model.bytes_a_weight[static_cast<size_t>(component)] = bytes / weights;
  }
  return model;
}

/// One line on a terminal's standard error that is written over; elsewhere nothing.
class Progress {
 public:
  explicit Progress(int cases) : cases_(cases), shown_(isatty(STDERR_FILENO) != 0) {}

  /// `part` of case number `done`, whose name is `what`; 0 when it begins. The time left is as if all cases took alike.
  void Show(int done, double part, const std::string& what) {
    if (!shown_) return;
    const auto now = std::chrono::steady_clock::now();
    if (done + part == 0) start_ = now;
    std::fprintf(stderr, "\r\033[Kcase %d of %d, %s", done + 1, cases_, what.c_str());
    if (done + part == 0) return;
    const double a_case = std::chrono::duration<double>(now - start_).count() / (done + part);
    std::fprintf(stderr, ", %.0f s left", a_case * (cases_ - done - part));
  }
  void Say(const char* what, double part) const {
    if (shown_) std::fprintf(stderr, "\r\033[K%s, %.0f %%", what, 100 * part);
  }
  void Clear() const {
    if (shown_) std::fprintf(stderr, "\r\033[K");
  }

 private:
  const int cases_;
  const bool shown_;
  std::chrono::steady_clock::time_point start_;  // of the first case's measuring
};

/// The random model's directory under the user's cache, written when it is not there.
Result<std::string> RandomBase(const Progress& progress, const std::stop_token& stop) {
  Result<std::string> dir = RandomBaseModel([&](double part) {
    progress.Say("writing a model of random weights", part);
    return !stop.stop_requested();
  });
  progress.Clear();
  if (!dir.ok()) return Annotate(dir.status(), "--random-base");
  return dir;
}

/// The number after `key` in /proc/self/status, 0 when it is not there.
double ReadProcStatus(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::atof(line.c_str() + key.size());
  }
  return 0;
}

/// From here on the most memory counts anew. Where the system does not let us, it is the process's since its start.
void ForgetPeakMemory() { std::ofstream("/proc/self/clear_refs") << "5"; }

struct Case {
  std::string precision;
  engine::PassShape shape;
  PassTimes median;
  PassTimes p95;
  double frames_per_s = 0;
  double gops = 0;
  double peak_share = 0;
  double peak_rss_mb = 0;
  double bytes_moved = 0;
};

/// To a thousandth: a microsecond of a time.
Json Rounded(double value) { return std::round(value * 1000) / 1000; }

Json ToJson(const PassTimes& ms) {
  return Json::Object{{"image_encoder", Rounded(ms.image_encoder)},
                      {"image_kv", Rounded(ms.image_kv)},
                      {"text_encoder", Rounded(ms.text_encoder)},
                      {"decoder", Rounded(ms.decoder)},
                      {"total", Rounded(ms.total)}};
}

/// The cases of one run, measured and shown one after another.
class Bench {
 public:
  Bench(const BenchCommand& command, const kernels::Kernels& kernels)
      : command_(command),
        kernels_(kernels),
        cores_(std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
        progress_(static_cast<int>(command.precisions.size() * command.questions.size() * command.steps.size())) {
    if (command_.threads == 0) command_.threads = std::max(1, cores_ / command_.teams);
    if (command_.seconds == 0) command_.seconds = command_.repeat > 0 ? std::numeric_limits<double>::infinity() : 3;
  }

  Status Run(const std::stop_token& stop);

 private:
  Status RunModel(const BenchModel& model, const std::stop_token& stop);
  void PrintHeading() const;
  void Print(const Case& result) const;

  BenchCommand command_;
  const kernels::Kernels& kernels_;
  const int cores_;
  Progress progress_;
  int done_ = 0;  // cases
};

Status Bench::Run(const std::stop_token& stop) {
  std::string dir = command_.model;
  if (command_.random_base) {
    PAWSIGHT_ASSIGN_OR_RETURN(dir, RandomBase(progress_, stop));
  } else if (dir.empty() && command_.artifacts.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(dir, DefaultModelDir());
  }
  for (const std::string& precision : command_.precisions) {
    if (stop.stop_requested()) break;
    PAWSIGHT_ASSIGN_OR_RETURN(const BenchModel model,
                              OpenForBench(command_, dir, precision, std::string(kernels_.name)));
    PAWSIGHT_RETURN_IF_ERROR(RunModel(model, stop));
  }
  return Ok();
}

Status Bench::RunModel(const BenchModel& model, const std::stop_token& stop) {
  const engine::BlipConfig& config = model.target->config();
  if (!model.target->Has(engine::Head::kVqa)) return FailedPrecondition("--model: not a question-answering model");
  if (std::ranges::max(command_.steps) > config.text.max_positions) {
    return InvalidArgument("--steps: this model writes at most " + std::to_string(config.text.max_positions));
  }
  const double peak = MeasurePeak(kernels_, *engine::ParsePrecision(model.precision)) *
                      std::min(cores_, command_.threads * command_.teams);
  if (done_ == 0 && !command_.json) PrintHeading();
  for (const int steps : command_.steps) {
    for (const int questions : command_.questions) {
      Case result{.precision = model.precision,
                  .shape = {.frames = command_.frames,
                            .questions = questions,
                            .tokens = std::min(kTokens, config.text.max_positions),
                            .steps = steps,
                            .whole_vocabulary = steps > 1}};
      const std::string what =
          model.precision + ", questions " + std::to_string(questions) + ", steps " + std::to_string(steps);
      progress_.Show(done_, 0, what);
      ForgetPeakMemory();
      PAWSIGHT_ASSIGN_OR_RETURN(
          const Measured measured,
          MeasurePasses(*model.target, result.shape, {command_.teams, command_.repeat, command_.seconds}, stop,
                        [&](double part) { progress_.Show(done_, part, what); }));
      progress_.Clear();
      if (measured.passes.empty()) return Ok();  // interrupted
      result.median = Quantile(measured.passes, 0.5);
      result.p95 = Quantile(measured.passes, 0.95);
      result.frames_per_s = measured.frames_per_s;
      const double work = engine::WorkOfPass(config, result.shape).total() / command_.frames;
      result.gops = work * measured.frames_per_s / 1e9;
      result.peak_share = work * measured.frames_per_s / peak;
      result.peak_rss_mb = ReadProcStatus("VmHWM:") / 1024;
      const engine::PassWeights read = engine::WeightsOfPass(config, result.shape);
      const auto& bytes = model.bytes_a_weight;
      result.bytes_moved = static_cast<double>(read.image_encoder) * bytes[0] +
                           static_cast<double>(read.text_encoder) * bytes[1] +
                           static_cast<double>(read.text_decoder) * bytes[2];
      Print(result);
      ++done_;
      if (stop.stop_requested()) return Ok();
    }
  }
  return Ok();
}

void Bench::PrintHeading() const {
  std::printf("%s, %d cores; kernels %s, %d x %d threads, %d frames a pass; median ms\n\n",
              tools::ProcessorName().c_str(), cores_, std::string(kernels_.name).c_str(), command_.teams,
              command_.threads, command_.frames);
  std::printf("%-9s %9s %5s %9s %9s %9s %9s %9s %9s %9s %8s %8s %9s %8s\n", "precision", "questions", "steps", "image",
              "image kv", "text", "decoder", "total", "p95 total", "frames/s", "GFLOP/s", "of peak", "MB moved",
              "MB peak");
}

void Bench::Print(const Case& result) const {
  const PassTimes& ms = result.median;
  if (!command_.json) {
    std::printf("%-9s %9d %5d %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f %9.2f %8.1f %6.1f %% %9.1f %8.0f\n",
                result.precision.c_str(), result.shape.questions, result.shape.steps, ms.image_encoder, ms.image_kv,
                ms.text_encoder, ms.decoder, ms.total, result.p95.total, result.frames_per_s, result.gops,
                100 * result.peak_share, result.bytes_moved / 1e6, result.peak_rss_mb);
  } else {
    const Json line(Json::Object{{"precision", result.precision},
                                 {"threads", command_.threads},
                                 {"teams", command_.teams},
                                 {"frames", command_.frames},
                                 {"questions", result.shape.questions},
                                 {"steps", result.shape.steps},
                                 {"median_ms", ToJson(ms)},
                                 {"p95_ms", ToJson(result.p95)},
                                 {"frames_per_s", Rounded(result.frames_per_s)},
                                 {"gops", Rounded(result.gops)},
                                 {"peak_share", Rounded(result.peak_share)},
                                 {"peak_rss_mb", Rounded(result.peak_rss_mb)},
                                 {"bytes_moved", static_cast<int64_t>(result.bytes_moved)},
                                 {"kernels", kernels_.name}});
    std::printf("%s\n", line.Dump().c_str());
  }
  std::fflush(stdout);
}

int RunBench(const BenchCommand& command) {
  const char* forced = std::getenv("PAWSIGHT_CPU");
  const auto kernels = kernels::Choose(command.kernels.empty() && forced != nullptr ? forced : command.kernels);
  if (!kernels.ok()) return ReportError(Annotate(kernels.status(), "--cpu"));
  const Interrupt interrupt;
  const Status status = Bench(command, **kernels).Run(interrupt.token());
  if (interrupt.interrupted()) return kExitInterrupted;
  return status.ok() ? kExitOk : ReportError(status);
}

}  // namespace

void AddBenchCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App& bench = *program.add_subcommand("bench", "measure frames, questions and answers, stage by stage");
  bench.footer(kFooter);
  const auto list = [](CLI::Option* option) {
    return option->delimiter(',')->allow_extra_args(false)->capture_default_str();
  };
  CLI::Option* model =
      bench.add_option("--model", command->model, "model directory in the hub's layout [pawsight-mini]");
  CLI::Option* artifacts = bench.add_option("--artifacts", command->artifacts, "directory of compiled components");
  CLI::Option* random =
      bench.add_flag("--random-base", command->random_base, "random weights of BLIP base's shape, kept in ~/.cache");
  CLI::Option* precision = list(bench.add_option("--precision", command->precisions, "fp32, bf16, int8; a list"));
  precision->check(CLI::IsMember({"fp32", "bf16", "int8"}));
  model->excludes(artifacts)->excludes(random);
  artifacts->excludes(random)->excludes(precision);
  list(bench.add_option("--questions", command->questions, "questions of each frame, 1..64; a list"))
      ->check(CLI::Range(1, engine::kMaxQuestions));
  list(bench.add_option("--steps", command->steps, "1: yes/no; more: words written; a list"))
      ->check(CLI::Range(1, 512));
  bench.add_option("--frames", command->frames, "frames looked at together, 1..64 [1]")->check(CLI::Range(1, 64));
  bench.add_option("--threads", command->threads, "threads of a team, 1..256 [one a core, shared out]")
      ->check(CLI::Range(1, 256));
  bench.add_option("--teams", command->teams, "passes at once, 1..256 [1]")->check(CLI::Range(1, 256));
  bench.add_option("--cpu", command->kernels, "kernels: scalar, avx2, avx512, amx [$PAWSIGHT_CPU, or the fastest]");
  bench.add_option("--repeat", command->repeat, "passes of each team, instead of a time")
      ->check(CLI::Range(1, 1000000));
  bench.add_option("--seconds", command->seconds, "time of each case; with --repeat, whichever ends first [3]")
      ->check(CLI::Range(0.01, 86400.0));
  bench.add_flag("--json", command->json, "one JSON object a case and line");
  bench.callback([command, exit_code] {
    if (!command->artifacts.empty()) command->precisions = {""};  // compiled in one already
    *exit_code = RunBench(*command);
  });
}

}  // namespace pawsight
