// apps/demo.cc: `pawsight demo`: virtual cameras on a gateway, in the terminal and on its page, or one episode on a
// clock of its own.
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
#include "gateway/camera_watch.h"
#include "scenes/camera.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr const char* kFooter = R"(Examples:
  pawsight demo                        a drawn room on a gateway, live; prints where its page and its API are
  pawsight demo --cameras 4            four rooms
  pawsight demo --seed 7               another room and its pets
  pawsight demo --once                 one episode of 60 s, fast; exit 0 when exactly the true alerts came

--once plays camera time faster than it passes: computing is measured and moves camera time on, frames that pass
meanwhile are dropped, painting is free. The delays it prints are in camera time, from the true start until the alert was out.)";

struct DemoCommand {
  bool once = false;
  std::string listen;
  uint64_t seed = 0;  // 0 is the episode, over and over
  double fps = 2;     // frames a second, 0.1..30
  std::string events;
  bool json = false;
  int cameras = 1;  // rooms, 1..16
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

/// The terminal's lines of the one room, whatever else watches.
class RoomLines : public gateway::Watcher {
 public:
  RoomLines(const gateway::TerminalOptions& options, std::vector<rules::Rule> rules)
      : terminal_(stdout, options), rules_(std::move(rules)) {}
  void OnFrame(const std::shared_ptr<const gateway::FrameResult>& result) override {
    if (result->trouble.reason() == "replaced") return;  // a newer one came
    terminal_.OnFrame(rules_, {result->sequence.value_or(0), result, std::vector<int64_t>(result->changes.size())});
  }
  void OnAlert(const gateway::AlertNotice&) override {}

 private:
  gateway::Terminal terminal_;
  const std::vector<rules::Rule> rules_;
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

/// The episode on a clock of its own: no page to see, and the stations without the API around them.
int DemoOnce(const DemoCommand& command) {
  const Interrupt interrupt;
  const SystemClock clock;
  const ScratchDirectory scratch;
  gateway::CameraWatchOptions options;
  options.camera = "demo";
  options.source = "a drawn room";
  options.terminal = {.json = command.json, .answers = false};
  options.events_path = command.events;
  if (command.events.empty() && !scratch.path().empty()) options.events_path = scratch.path() + "/events.sqlite";
  if (!command.listen.empty()) {
    const Result<net::ListenAddress> listen = net::ParseListenAddress(command.listen);
    if (!listen.ok()) return ReportError(listen.status());
    options.listen = *listen;
  }
  const scenes::Episode episode = scenes::DemoEpisode();
  const Result<std::unique_ptr<EmbeddedPool>> pool = EmbeddedPool::Open(command.model, clock);
  if (!pool.ok()) return ReportError(pool.status()), kExitEnvironment;
  options.backend = (*pool)->name();
  const auto watch = gateway::CameraWatch::Open(EpisodeRules(episode), (*pool)->backend(), clock, stdout, options);
  if (!watch.ok()) return ReportError(watch.status()), kExitEnvironment;
  const EpisodeOutcome outcome = PlayEpisode(episode, **watch, command.fps, clock.Now(), interrupt.token());
  if (interrupt.interrupted()) return kExitInterrupted;
  PrintOutcome(outcome, command.json);
  return outcome.AllTrue() ? kExitOk : kExitFailed;
}

/// Several rooms show how routing is switched; one is to start as fast as it can.
bool HasTwoPools(const DemoCommand& command) { return command.cameras > 1 && command.model.artifacts.empty(); }

/// The model as two pools, of which that of `precision` is asked.
Status OfferTwoPools(GatewayService& service, const std::string& precision) {
  gateway::PoolsConfig pools;
  for (const char* each : {"bf16", "int8"}) {
    gateway::PoolConfig pool;
    pool.name = each;
    pool.endpoints.push_back({"embedded", each, ""});
    pools.pools.push_back(std::move(pool));
  }
  return service.LoadBackends(pools, {{{precision == "int8" ? "int8" : "bf16", 1}}, {}, {}});
}

/// A gateway in a directory that goes away with it; on any free port when the demonstration's own is taken.
Result<std::unique_ptr<GatewayService>> StartGateway(const DemoCommand& command, const std::string& scratch) {
  GatewayOptions options;
  options.listen = command.listen.empty() ? "127.0.0.1:" + std::to_string(kDemoPort) : command.listen;
  options.data = scratch;
  options.store = command.events;
  options.new_admin = !command.events.empty();  // a file of before has one that nobody knows here
  options.model = command.model.model;
  options.artifacts = command.model.artifacts;
  options.precision = command.model.precision;
  options.cpu = command.model.kernels;
  options.threads = command.model.threads;
  const notify::PostOfficeOptions receivers{.allowed_networks = {"127.0.0.0/8"}, .allow_plain = true};
  auto service = std::make_unique<GatewayService>(options, receivers);
  Status started = service->Start();
  if (started.code() == StatusCode::kUnavailable && command.listen.empty()) {
    service.reset();  // lets the directory go
    options.listen = "127.0.0.1:0";
    options.new_admin = true;
    service = std::make_unique<GatewayService>(options, receivers);
    started = service->Start();
  }
  if (started.ok() && HasTwoPools(command)) started = OfferTwoPools(*service, command.model.precision);
  if (!started.ok()) return started;
  return service;
}

void SayHowToSwitch(std::FILE* out, const GatewayService& service) {
  std::fprintf(out, "Have the int8 weights asked from now on, or bf16's again; /v1/live says who answers:\n");
  for (const char* pool : {"int8", "bf16"}) {
    std::fprintf(out, "  curl -X PUT %s/v1/routing -H 'Authorization: Bearer %s' -d '{\"weights\": {\"%s\": 1}}'\n",
                 service.url().c_str(), service.first_token().c_str(), pool);
  }
}

void SayWhere(const DemoCommand& command, const GatewayService& service, const DemoHome& home) {
  std::FILE* const out = command.json ? stderr : stdout;
  const std::string rooms = command.cameras == 1 ? "a drawn room" : std::to_string(command.cameras) + " drawn rooms";
  std::fprintf(out, "%s at %s/#token=%s\n", rooms.c_str(), service.url().c_str(), home.token().c_str());
  std::fprintf(out, "The token behind the # opens %s/v1 too; for /v1/backends and /v1/routing, the admin's:\n  %s\n",
               service.url().c_str(), service.first_token().c_str());
  if (HasTwoPools(command)) SayHowToSwitch(out, service);
  std::fprintf(out, "Ctrl-C ends it.\n");
  std::fflush(out);
}

/// Drawn rooms on a real gateway, with its API and its page.
int DemoLive(const DemoCommand& command) {
  const Interrupt interrupt;
  const SystemClock clock;
  const ScratchDirectory scratch;
  Result<std::unique_ptr<GatewayService>> service = StartGateway(command, scratch.path());
  if (!service.ok()) return ReportError(service.status());
  {
    DemoHome home((*service)->store(), (*service)->registry(), (*service)->path(), clock);
    Status furnished = home.Furnish({.cameras = command.cameras, .seed = command.seed, .fps = command.fps});
    if (furnished.ok() && command.cameras == 1) {
      const gateway::TerminalOptions lines{.json = command.json, .answers = command.json};
      furnished = (*service)
                      ->path()
                      .observers()
                      .Subscribe(home.owner(), std::make_shared<RoomLines>(lines, home.rules()))
                      .status();
    }
    if (!furnished.ok()) return ReportError(furnished), kExitEnvironment;
    SayWhere(command, **service, home);
    home.Play();
    while (!interrupt.interrupted()) gateway::SleepUntil(steady_clock::now() + milliseconds(1000), interrupt.token());
  }
  if (!(*service)->Drain()) _exit(kExitFailed);  // what hangs would hold the destructors
  return kExitInterrupted;
}

int Demo(const DemoCommand& command) {
  SetLogLevel(LogLevel::kWarning);  // its lines are for a person: what goes wrong
  if (!command.once) return DemoLive(command);
  if (command.cameras > 1) return ReportError(InvalidArgument("--once plays one camera's episode"));
  if (command.seed != 0) return ReportError(InvalidArgument("--once plays the episode; --seed is for the live demo"));
  return DemoOnce(command);
}

}  // namespace

void AddDemoCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<DemoCommand>();
  CLI::App* app = program.add_subcommand("demo", "watch a drawn room: alerts in the terminal and a live page");
  app->add_flag("--once", command->once, "play one short episode, check its alerts, exit 0 or 1");
  app->add_option("--listen", command->listen,
                  "serve the page and the API there: HOST:PORT, port 0 is any (default 127.0.0.1:8077)");
  app->add_option("--seed", command->seed, "another room; 0 is the episode, over and over")->capture_default_str();
  app->add_option("--fps", command->fps, "frames a second")->check(CLI::Range(0.1, 30.0))->capture_default_str();
  app->add_option("--events", command->events, "file of the event store (default: a temporary one)");
  app->add_flag("--json", command->json, "JSON lines");
  app->add_option("--cameras", command->cameras, "drawn rooms")->check(CLI::Range(1, 16))->capture_default_str();
  AddModelOptions(*app, &command->model);
  app->footer(kFooter);
  app->callback([command, exit_code] { *exit_code = Demo(*command); });
}

}  // namespace pawsight
