// apps/watch.cc: `pawsight watch`: a camera's frames, the questions, alerts as lines and as events.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "apps/commands.h"
#include "apps/home.h"
#include "apps/interrupt.h"
#include "apps/serving.h"
#include "base/files.h"
#include "base/log.h"
#include "gateway/camera_watch.h"
#include "net/http.h"
#include "rules/lint.h"

namespace pawsight {
namespace {

constexpr std::chrono::minutes kAnswerWithin{5};  // a slow machine is waited for

constexpr const char* kNameIt = "; name the file with --events";

constexpr const char* kFooter = R"(Examples:
  pawsight watch rtsp://user:password@camera/1 -q "Is the dog on the couch?" --for 5
  pawsight watch http://camera/snapshot.jpg -q "Is the cat on the table?" --fps 0.5 --listen 127.0.0.1:8080
  pawsight watch evening.mp4 -q "Is there a dog?" --json
  pawsight watch photos/ --rules rules.json

A rule fires when its answer has held for --for seconds, once an episode; it ends after --clear seconds of
the other answer.
Live sources: the newest frame wins. Files and directories: every sampled frame, at camera time from now on.
--json: one object a line, "type" is "frame", "alert.fired", "alert.updated" or "alert.resolved".
--rules: a JSON array of {"question", "id", "expect", "threshold", "unsure_band", "for_s", "clear_s", "cooldown_s",
"severity"}; all but the question may be left out.
--listen serves a gateway's API and page while the source lasts; the link that is printed signs in.
Exit codes: 0 the source ended, 2 usage, 3 environment, 4 the source cannot be reached, 130 interrupted.)";

struct WatchCommand {
  std::string source;
  std::vector<std::string> questions;
  std::string rules_path;
  std::string expect = "yes";
  double threshold = 0.7;  // probability of the expected answer, 0.01..0.99
  double hold_s = 0;       // --for
  double clear_s = 5;
  double cooldown_s = 60;
  double fps = 1;         // frames a second, 0.02..60: a rule's hold counts only frames a minute apart at most
  double refresh_s = 60;  // an unchanged camera is asked so often
  bool every_frame = false;
  std::string camera = "camera";
  ModelOptions model;
  std::string events;
  bool no_events = false;
  bool json = false;
  bool alerts_only = false;
  std::string listen;
};

/// Rules from the flags, one a question, and from the file.
Result<std::vector<rules::Rule>> RulesOf(const WatchCommand& command) {
  Json all(Json::Array{});
  for (const std::string& question : command.questions) {
    all.Append(Json::Object{{"question", question},
                            {"expect", command.expect},
                            {"threshold", command.threshold},
                            {"for_s", command.hold_s},
                            {"clear_s", command.clear_s},
                            {"cooldown_s", command.cooldown_s}});
  }
  if (!command.rules_path.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(command.rules_path, 1U << 20U));
    Result<Json> file = Json::Parse(text);
    if (!file.ok()) return Annotate(file.status(), command.rules_path);
    if (!file->is_array()) return InvalidArgument(command.rules_path + ": want an array of rules");
    for (const Json& rule : file->as_array()) all.Append(rule);
  }
  if (all.as_array().empty()) return InvalidArgument("nothing to watch for: give a question with -q, or --rules FILE");
  rules::Zones zones;
  return rules::ParseRules(all, &zones);
}

/// $XDG_DATA_HOME/pawsight/events.sqlite or ~/.local/share/pawsight/events.sqlite; makes the directory.
/// Errors: kFailedPrecondition, neither variable is set, or the directory cannot be made.
Result<std::string> DefaultEventsPath() {
  const Result<std::string> directory = DefaultDataDir();
  if (!directory.ok()) return FailedPrecondition("events: " + directory.status().message() + kNameIt);
  std::error_code error;
  std::filesystem::create_directories(*directory, error);
  if (error) return FailedPrecondition("events: " + *directory + ": " + error.message() + kNameIt);
  return *directory + "/events.sqlite";
}

Result<HomeOptions> HomeOptionsOf(const WatchCommand& command) {
  HomeOptions options;
  options.model = command.model;
  options.listen = command.listen;
  options.answer_within = kAnswerWithin;
  if (!command.listen.empty()) PAWSIGHT_RETURN_IF_ERROR(net::ParseListenAddress(command.listen).status());
  if (command.camera.empty() || command.camera.size() > events::kMaxIdBytes) {
    return InvalidArgument("--camera: want a name of 1 to " + std::to_string(events::kMaxIdBytes) + " bytes");
  }
  options.events = command.events;
  if (command.events.empty() && !command.no_events) {
    PAWSIGHT_ASSIGN_OR_RETURN(options.events, DefaultEventsPath());
  }
  return options;
}

/// As the gateway keeps it.
events::Camera CameraOf(const WatchCommand& command) {
  events::Camera camera;
  camera.name = command.camera;
  camera.document = Json(Json::Object{{"gate", !command.every_frame}, {"refresh_s", command.refresh_s}}).Dump();
  return camera;
}

/// A source that fails is unreachable, whatever the code; unless it was named wrongly or our installation lacks a part.
int ReportSource(const Status& status) {
  const int exit_code = ReportError(status);
  const bool ours = status.code() == StatusCode::kInvalidArgument || status.code() == StatusCode::kFailedPrecondition;
  return ours ? exit_code : kExitUnreachable;
}

void PrintSummary(const gateway::LineCounts& seen) {
  const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::fprintf(stderr, "%llu frames, %llu asked about, %llu dropped, %llu alerts\n", number(seen.num_frames),
               number(seen.num_asked), number(seen.num_dropped), number(seen.num_alerts));
}

/// What lint says of questions; the rest is for those who write a rule.
void PrintAdvice(const std::vector<rules::Rule>& rules) {
  for (const rules::Rule& rule : rules) {
    for (const rules::Finding& finding : rules::LintRule(rule)) {
      if (finding.field != "question" && finding.field != "guard") continue;
      std::fprintf(stderr, "pawsight: \"%s\": %s\n", rule.question.text().c_str(), finding.advice.c_str());
    }
  }
}

/// Until the source ends, fails or Ctrl-C; the exit code.
int WatchIn(Home& home, const std::string& camera, const gateway::SourceSpec& spec, const WatchCommand& command,
            const Interrupt& interrupt) {
  gateway::CameraWatch watch(home.service().path(), home.frame_clock(), home.owner(), camera, home.lines());
  const SystemClock clock;
  const auto source = gateway::MakeSource(spec, {.fps = command.fps}, clock);
  const Status status = watch.Run(*source, interrupt.token());
  const bool ended = home.Close();
  const gateway::LineCounts seen = home.lines().counts();
  if (seen.num_frames > 0) PrintSummary(seen);
  int exit_code = kExitOk;
  if (const uint64_t lost = home.num_unrecorded(); lost > 0) {
    exit_code = ReportEnvironmentError(DataLoss(std::to_string(lost) + " events could not be recorded"));
  } else if (interrupt.interrupted()) {
    exit_code = kExitInterrupted;
  } else if (!status.ok()) {
    exit_code = ReportSource(status);
  }
  if (!ended) home.Leave(exit_code);
  return exit_code;
}

int Watch(const WatchCommand& command) {
  const Interrupt interrupt;
  SetLogLevel(LogLevel::kWarning);  // its lines are for a person: what goes wrong
  const Result<std::vector<rules::Rule>> rules = RulesOf(command);
  if (!rules.ok()) return ReportError(rules.status());
  PrintAdvice(*rules);
  const Result<gateway::SourceSpec> spec = gateway::ParseSource(command.source);
  if (!spec.ok()) return ReportSource(spec.status());
  const Result<HomeOptions> options = HomeOptionsOf(command);
  if (!options.ok()) return ReportError(options.status());
  const Result<std::unique_ptr<Home>> home = Home::Open(*options);
  if (!home.ok()) return ReportEnvironmentError(home.status());
  std::vector<events::Camera> cameras = {CameraOf(command)};
  Status furnished = (*home)->Furnish("watch", &cameras, *rules);
  if (furnished.ok()) furnished = (*home)->Tell({.json = command.json, .answers = !command.alerts_only});
  if (!furnished.ok()) return ReportEnvironmentError(furnished);
  if (!command.listen.empty()) (*home)->SayWhere(stderr, "the page");
  return WatchIn(**home, cameras[0].id, *spec, command, interrupt);
}

}  // namespace

void AddWatchCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<WatchCommand>();
  CLI::App* app = program.add_subcommand("watch", "watch a camera, a video or a directory of images, and tell alerts");
  app->add_option("source", command->source, "video file, directory, http(s):// snapshot or MJPEG, rtsp(s)://")
      ->required();
  app->add_option("-q,--question", command->questions, "a yes/no question; may be repeated");
  app->add_option("--rules", command->rules_path, "a JSON file of rules, beside the questions");
  app->add_option("--expect", command->expect, "the answer that alerts: yes or no")
      ->check(CLI::IsMember({"yes", "no"}))
      ->capture_default_str();
  app->add_option("--threshold", command->threshold, "least probability of that answer")
      ->check(CLI::Range(0.01, 0.99))
      ->capture_default_str();
  app->add_option("--for", command->hold_s, "seconds it must hold before the alert")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  app->add_option("--clear", command->clear_s, "seconds of the other answer that end the alert")
      ->check(CLI::Range(0.0, 86400.0))
      ->capture_default_str();
  app->add_option("--cooldown", command->cooldown_s, "seconds after an alert without another")
      ->check(CLI::Range(0.0, 604800.0))
      ->capture_default_str();
  app->add_option("--fps", command->fps, "frames a second to look at")
      ->check(CLI::Range(0.02, 60.0))
      ->capture_default_str();
  app->add_option("--refresh", command->refresh_s, "seconds after which an unchanged camera is asked again")
      ->check(CLI::Range(0.1, 86400.0))
      ->capture_default_str();
  app->add_flag("--every-frame", command->every_frame, "ask about unchanged frames too");
  app->add_option("--camera", command->camera, "the camera's name in events")->capture_default_str();
  AddModelOptions(*app, &command->model);
  app->add_option("--events", command->events,
                  "file of the event store (default: pawsight/events.sqlite under XDG_DATA_HOME)");
  app->add_flag("--no-events", command->no_events, "record nothing");
  app->add_flag("--json", command->json, "JSON lines");
  app->add_flag("--alerts-only", command->alerts_only, "no lines for answers");
  app->add_option("--listen", command->listen, "serve the page and the API there: HOST:PORT, port 0 is any");
  app->footer(kFooter);
  app->callback([command, exit_code] { *exit_code = Watch(*command); });
}

}  // namespace pawsight
