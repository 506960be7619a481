// apps/demo.cc: `pawsight demo`: virtual cameras on a gateway, in the terminal and on its page, or one episode on a
// clock of its own.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "apps/commands.h"
#include "apps/demo_episode.h"
#include "apps/demo_home.h"
#include "apps/demo_webhook.h"
#include "apps/home.h"
#include "apps/interrupt.h"
#include "base/log.h"
#include "gateway/camera_watch.h"
#include "net/http.h"
#include "scenes/camera.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::minutes kAnswerWithin{5};  // of --once: a slow machine is waited for

constexpr const char* kFooter = R"(Examples:
  pawsight demo                        drawn rooms on a gateway, live; prints where its page and its API are
  pawsight demo --cameras 1            one room
  pawsight demo --seed 7               other rooms and their pets
  pawsight demo --once                 one episode of 60 s, fast; exit 0 when exactly the true alerts came

--once plays camera time faster than it passes: computing is measured and moves camera time on, frames that pass
meanwhile are dropped, painting is free. The delays it prints are in camera time, from the true start until the alert was out.)";

constexpr int kRooms = 4;

struct DemoCommand {
  bool once = false;
  std::string listen;
  uint64_t seed = 0;  // 0 is the episode, over and over
  double fps = 2;     // frames a second, 0.1..30
  std::string events;
  bool json = false;
  int cameras = kRooms;  // 1..16; --once has one
  ModelOptions model;
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

Result<HomeOptions> HomeOptionsOf(const DemoCommand& command) {
  HomeOptions options;
  options.model = command.model;
  options.listen = command.listen;
  options.events = command.events;
  if (!command.listen.empty()) PAWSIGHT_RETURN_IF_ERROR(net::ParseListenAddress(command.listen).status());
  return options;
}

/// The episode on a clock of its own.
int DemoOnce(const DemoCommand& command) {
  const Interrupt interrupt;
  Result<HomeOptions> options = HomeOptionsOf(command);
  if (!options.ok()) return ReportError(options.status());
  options->answer_within = kAnswerWithin;
  const scenes::Episode episode = scenes::DemoEpisode();
  const Result<std::unique_ptr<Home>> home = Home::Open(*options);
  if (!home.ok()) return ReportEnvironmentError(home.status());
  std::vector<events::Camera> cameras(1);
  cameras[0].name = "demo";
  Status furnished = (*home)->Furnish("demo", &cameras, EpisodeRules(episode));
  if (furnished.ok()) furnished = (*home)->Tell({.json = command.json, .answers = false});
  if (!furnished.ok()) return ReportEnvironmentError(furnished);
  if (!command.listen.empty()) (*home)->SayWhere(stderr, "the page");
  gateway::CameraWatch watch((*home)->service().path(), (*home)->frame_clock(), (*home)->owner(), cameras[0].id,
                             (*home)->lines());
  const EpisodeOutcome outcome = PlayEpisode(episode, watch, command.fps, SystemClock().Now(), interrupt.token());
  const bool ended = (*home)->Close();
  if (!interrupt.interrupted()) PrintOutcome(outcome, command.json);
  const int played = outcome.AllTrue() ? kExitOk : kExitFailed;
  const int exit_code = interrupt.interrupted() ? kExitInterrupted : played;
  if (!ended) (*home)->Leave(exit_code);
  return exit_code;
}

/// They show how routing is switched. Artifacts have one precision.
bool HasTwoPools(const DemoCommand& command) { return command.model.artifacts.empty(); }

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

void SayHowToSwitch(std::FILE* out, const GatewayService& service) {
  std::fprintf(out, "Have the int8 weights asked from now on, or bf16's again; /v1/live says who answers:\n");
  for (const char* pool : {"int8", "bf16"}) {
    std::fprintf(out, "  curl -X PUT %s/v1/routing -H 'Authorization: Bearer %s' -d '{\"weights\": {\"%s\": 1}}'\n",
                 service.url().c_str(), service.first_token().c_str(), pool);
  }
}

void SayWhere(const DemoCommand& command, Home& home) {
  std::FILE* const out = command.json ? stderr : stdout;
  const std::string rooms = command.cameras == 1 ? "a drawn room" : std::to_string(command.cameras) + " drawn rooms";
  home.SayWhere(out, rooms);
  std::fprintf(out, "For /v1/backends and /v1/routing, the admin's token:\n  %s\n",
               home.service().first_token().c_str());
  if (HasTwoPools(command)) SayHowToSwitch(out, home.service());
  std::fprintf(out,
               "Alerts go to the page, to this terminal and to a webhook, a small server in this program that "
               "says here what it was sent.\nCtrl-C ends it.\n");
  std::fflush(out);
}

/// Drawn rooms on a real gateway, with its API and its page.
int DemoLive(const DemoCommand& command) {
  const Interrupt interrupt;
  Result<HomeOptions> options = HomeOptionsOf(command);
  if (!options.ok()) return ReportError(options.status());
  options->tells_loopback = true;  // its own webhook
  // Who has the link is who started it, but where others reach the page.
  options->pulls = command.listen.empty() || IsLoopback(net::ParseListenAddress(command.listen).value());
  if (command.listen.empty()) {
    options->listen = "127.0.0.1:" + std::to_string(kDemoPort);
    options->instead = "127.0.0.1:0";
  }
  const Result<std::unique_ptr<Home>> home = Home::Open(*options);
  if (!home.ok()) return ReportError(home.status());
  if (HasTwoPools(command)) {
    if (const Status two = OfferTwoPools((*home)->service(), command.model.precision); !two.ok()) {
      return ReportError(two);
    }
  }
  const Result<std::unique_ptr<DemoWebhook>> webhook = DemoWebhook::Start(command.json);
  if (!webhook.ok()) return ReportEnvironmentError(webhook.status());
  {
    DemoHome rooms(**home);
    Status furnished = rooms.Furnish({.cameras = command.cameras, .seed = command.seed, .fps = command.fps});
    if (furnished.ok()) {
      furnished = (*home)->AddWebhook("this terminal", (*webhook)->url(), (*webhook)->secret());
    }
    if (furnished.ok()) furnished = (*home)->Tell({.json = command.json, .answers = command.json});
    if (!furnished.ok()) return ReportEnvironmentError(furnished);
    SayWhere(command, **home);
    rooms.Play();
    while (!interrupt.interrupted()) gateway::SleepUntil(steady_clock::now() + milliseconds(1000), interrupt.token());
  }
  if (!(*home)->Close()) (*home)->Leave(kExitInterrupted);
  return kExitInterrupted;
}

int Demo(const DemoCommand& command) {
  SetLogLevel(LogLevel::kWarning);  // its lines are for a person: what goes wrong
  if (!command.once) return DemoLive(command);
  if (command.seed != 0) return ReportError(InvalidArgument("--once plays the episode; --seed is for the live demo"));
  return DemoOnce(command);
}

}  // namespace

void AddDemoCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<DemoCommand>();
  CLI::App* app = program.add_subcommand("demo", "watch drawn rooms: alerts in the terminal, on a page, at a webhook");
  app->add_flag("--once", command->once, "play one short episode, check its alerts, exit 0 or 1");
  app->add_option("--listen", command->listen,
                  "serve the page and the API there: HOST:PORT, port 0 is any (default 127.0.0.1:8077)");
  app->add_option("--seed", command->seed, "other rooms; 0: the first plays the episode, over and over")
      ->capture_default_str();
  app->add_option("--fps", command->fps, "frames a second")->check(CLI::Range(0.1, 30.0))->capture_default_str();
  app->add_option("--events", command->events, "file that keeps the events (default: none)");
  app->add_flag("--json", command->json, "JSON lines");
  const CLI::Option* rooms =
      app->add_option("--cameras", command->cameras, "drawn rooms")->check(CLI::Range(1, 16))->capture_default_str();
  AddModelOptions(*app, &command->model);
  app->footer(kFooter);
  app->callback([command, rooms, exit_code] {
    const bool several = rooms->count() > 0 && command->cameras > 1;
    *exit_code =
        command->once && several ? ReportError(InvalidArgument("--once plays one camera's episode")) : Demo(*command);
  });
}

}  // namespace pawsight
