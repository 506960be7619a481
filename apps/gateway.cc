// apps/gateway.cc: `pawsight gateway`: what cameras and owners talk to.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "apps/commands.h"
#include "apps/gateway_options.h"
#include "apps/gateway_service.h"
#include "apps/option_flags.h"
#include "apps/serving.h"
#include "base/log.h"
#include "base/memory.h"
#include "net/connection_room.h"
#include "net/systemd.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;

struct GatewayCommand {
  GatewayOptions options;
  notify::PostOfficeOptions receivers;
  OptionTable table;
  OptionFlags flags;
};

/// What it opens besides connections that come in: the store, threads' own, calls to workers and receivers, and a child
/// for each camera that is pulled.
size_t DescriptorsBesides(const GatewayOptions& options) {
  constexpr size_t kOwn = 256, kOfASource = 4;
  return kOwn + static_cast<size_t>(options.max_outstanding) +
         (options.pull_cameras ? kOfASource * static_cast<size_t>(options.max_pulled) : 0);
}

/// What a person does next; the token is shown this once.
void SayWhatNext(const GatewayService& service) {
  const std::string url = service.url();
  const bool first = !service.first_token().empty();
  std::printf("\nThe gateway is at %s/ and its API is described at %s/openapi.json\n", url.c_str(), url.c_str());
  if (first) {
    std::printf("The admin's token, shown once; it is kept in %s:\n\n  %s\n", service.token_path().c_str(),
                service.first_token().c_str());
  }
  std::printf(
      "\nNext:\n"
      "  ADMIN=$(cat %s)\n"
      "  curl -s %s/v1/owners -H \"Authorization: Bearer $ADMIN\" -d '{\"name\": \"home\"}'\n\n",
      service.token_path().c_str(), url.c_str());
  std::fflush(stdout);
}

/// The file, the environment and the flags read anew; the old settings stand when anything is wrong with them.
void Reload(const OptionFlags& flags, GatewayService& service) {
  GatewayOptions fresh;
  notify::PostOfficeOptions receivers;
  OptionTable table;
  table.Add(fresh);
  table.Add(receivers);
  Status reloaded = ApplyOptions(flags, "PAWSIGHT_GATEWAY_", &table);
  if (reloaded.ok()) reloaded = service.Reload(fresh, receivers);
  service.NoteReload(reloaded.ok());
  if (reloaded.ok()) return LogInfo("settings_reloaded");
  LogError("reload_failed", {{"reason", reloaded.message()}, {"so", "the old settings stand"}});
}

/// Until SIGINT or SIGTERM; tells systemd how we are, reloads at SIGHUP.
void Serve(const Signals& signals, const net::Systemd& systemd, const OptionFlags& flags, GatewayService& service) {
  bool told = false;
  const SystemClock clock;
  MemoryTrim memory(clock);
  for (;;) {
    memory.Look();
    const bool ready = service.Unready().empty();
    if (ready != told) {
      (void)systemd.Notify(ready ? "READY=1\nSTATUS=serving" : "STATUS=not ready");  // systemd's own loss
      LogInfo(ready ? "gateway_ready" : "gateway_not_ready");
      told = ready;
    }
    if (systemd.watchdog()) (void)systemd.Notify("WATCHDOG=1");
    switch (signals.Wait(milliseconds(200))) {
      case SIGINT:
      case SIGTERM:
        return;
      case SIGHUP:
        Reload(flags, service);
        break;
      default:
        break;
    }
  }
}

int RunGateway(const GatewayCommand& command) {
  const auto systemd = net::Systemd::FromEnvironment();
  if (!systemd.ok()) return ReportError(systemd.status());
  const Signals signals;
  const GatewayOptions& options = command.options;
  const Result<int> connections = net::FitConnections(options.max_connections, command.table.IsGiven("max-connections"),
                                                      AllowDescriptors(), DescriptorsBesides(options));
  if (!connections.ok()) return ReportError(connections.status());
  const GatewayExtras extras{.connections = *connections};
  auto service = std::make_unique<GatewayService>(options, command.receivers, extras);
  if (const Status started = service->Start(); !started.ok()) return ReportError(started);
  LogInfo("gateway_started", {{"listens", service->Where()}, {"connections", std::to_string(*connections)}});
  SayWhatNext(*service);
  Serve(signals, *systemd, command.flags, *service);
  signals.LeaveAtNext();
  (void)systemd->Notify("STOPPING=1");  // systemd's own loss
  LogInfo("draining");
  if (!service->Drain()) {
    LogError("drain_incomplete", {{"so", "leaving with work unfinished"}});
    _exit(kExitFailed);  // what hangs would hold the destructors
  }
  service.reset();
  LogInfo("gateway_stopped");
  return kExitOk;
}

int Run(GatewayCommand& command) {
  Status status = ApplyOptions(command.flags, "PAWSIGHT_GATEWAY_", &command.table);
  if (status.ok()) status = CheckGatewayOptions(command.options, command.receivers);
  if (!status.ok()) return ReportError(status);
  if (command.flags.print) std::fputs(command.table.Effective().c_str(), stdout);
  if (command.flags.check) {
    if (!command.flags.print) std::puts("the settings are right");
    return kExitOk;
  }
  return command.flags.print ? kExitOk : RunGateway(command);
}

}  // namespace

void AddGatewayCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<GatewayCommand>();
  command->table.Add(command->options);
  command->table.Add(command->receivers);
  CLI::App& gateway = *program.add_subcommand("gateway", "cameras in, alerts out: the API, rules, receivers, the page");
  gateway.footer(R"(Examples:
  pawsight gateway                                            a whole installation: the model in this process, one file
  pawsight gateway --workers http://gpu-1:8000,http://gpu-2:8000
  PAWSIGHT_GATEWAY_DATA=/var/lib/pawsight pawsight gateway --config pawsight.yaml --print-config
Settings come from --config, then PAWSIGHT_GATEWAY_* of the environment, then flags. SIGTERM: accepted frames are finished; the
second one leaves at once. SIGHUP: the settings are read anew; what cannot change while it runs is named in the log.)");
  AddOptionFlags(gateway, command->table, &command->flags);
  gateway.callback([command, exit_code] { *exit_code = Run(*command); });
}

}  // namespace pawsight
