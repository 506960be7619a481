#include "apps/bench_pass.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <numeric>
#include <thread>

#include "base/rng.h"
#include "engine/generate.h"

namespace pawsight {
namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }
double Milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

/// What goes into every pass of a case.
struct PassInput {
  engine::PassShape shape;
  std::vector<float> pixels;
  std::vector<engine::TokenRow> questions;  // frame by frame
};

PassInput MakeInput(const engine::BlipConfig& config, const engine::PassShape& shape) {
  PassInput input{.shape = shape};
  const auto side = static_cast<size_t>(config.vision.image_size);
  Rng rng(2);
  input.pixels.resize(static_cast<size_t>(shape.frames) * 3 * side * side);
  for (float& value : input.pixels) value = static_cast<float>(rng.Uniform(-1.8, 2.1));
  for (int i = 0; i < shape.frames * shape.questions; ++i) {
    engine::TokenRow question{.valid = shape.tokens};
    for (int token = 0; token < shape.tokens; ++token) question.ids.push_back(rng.Below(config.text.vocab_size));
    input.questions.push_back(std::move(question));
  }
  return input;
}

/// One step scored for two words, or steps scored for all: what it writes does not matter, so no word is chosen.
Status Answer(engine::Target& target, const engine::QuestionHandle& read, const engine::PassShape& shape) {
  const engine::TextConfig& text = target.config().text;
  const int count = shape.frames * shape.questions;
  if (!shape.whole_vocabulary) {
    const auto yes = engine::YesMargins(target, read, count, 1 % text.vocab_size, 0, engine::Padding::kMask);
    return yes.status();
  }
  std::vector<int> each(static_cast<size_t>(count));
  std::iota(each.begin(), each.end(), 0);
  PAWSIGHT_ASSIGN_OR_RETURN(const auto rows, target.BeginAnswers(read, each, shape.steps, engine::Padding::kMask));
  std::vector<float> logits(each.size() * static_cast<size_t>(text.vocab_size));
  for (int step = 0; step < shape.steps; ++step) {
    std::vector<engine::RowToken> tokens;
    for (const int row : each) tokens.push_back({row, step == 0 ? text.bos_id : row % text.vocab_size});
    PAWSIGHT_RETURN_IF_ERROR(target.Step(*rows, tokens, {}, logits));
  }
  return Ok();
}

Result<PassTimes> RunPass(engine::Target& target, const PassInput& input) {
  const Clock::time_point start = Clock::now();
  Clock::time_point encoded = start;
  PAWSIGHT_ASSIGN_OR_RETURN(
      const std::vector<engine::ImageHandle> frames,
      target.Look(input.pixels, input.shape.frames, [&](std::string_view stage, const float*, int, int) {
        if (stage == "vision.image_embeds") encoded = Clock::now();
      }));
  const Clock::time_point looked = Clock::now();
  std::vector<engine::ImageHandle> images;
  for (const engine::ImageHandle& frame : frames)
    images.insert(images.end(), static_cast<size_t>(input.shape.questions), frame);
  Clock::time_point states = looked;
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::QuestionHandle read,
                            target.Read(images, input.questions, [&](std::string_view stage, const float*, int, int) {
                              if (stage == "text.question_states") states = Clock::now();
                            }));
  PAWSIGHT_RETURN_IF_ERROR(Answer(target, read, input.shape));
  const Clock::time_point end = Clock::now();
  return PassTimes{.image_encoder = Milliseconds(encoded - start),
                   .image_kv = Milliseconds(looked - encoded),
                   .text_encoder = Milliseconds(states - looked),
                   .decoder = Milliseconds(end - states),
                   .total = Milliseconds(end - start)};
}

/// What one team did.
struct TeamRun {
  Status status;
  std::vector<PassTimes> passes;
  double seconds = 0;
};

/// Passes until there are enough, time is up, or `stopped` says so.
TeamRun RunTeam(engine::Target& target, const PassInput& input, const MeasureOptions& options,
                const std::function<bool()>& stopped, const MeasureProgress& progress) {
  TeamRun run;
  const Clock::time_point start = Clock::now();
  for (double part = 0; part < 1 && !stopped();) {
    const Result<PassTimes> pass = RunPass(target, input);
    if (!pass.ok()) {
      run.status = pass.status();
      return run;
    }
    run.passes.push_back(*pass);
    run.seconds = Seconds(Clock::now() - start);
    part = run.seconds / options.seconds;
    if (options.repeat > 0) part = std::max(part, static_cast<double>(run.passes.size()) / options.repeat);
    if (progress) progress(std::min(part, 1.0));
  }
  return run;
}

/// All teams at once, the first from the calling thread.
std::vector<TeamRun> RunTeams(engine::Target& target, const PassInput& input, const MeasureOptions& options,
                              const std::stop_token& stop, const MeasureProgress& progress) {
  std::vector<TeamRun> runs(static_cast<size_t>(options.teams));
  std::atomic<bool> failed = false;
  const auto run = [&](size_t team) {
    runs[team] = RunTeam(
        target, input, options, [&] { return failed || stop.stop_requested(); },
        team == 0 ? progress : MeasureProgress());
    if (!runs[team].status.ok()) failed = true;
  };
  std::vector<std::jthread> others;
  for (size_t team = 1; team < runs.size(); ++team) others.emplace_back([&run, team] { run(team); });
  run(0);
  for (std::jthread& other : others) other.join();
  return runs;
}

double& Stage(PassTimes& times, size_t stage) {
  double* const stages[] = {&times.image_encoder, &times.image_kv, &times.text_encoder, &times.decoder, &times.total};
  return *stages[stage];
}

}  // namespace

Result<Measured> MeasurePasses(engine::Target& target, const engine::PassShape& shape, const MeasureOptions& options,
                               const std::stop_token& stop, const MeasureProgress& progress) {
  const PassInput input = MakeInput(target.config(), shape);
  MeasureOptions once = options;
  once.repeat = 1;
  for (const TeamRun& run : RunTeams(target, input, once, stop, {})) PAWSIGHT_RETURN_IF_ERROR(run.status);
  if (progress) progress(0);
  Measured measured;
  for (const TeamRun& run : RunTeams(target, input, options, stop, progress)) {
    PAWSIGHT_RETURN_IF_ERROR(run.status);
    measured.passes.insert(measured.passes.end(), run.passes.begin(), run.passes.end());
    // Each team by its own clock: the last pass of one may end after the others'.
    if (run.seconds > 0) measured.frames_per_s += shape.frames * static_cast<double>(run.passes.size()) / run.seconds;
  }
  if (options.teams == 1 && !measured.passes.empty()) {
    measured.frames_per_s = shape.frames * 1000.0 / Quantile(measured.passes, 0.5).total;
  }
  return measured;
}

PassTimes Quantile(const std::vector<PassTimes>& passes, double quantile) {
  PassTimes result;
  for (size_t stage = 0; stage < 5; ++stage) {
    std::vector<double> values;
    for (PassTimes pass : passes) values.push_back(Stage(pass, stage));
    std::ranges::sort(values);
    const double at = quantile * static_cast<double>(values.size() - 1);
    const auto below = static_cast<size_t>(at);
    const size_t above = std::min(below + 1, values.size() - 1);
    Stage(result, stage) = std::lerp(values[below], values[above], at - std::floor(at));
  }
  return result;
}

}  // namespace pawsight
