// apps/demo.cc: `pawsight demo`: the path of a frame on a virtual camera: in the terminal, as a live page, or one
// episode.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "apps/commands.h"
#include "apps/demo_episode.h"
#include "apps/demo_home.h"
#include "apps/embedded_pool.h"
#include "apps/gateway_service.h"
#include "apps/interrupt.h"
#include "base/log.h"
#include "frames/encode.h"
#include "gateway/camera_watch.h"
#include "scenes/camera.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* kFooter = R"(Examples:
  pawsight demo                        a drawn room, live, with a page at http://127.0.0.1:8077/
  pawsight demo --cameras 4            four rooms on a gateway, with its API and its page at the same place
  pawsight demo --seed 7               another room and its pets
  pawsight demo --once                 one episode of 60 s, fast; exit 0 when exactly the true alerts came

--once plays camera time faster than it passes: computing is measured and moves camera time on, frames that pass
meanwhile are dropped, painting is free. The delays it prints are in camera time, from the true start until the alert was out.)";

constexpr int kJpegQuality = 85;

struct DemoCommand {
  bool once = false;
  std::string listen;
  uint64_t seed = 0;  // 0 is the episode, over and over
  double fps = 2;     // frames a second, 0.1..30
  std::string events;
  bool json = false;
  int cameras = 1;  // more: on a gateway, with its page
  ModelOptions model;
};

/// A directory that goes away with it.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "pawsight-demo-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  ~ScratchDirectory() {
    std::error_code ignored;  // a leftover in the temporary directory harms nobody
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  /// "" when there is none.
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// A virtual camera that plays as time passes and sends JPEG, as a real one does.
class VirtualSource : public gateway::Source {
 public:
  VirtualSource(scenes::VirtualCamera camera, double fps, const Clock& clock)
      : camera_(std::move(camera)), period_(static_cast<int64_t>(1000 / fps)), clock_(clock) {}

  bool live() const override { return true; }
  Status Run(std::stop_token stop, const OnFrame& on_frame) override {
    const steady_clock::time_point start = steady_clock::now();
    for (milliseconds t{0}; gateway::SleepUntil(start + t, stop); t += period_) {
      const scenes::Frame drawn = camera_.At(t % camera_.script().length);
      PAWSIGHT_ASSIGN_OR_RETURN(std::vector<uint8_t> jpeg, frames::EncodeJpeg(drawn.image, kJpegQuality));
      if (!on_frame({clock_.Now(), std::move(jpeg), {}})) break;
    }
    return Ok();
  }

 private:
  const scenes::VirtualCamera camera_;
  const milliseconds period_;
  const Clock& clock_;
};

void PrintOutcome(const EpisodeOutcome& outcome, bool json) {
  const auto seconds = [](milliseconds ms) { return static_cast<double>(ms.count()) / 1000; };
  Json report(Json::Object{
      {"type", "episode"}, {"ok", outcome.AllTrue()}, {"alerts", Json::Array{}}, {"missed", Json::Array{}}});
  Json alerts(Json::Array{});
  for (const EpisodeAlert& alert : outcome.alerts) {
    alerts.Append(Json::Object{{"question", alert.question},
                               {"true", alert.is_true},
                               {"at_s", seconds(alert.at)},
                               {"delay_s", alert.is_true ? Json(seconds(alert.delay)) : Json()}});
    if (json) continue;
    if (alert.is_true) {
      std::printf("%-44s %5.1f s after it began\n", alert.question.c_str(), seconds(alert.delay));
    } else {
      std::printf("%-44s false alert at %.1f s\n", alert.question.c_str(), seconds(alert.at));
    }
  }
  Json missed(Json::Array{});
  for (const std::string& question : outcome.missed) {
    missed.Append(question);
    if (!json) std::printf("%-44s missed\n", question.c_str());
  }
  report.Set("alerts", std::move(alerts));
  report.Set("missed", std::move(missed));
  const double longest_ms = static_cast<double>(outcome.longest_frame.count()) / 1e6;
  report.Set("frames", outcome.num_frames);
  report.Set("frames_dropped", outcome.num_dropped);
  report.Set("longest_frame_ms", longest_ms);
  if (json) {
    std::printf("%s\n", report.Dump().c_str());
    return;
  }
  std::printf("%d frames taken, %d dropped, the slowest took %.0f ms\n%s\n", outcome.num_frames, outcome.num_dropped,
              longest_ms, outcome.AllTrue() ? "The true alerts came, and no others." : "NOT the true alerts.");
}

/// The rooms of --seed: what a pet owner may ask of any room.
std::vector<rules::Rule> AnyRoomRules() {
  Json all(Json::Array{});
  for (const char* question : {"Is the dog on the couch?", "Is the dog chewing the couch?", "Is the cat on the table?",
                               "Is there a person?"}) {
    all.Append(Json::Object{{"question", question}, {"for_s", 2}, {"clear_s", 3}, {"cooldown_s", 10}});
  }
  return std::move(rules::ParseRules(all)).value();  // ours: right, or a bug
}

Result<gateway::CameraWatchOptions> OptionsOf(const DemoCommand& command, const std::string& scratch) {
  gateway::CameraWatchOptions options;
  options.camera = "demo";
  options.source = command.seed == 0 ? "a drawn room" : "drawn room " + std::to_string(command.seed);
  options.terminal = {.json = command.json, .answers = command.json && !command.once};
  options.events_path = command.events;
  if (command.events.empty() && !scratch.empty()) options.events_path = scratch + "/events.sqlite";
  if (!command.listen.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(options.listen, net::ParseListenAddress(command.listen));
  } else if (!command.once) {
    options.listen = net::ListenAddress{"127.0.0.1", kDemoPort};
  }
  return options;
}

Result<std::unique_ptr<gateway::CameraWatch>> OpenWatch(const DemoCommand& command, std::vector<rules::Rule> rules,
                                                        gateway::AsyncBackend& backend, const Clock& clock,
                                                        gateway::CameraWatchOptions options) {
  auto watch = gateway::CameraWatch::Open(rules, backend, clock, stdout, options);
  const bool port_taken = watch.status().code() == StatusCode::kUnavailable && command.listen.empty() && options.listen;
  if (!port_taken) return watch;
  options.listen->port = 0;
  return gateway::CameraWatch::Open(std::move(rules), backend, clock, stdout, options);
}

/// Several rooms on a real gateway, in a directory that goes away with it.
int DemoOfHome(const DemoCommand& command) {
  const Interrupt interrupt;
  const SystemClock clock;
  const ScratchDirectory scratch;
  GatewayOptions options;
  options.listen = command.listen.empty() ? "127.0.0.1:" + std::to_string(kDemoPort) : command.listen;
  options.data = scratch.path();
  options.model = command.model.model;
  options.artifacts = command.model.artifacts;
  options.precision = command.model.precision;
  options.cpu = command.model.kernels;
  options.threads = command.model.threads;
  GatewayService service(options, {.allowed_networks = {"127.0.0.0/8"}, .allow_plain = true});
  if (const Status started = service.Start(); !started.ok()) return ReportError(started);
  {
    DemoHome home(service.store(), service.registry(), service.path(), clock);
    const Status furnished = home.Start({.cameras = command.cameras, .seed = command.seed, .fps = command.fps});
    if (!furnished.ok()) return ReportError(furnished), kExitEnvironment;
    std::printf("%d drawn rooms at %s/\nSign in there with this home's token, which also opens %s/v1:\n\n  %s\n\n",
                command.cameras, service.url().c_str(), service.url().c_str(), home.token().c_str());
    std::printf("The admin's, for /v1/backends and /v1/routing:\n\n  %s\n\nCtrl-C ends it.\n", service.first_token().c_str());
    std::fflush(stdout);
    while (!interrupt.interrupted()) gateway::SleepUntil(steady_clock::now() + milliseconds(1000), interrupt.token());
  }
  if (!service.Drain()) _exit(kExitFailed);  // what hangs would hold the destructors
  return kExitInterrupted;
}

int Demo(const DemoCommand& command) {
  if (command.cameras > 1) {
    if (command.once) return ReportError(InvalidArgument("--once plays one camera's episode"));
    return DemoOfHome(command);
  }
  const Interrupt interrupt;
  SetLogLevel(LogLevel::kWarning);  // its lines are for a person: what goes wrong
  const SystemClock clock;
  const ScratchDirectory scratch;
  if (command.once && command.seed != 0)
    return ReportError(InvalidArgument("--once plays the episode; --seed is for the live demo"));
  Result<gateway::CameraWatchOptions> options = OptionsOf(command, scratch.path());
  if (!options.ok()) return ReportError(options.status());
  const scenes::Episode episode = scenes::DemoEpisode();
  const Result<std::unique_ptr<EmbeddedPool>> pool = EmbeddedPool::Open(command.model, clock);
  if (!pool.ok()) return ReportError(pool.status()), kExitEnvironment;
  options->backend = (*pool)->name();
  const auto watch =
      OpenWatch(command, command.seed == 0 ? EpisodeRules(episode) : AnyRoomRules(), (*pool)->backend(), clock, *options);
  if (!watch.ok()) return ReportError(watch.status()), kExitEnvironment;
  if (options->listen) std::fprintf(stderr, "live page: %s/\n", (*watch)->url().c_str());

  if (command.once) {
    const EpisodeOutcome outcome = PlayEpisode(episode, **watch, command.fps, clock.Now(), interrupt.token());
    if (interrupt.interrupted()) return kExitInterrupted;
    PrintOutcome(outcome, command.json);
    return outcome.AllTrue() ? kExitOk : kExitFailed;
  }
  std::fprintf(stderr, "watching a drawn room; Ctrl-C ends it\n");
  VirtualSource source(
      command.seed == 0 ? scenes::VirtualCamera(episode.script, {}) : scenes::VirtualCamera(command.seed, {}),
      command.fps, clock);
  const Status status = (*watch)->Run(source, interrupt.token());
  if (interrupt.interrupted()) return kExitInterrupted;
  return status.ok() ? kExitOk : ReportError(status);
}

}  // namespace

void AddDemoCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<DemoCommand>();
  CLI::App* app = program.add_subcommand("demo", "watch a drawn room: alerts in the terminal and a live page");
  app->add_flag("--once", command->once, "play one short episode, check its alerts, exit 0 or 1");
  app->add_option("--listen", command->listen,
                  "serve the live page there: HOST:PORT, port 0 is any (default 127.0.0.1:8077)");
  app->add_option("--seed", command->seed, "another room; 0 is the episode, over and over")->capture_default_str();
  app->add_option("--fps", command->fps, "frames a second")->check(CLI::Range(0.1, 30.0))->capture_default_str();
  app->add_option("--events", command->events, "file of the event store (default: a temporary one)");
  app->add_flag("--json", command->json, "JSON lines");
  app->add_option("--cameras", command->cameras, "more than one: drawn rooms on a gateway, with its API and its page")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  AddModelOptions(*app, &command->model);
  app->footer(kFooter);
  app->callback([command, exit_code] { *exit_code = Demo(*command); });
}

}  // namespace pawsight
