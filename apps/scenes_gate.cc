#include "apps/scenes_gate.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "apps/commands.h"
#include "apps/gate_run.h"
#include "apps/interrupt.h"
#include "apps/open_model.h"
#include "apps/progress_line.h"
#include "base/check.h"
#include "base/files.h"
#include "base/json.h"
#include "engine/vqa.h"
#include "frames/encode.h"
#include "gateway/source.h"
#include "scenes/day.h"
#include "scenes/questions.h"

namespace pawsight {
namespace {

constexpr int kJpegQuality = 85;
constexpr double kMostFps = 60;

constexpr const char* kFooter = R"(Examples:
  pawsight scenes gate --days 8 --share 0.25 --out gate.json
  pawsight scenes gate --days 0 --clip kitchen.mp4 --clip hall.mp4 --rules my-rules.json
  pawsight cost RESULT.json --instance c7i.large --gate gate.json

Days are drawn (a still night, a busy morning and evening, hours alone); what is true in them is known, and the
reference is the same rules on the same frames, all of them asked and answered by that truth. Of a clip no truth is
known: the reference is the model asked about every frame. An alert counts as found when it fires while the reference's
lasts. --verbose names each alert that was missed, two seconds late or extra.
Exit codes: 0 measured, 1 the goal was missed and --check, 2 usage, 3 a clip or model cannot be read, 130 interrupted.)";

// What is watched for when nobody says otherwise. The truth answers these very words (scenes/questions.h).
constexpr const char* kDayRules = R"([
  {"id":"chewing","question":"Is the dog chewing the couch?"},
  {"id":"dog-on-couch","question":"Is the dog on the couch?","for_s":10},
  {"id":"dog-on-bed","question":"Is the dog on the bed?","for_s":10},
  {"id":"cat-on-table","question":"Is the cat on the table?","for_s":2},
  {"id":"dog-by-door","question":"Is the dog by the door?","for_s":5},
  {"id":"dog-eating","question":"Is the dog eating?","for_frames":2,"of_frames":3},
  {"id":"person","question":"Is there a person?"}])";
constexpr const char* kClipRules = R"([
  {"id":"cat","question":"Is there a cat?"},
  {"id":"dog","question":"Is there a dog?"},
  {"id":"person","question":"Is there a person?","for_frames":2,"of_frames":3},
  {"id":"cat-on-couch","question":"Is the cat on the couch?","for_s":2},
  {"id":"pet-on-couch","question":"Is there a pet on the couch?","for_s":2}])";

struct GateCommand {
  int days = 1;
  uint64_t seed = 1;
  double fps = 1;
  double refresh_s = 60;
  int width = 320;
  int threads = 1;
  double share = 1;
  std::vector<std::string> clips;
  double clip_fps = 5;  // 0: each clip's own
  std::string rules;
  std::string out;
  bool json = false;
  bool verbose = false;
  bool check = false;
  ModelOptions model;
};

Result<std::vector<rules::Rule>> ReadRules(const GateCommand& command, const char* built_in) {
  std::string text = built_in;
  if (!command.rules.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(text, ReadTextFile(command.rules, 1U << 20U));
  }
  const Result<Json> json = Json::Parse(text);
  if (!json.ok()) return Annotate(json.status(), command.rules);
  return rules::ParseRules(*json);
}

/// What the truth says to a question in one of its wordings: p_yes, in the unsure band where it is undecided.
Result<double> TrueAnswer(const scenes::Truth& truth, const std::string& question) {
  constexpr double kYes = 0.95;
  constexpr double kNo = 0.05;
  constexpr double kUnsure = 0.65;  // of a rule that wants 0.7, with a band of 0.1
  for (const scenes::QuestionKind& kind : scenes::AllQuestions()) {
    if (std::ranges::find(kind.wordings, question) == kind.wordings.end()) continue;
    const std::string answer = kind.answer(truth, kind.species);
    if (answer.empty()) return kUnsure;
    if (answer == "yes") return kYes;
    if (answer == "no") return kNo;
  }
  return InvalidArgument("rules: the truth of a drawn day has no yes or no to \"" + question +
                         "\"; `pawsight scenes words` knows its words");
}

/// Whether something happens that a person would call movement.
bool IsMoving(const scenes::Scene& scene) {
  const auto active = [](const scenes::Pet& pet) {
    switch (pet.activity) {
      case scenes::Activity::kSleeping:
      case scenes::Activity::kSitting:
        return false;
      case scenes::Activity::kWalking:
      case scenes::Activity::kPlaying:
      case scenes::Activity::kChewing:
      case scenes::Activity::kEating:
        return true;
    }
    return false;
  };
  return std::ranges::any_of(scene.pets, active) ||
         std::ranges::any_of(scene.people, [](const scenes::Person& person) { return person.walks; });
}

/// What of a day is run: all of it, or the middle of each of its parts, each as long as it is to the day.
struct Stretch {
  std::chrono::milliseconds begin{0}, end{0};
};

std::vector<Stretch> StretchesOf(double share) {
  using std::chrono::minutes;
  if (share >= 1) return {{minutes(0), scenes::kDayLength}};
  // Night is one stretch, of the hours after midnight.
  constexpr struct {
    minutes middle, length;
  } kParts[] = {{minutes(195), minutes(480)},
                {minutes(450), minutes(120)},
                {minutes(780), minutes(540)},
                {minutes(1200), minutes(300)}};
  std::vector<Stretch> stretches;
  for (const auto& part : kParts) {
    const std::chrono::milliseconds half(
        static_cast<int64_t>(share / 2 * static_cast<double>(std::chrono::milliseconds(part.length).count())));
    stretches.push_back({part.middle - half, part.middle + half});
  }
  return stretches;
}

struct DayRun {
  Status status;
  std::vector<tools::GateTally> tallies;  // one a part of the day
  std::vector<std::string> log;
};

/// Adds a stretch of one camera's day to `run`.
Status RunStretch(const GateCommand& command, const std::vector<rules::Rule>& rules, const scenes::DayCamera& camera,
                  const Stretch& stretch, const std::stop_token& stop, std::atomic<int>& minutes_done, DayRun& run) {
  scenes::Truth truth;
  std::vector<std::string> kinds;
  for (const scenes::DayPart part : scenes::kDayParts) kinds.emplace_back(scenes::Name(part));
  const std::chrono::milliseconds refresh(static_cast<int64_t>(1000 * command.refresh_s));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<GateRun> gate,
                            GateRun::Make(rules, command.fps, refresh, kinds, [&truth](const std::string& question) {
                              return TrueAnswer(truth, question);
                            }));
  std::chrono::milliseconds minute = stretch.begin;
  for (int64_t i = 0;; ++i) {
    const std::chrono::milliseconds t =
        stretch.begin + std::chrono::milliseconds(static_cast<int64_t>(1000 * static_cast<double>(i) / command.fps));
    if (t >= stretch.end) break;
    if (stop.stop_requested()) return Cancelled("interrupted");
    const scenes::Frame frame = camera.At(t);
    truth = frame.truth;
    PAWSIGHT_ASSIGN_OR_RETURN(std::vector<uint8_t> jpeg, frames::EncodeJpeg(frame.image, kJpegQuality));
    PAWSIGHT_RETURN_IF_ERROR(gate->Offer(std::make_shared<const std::vector<uint8_t>>(std::move(jpeg)),
                                         static_cast<size_t>(scenes::PartAt(t)), IsMoving(camera.SceneAt(t))));
    for (; minute <= t; minute += std::chrono::minutes(1)) minutes_done.fetch_add(1);
  }
  const std::vector<tools::GateTally> tallies = gate->Tallies(stretch.begin, &run.log);
  for (size_t kind = 0; kind < tallies.size(); ++kind) run.tallies[kind].Add(tallies[kind]);
  return Ok();
}

DayRun RunDay(const GateCommand& command, const std::vector<rules::Rule>& rules, uint64_t seed,
              const std::stop_token& stop, std::atomic<int>& minutes_done) {
  DayRun run;
  run.tallies.resize(scenes::kDayParts.size());
  const scenes::DayCamera camera(seed, {.width = command.width, .height = command.width * 3 / 4, .night = {}});
  for (const Stretch& stretch : StretchesOf(command.share)) {
    run.status = RunStretch(command, rules, camera, stretch, stop, minutes_done, run);
    if (!run.status.ok()) break;
  }
  for (std::string& line : run.log) line = "seed " + std::to_string(seed) + ": " + line;
  return run;
}

/// Days side by side, each with its own camera.
Status RunDays(const GateCommand& command, const std::stop_token& stop, tools::GateScore& score,
               std::vector<std::string>& log) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<rules::Rule> rules, ReadRules(command, kDayRules));
  std::vector<DayRun> runs(static_cast<size_t>(command.days));
  std::atomic<int> next{0};
  std::atomic<int> minutes_done{0};
  std::atomic<int> threads_done{0};
  const int num_threads = std::min(command.threads, command.days);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < num_threads; ++i) {
      threads.emplace_back([&] {
        for (int day = next++; day < command.days; day = next++) {
          runs[static_cast<size_t>(day)] =
              RunDay(command, rules, command.seed + static_cast<uint64_t>(day), stop, minutes_done);
        }
        ++threads_done;
      });
    }
    ProgressLine progress;
    const int minutes = static_cast<int>(command.share * 24 * 60 * command.days);
    while (threads_done < num_threads) {
      progress.Show("minutes of camera time", minutes_done, minutes);
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    progress.Clear();
  }
  for (const scenes::DayPart part : scenes::kDayParts) {
    tools::GateTally tally;
    tally.kind = scenes::Name(part);
    score.kinds.push_back(std::move(tally));
  }
  score.days.kind = "days";
  for (const DayRun& run : runs) {
    PAWSIGHT_RETURN_IF_ERROR(run.status);
    for (size_t kind = 0; kind < run.tallies.size(); ++kind) {
      score.kinds[kind].Add(run.tallies[kind]);
      score.days.Add(run.tallies[kind]);
    }
    log.insert(log.end(), run.log.begin(), run.log.end());
  }
  return Ok();
}

Result<std::vector<engine::Answer>> AskAll(const engine::Vqa& vqa, const frames::Image& image,
                                           std::span<const std::string> questions) {
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::ImageHandle look, vqa.Look(ToPixels(vqa.preprocess(), image)));
  return vqa.Ask(look, questions);
}

/// Whether a recording's frame shows movement, by a measure that has nothing of the gate: of one pixel in 500 the light
/// differs from the frame before by more than 20 levels of 255, which compression does not do to a still picture.
bool IsMoving(const frames::Image& image, const frames::Image& before) {
  if (image.width != before.width || image.height != before.height) return true;
  int64_t differ = 0;
  for (int y = 0; y < image.height; ++y) {
    const uint8_t* now = image.pixel(0, y);
    const uint8_t* then = before.pixel(0, y);
    for (int x = 0; x < 3 * image.width; x += 3) {
      const auto change = [&](int c) { return static_cast<int>(now[x + c]) - then[x + c]; };
      differ += std::abs(299 * change(0) + 587 * change(1) + 114 * change(2)) > 20'000 ? 1 : 0;
    }
  }
  return 500 * differ > int64_t{image.width} * image.height;
}

/// A recording, decoded by ffmpeg, with the model's answers for the truth; each frame is asked once for both cameras.
Status RunClip(const GateCommand& command, const engine::Vqa& vqa, const std::string& path, const std::stop_token& stop,
               tools::GateScore& score, std::vector<std::string>& log) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<rules::Rule> rules, ReadRules(command, kClipRules));
  PAWSIGHT_ASSIGN_OR_RETURN(const gateway::SourceSpec spec, gateway::ParseSource(path));
  const SystemClock clock;
  double fps = command.clip_fps;
  if (fps == 0) {
    PAWSIGHT_ASSIGN_OR_RETURN(fps, gateway::RecordedFps(spec));
    fps = std::min(fps, kMostFps);
  }
  const auto source = gateway::MakeSource(spec, {.fps = fps}, clock);
  if (source->live()) return InvalidArgument("--clip: " + path + " is no recording");
  std::vector<std::string> questions;
  for (const rules::Rule& rule : rules) {
    for (const rules::Question* question : {&rule.question, rule.guard ? &*rule.guard : nullptr}) {
      if (question == nullptr || std::ranges::find(questions, question->text()) != questions.end()) continue;
      questions.push_back(question->text());
    }
  }
  std::vector<engine::Answer> answers;  // of the frame that is on its way
  frames::Image before;
  const std::string name = std::filesystem::path(path).filename().string();
  auto made = GateRun::Make(rules, fps, std::chrono::milliseconds(static_cast<int64_t>(1000 * command.refresh_s)),
                            {name}, [&](const std::string& question) -> Result<double> {
                              const auto at =
                                  static_cast<size_t>(std::ranges::find(questions, question) - questions.begin());
                              CHECK(at < answers.size());
                              return answers[at].p_yes ? static_cast<double>(*answers[at].p_yes) : 0.5;
                            });
  if (!made.ok()) return made.status();
  Status status;
  const Status ended = source->Run(stop, [&](gateway::Frame frame) {
    auto answered = AskAll(vqa, frame.image, questions);
    if (!answered.ok()) return status = answered.status(), false;
    answers = std::move(*answered);
    const auto jpeg = frames::EncodeJpeg(frame.image, kJpegQuality);
    status = jpeg.ok()
                 ? (*made)->Offer(std::make_shared<const std::vector<uint8_t>>(*jpeg), 0, IsMoving(frame.image, before))
                 : jpeg.status();
    before = std::move(frame.image);
    return status.ok();
  });
  PAWSIGHT_RETURN_IF_ERROR(status);
  PAWSIGHT_RETURN_IF_ERROR(ended);
  if (stop.stop_requested()) return Cancelled("interrupted");
  std::vector<std::string> of_clip;
  score.clips.push_back((*made)->Tallies(std::chrono::milliseconds(0), &of_clip).front());
  for (const std::string& line : of_clip) log.push_back(name + ": " + line);
  return Ok();
}

void PrintTally(const tools::GateTally& tally) {
  std::printf("%-22s %9lld %9.2f %9.2f %7lld %8.2f %6lld %8.2f %8.2f %8.2f\n", tally.kind.c_str(),
              static_cast<long long>(tally.frames),
              tally.frames == 0 ? 0 : 100.0 * static_cast<double>(tally.moving) / static_cast<double>(tally.frames),
              100 * tally.share_asked(), static_cast<long long>(tally.alerts), 100 * tally.recall(),
              static_cast<long long>(tally.extra), tools::DelayQuantile(tally.delay_s, 0.5),
              tools::DelayQuantile(tally.delay_s, 0.95), tools::DelayQuantile(tally.delay_s, 1));
}

void PrintScore(const tools::GateScore& score) {
  std::printf("%-22s %9s %9s %9s %7s %8s %6s %8s %8s %8s\n", "", "frames", "moving %", "asked %", "alerts", "found %",
              "extra", "delay s", "p95", "most");
  for (const tools::GateTally& tally : score.kinds) PrintTally(tally);
  if (score.days.frames > 0) PrintTally(score.days);
  for (const tools::GateTally& tally : score.clips) PrintTally(tally);
  if (score.days.frames > 0) {
    std::printf("goal, of the days: at most 10 %% asked, at least 99 %% found, median delay below 1 s: %s\n",
                Reached({}, score.days) ? "reached" : "missed");
  }
}

Status Measure(const GateCommand& command, const std::stop_token& stop, tools::GateScore& score,
               std::vector<std::string>& log) {
  score.version = PAWSIGHT_VERSION;
  score.fps = command.fps;
  score.refresh_s = command.refresh_s;
  score.truth = "days: the rules on the scene's truth, every frame asked; clips: the model asked about every frame";
  if (command.days > 0) PAWSIGHT_RETURN_IF_ERROR(RunDays(command, stop, score, log));
  if (command.clips.empty()) return Ok();
  ModelOptions model = command.model;
  if (model.model.empty() && model.artifacts.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(model.model, DefaultModelDir());
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::Vqa vqa, OpenModel(model));
  for (const std::string& clip : command.clips) {
    const Status status = RunClip(command, vqa, clip, stop, score, log);
    if (!status.ok()) return Annotate(status, clip);
  }
  return Ok();
}

int RunGate(const GateCommand& command) {
  if (command.days == 0 && command.clips.empty()) return ReportError(InvalidArgument("--days: 0, and no --clip"));
  const Interrupt interrupt;
  tools::GateScore score;
  std::vector<std::string> log;
  const Status status = Measure(command, interrupt.token(), score, log);
  if (!status.ok()) return ReportError(status);
  const std::string json = tools::GateScoreToJson(score).Dump() + "\n";
  if (!command.out.empty()) {
    const Status written = WriteFileAtomically(command.out, json);
    if (!written.ok()) return ReportEnvironmentError(Annotate(written, "--out"));
  }
  if (command.json) {
    std::fputs(json.c_str(), stdout);
  } else {
    PrintScore(score);
  }
  if (command.verbose) {
    for (const std::string& line : log) std::fprintf(stderr, "%s\n", line.c_str());
  }
  return command.check && !Reached({}, score.days) ? kExitFailed : kExitOk;
}

}  // namespace

void AddScenesGateCommand(CLI::App& scenes, int* exit_code) {
  auto* gate = scenes.add_subcommand("gate", "what the change gate saves, and what it costs in alerts");
  gate->footer(kFooter);
  auto command = std::make_shared<GateCommand>();
  gate->add_option("--days", command->days, "drawn days, each of another camera; 0: clips only")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  gate->add_option("--seed", command->seed, "of the first day")->capture_default_str();
  gate->add_option("--fps", command->fps, "frames offered a second, of a day")
      ->check(CLI::Range(0.1, 10.0))
      ->capture_default_str();
  gate->add_option("--share", command->share,
                   "of a day that is run; below 1 the middle of each of its parts, for haste")
      ->check(CLI::Range(0.01, 1.0))
      ->capture_default_str();
  gate->add_option("--refresh", command->refresh_s, "seconds after which a frame is asked about in any case")
      ->check(CLI::Range(1.0, 86400.0))
      ->capture_default_str();
  gate->add_option("--width", command->width, "of drawn frames in pixels; the height is 3/4 of it")
      ->check(CLI::Range(160, 1920))
      ->capture_default_str();
  gate->add_option("--days-at-once", command->threads, "threads that run days, 1..256")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  gate->add_option("--clip", command->clips, "a recording, through ffmpeg; may be given several times");
  gate->add_option("--clip-fps", command->clip_fps,
                   "frames offered a second, of a clip; 0: as it was recorded, at most 60")
      ->check([](const std::string& text) { return text == "0" ? "" : CLI::Range(0.1, kMostFps)(text); })
      ->capture_default_str();
  gate->add_option("--rules", command->rules, "JSON, as the API takes rules [built in]");
  gate->add_option("--out", command->out, "also write the JSON here, for `pawsight cost --gate`");
  gate->add_flag("--json", command->json, "print JSON");
  gate->add_flag("--verbose", command->verbose, "name each alert that was missed, late or extra");
  gate->add_flag("--check", command->check, "end with 1 when the days miss the goal");
  AddModelOptions(*gate, &command->model);
  gate->callback([command, exit_code] { *exit_code = RunGate(*command); });
}

}  // namespace pawsight
