// apps/worker.cc: `pawsight worker`: the inference tier: the model behind the Open Inference Protocol.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <thread>

#include "apps/commands.h"
#include "apps/measure_peak.h"
#include "apps/open_model.h"
#include "apps/option_flags.h"
#include "apps/serving.h"
#include "apps/worker_metrics.h"
#include "apps/worker_options.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/counted_target.h"
#include "frames/encode.h"
#include "net/access_log.h"
#include "net/http_server.h"
#include "net/systemd.h"
#include "rpc/grpc_endpoint.h"
#include "scenes/draw.h"
#include "server/empty_model.h"
#include "server/http_endpoint.h"
#include "server/served_vqa.h"
#include "server/vqa_engine.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;

/// A drawn room, which any model can be asked about.
Result<std::vector<uint8_t>> CanaryImage() { return frames::EncodeJpeg(scenes::Draw(7, 160, 120).image, 80); }

net::TlsFiles TlsFilesOf(const WorkerOptions& options) {
  return {options.tls_certificate, options.tls_key, options.tls_client_ca};
}

/// What the listeners show and want; what cannot be shown is an error.
Result<net::TlsText> Tls(const WorkerOptions& options) {
  PAWSIGHT_ASSIGN_OR_RETURN(net::TlsText tls, net::ReadTls(TlsFilesOf(options)));
  if (tls.wanted()) PAWSIGHT_RETURN_IF_ERROR(net::TlsContext::Make(tls).status());
  return tls;
}

/// Beyond loopback a token or a certificate is wanted, of who reads metrics too.
Status CheckExposure(const WorkerOptions& options) {
  struct Door {
    const char* name;
    const std::string& listen;
    bool guarded;
    const char* want;
  };
  const bool with_ca = !options.tls_client_ca.empty();
  const bool guarded = !options.token_file.empty() || with_ca;
  const char* const want = "name the file of a bearer token with token-file, or want certificates with tls-client-ca";
  for (const Door& door : {Door{"listen-http", options.listen_http, guarded, want},
                           Door{"listen-grpc", options.listen_grpc, guarded, want},
                           Door{"listen-metrics", options.listen_metrics,
                                !options.metrics_token_file.empty() || (options.metrics_tls && with_ca),
                                "name the file of a bearer token with metrics-token-file, or want certificates with "
                                "metrics-tls and tls-client-ca"}}) {
    if (door.listen.empty()) continue;
    const Result<net::ListenAddress> address = net::ParseListenAddress(door.listen);
    if (!address.ok()) return Annotate(address.status(), door.name);
    const bool loopback = address->host == "::1" || address->host.starts_with("127.");
    if (!loopback && !door.guarded) {
      return InvalidArgument(std::string(door.name) + ": " + door.listen + " is not loopback; " + door.want);
    }
  }
  const Result<net::ListenAddress> http = net::ParseListenAddress(options.listen_http);
  const Result<net::ListenAddress> grpc = net::ParseListenAddress(options.listen_grpc);
  if (http.ok() && grpc.ok() && http->port != 0 && http->port == grpc->port) {
    return InvalidArgument("listen-grpc: " + std::to_string(grpc->port) + " is listen-http's port; give it another");
  }
  if (options.metrics_tls && options.tls_certificate.empty()) {
    return InvalidArgument("metrics-tls: wants tls-certificate and tls-key");
  }
  return Tls(options).status();
}

/// Everything a worker has, bottom up; destructors undo it in reverse.
class Worker {
 public:
  explicit Worker(const WorkerOptions& options)
      : options_(options), endpoint_(repository_, clock_, {.limits = Limits(), .notes = options.access_log != "off"}) {}

  Status Start() {
    PAWSIGHT_RETURN_IF_ERROR(CheckExposure(options_));
    PAWSIGHT_RETURN_IF_ERROR(StartAccessLog());
    PAWSIGHT_RETURN_IF_ERROR(StartModel());
    PAWSIGHT_RETURN_IF_ERROR(StartHttp());
    PAWSIGHT_RETURN_IF_ERROR(StartGrpc());
    return StartMetrics();
  }

  bool Ready() const { return repository_.Ready(); }
  void Tell(bool ready) {
    if (grpc_) grpc_->SetReady(ready);
  }
  /// At least each second.
  void SamplePeakShare() {
    if (peak_share_) peak_share_->Sample(clock_.Monotonic(), operations_.total());
  }
  Status ReopenAccessLog() { return access_log_ ? access_log_->Reopen() : Ok(); }
  bool has_tls() const { return !options_.tls_certificate.empty(); }
  Status ReloadModel() { return served_ ? served_->Reload() : Ok(); }
  /// New connections are shown what the files hold now, or on an error what was shown before.
  Status ReloadTls() {
    PAWSIGHT_ASSIGN_OR_RETURN(const net::TlsText tls, Tls(options_));
    if (http_) PAWSIGHT_RETURN_IF_ERROR(http_->SetTls(tls));
    if (metrics_ && options_.metrics_tls) PAWSIGHT_RETURN_IF_ERROR(metrics_->SetTls(tls));
    return grpc_ ? grpc_->SetTls(tls) : Ok();
  }

  /// Not ready at once; accepted work is finished, within the limit. False: some is still running.
  bool Drain() {
    repository_.Leave();
    Tell(false);
    const bool drained = !served_ || served_->Drain(options_.drain_limit);
    if (grpc_) grpc_->Stop(milliseconds(1000));
    if (http_) http_->Stop();
    return drained;
  }

  std::string Where() const {
    std::string where;
    if (http_) where += " " + http_->url();
    if (grpc_) where += " grpc://" + grpc_host_ + ":" + std::to_string(grpc_->port());
    if (metrics_) where += " " + metrics_->url() + "/metrics";
    return where.empty() ? where : where.substr(1);
  }

 private:
  static int Cores() { return static_cast<int>(std::max(1U, std::thread::hardware_concurrency())); }
  ModelOptions Model() {
    const int threads = options_.threads != 0 ? options_.threads : std::max(1, Cores() / options_.teams);
    return {.model = options_.model,
            .artifacts = options_.artifacts,
            .precision = options_.precision,
            .kernels = options_.cpu,
            .threads = threads,
            .teams = options_.teams,
            .operations = &operations_,
            .verify = true};  // what a reload puts in the old one's place has no flipped bit
  }

  /// What the threads of the model could do, before they are busy.
  Status StartPeakShare(const ModelOptions& model) {
    double peak = options_.peak_gops * 1e9;
    if (peak == 0) {
      PAWSIGHT_ASSIGN_OR_RETURN(const kernels::Kernels* const kernels, kernels::Choose(model.kernels));
      PAWSIGHT_ASSIGN_OR_RETURN(const engine::Precision precision, PrecisionOf(model));
      peak = MeasurePeak(*kernels, precision, kQuickPeak);
    }
    peak_share_.emplace(peak * std::min(Cores(), model.threads * model.teams));
    return Ok();
  }

  Status StartModel() {
    if (options_.empty_model) {
      repository_.Put(std::make_shared<server::EmptyModel>());
      return Ok();
    }
    const ModelOptions model = Model();
    PAWSIGHT_RETURN_IF_ERROR(StartPeakShare(model));
    server::ServedVqaOptions served;
    PAWSIGHT_ASSIGN_OR_RETURN(served.canary_image, CanaryImage());
    served.canary_interval = options_.canary_interval;
    served.canary_limit = options_.canary_limit;
    served.batcher.num_runners = options_.teams;
    served.batcher.num_decoders = options_.decoders;
    served.limits = {options_.max_images, options_.max_questions};
    server::ScheduleOptions& schedule = served.batcher.schedule;
    schedule.max_batch = options_.max_batch;
    schedule.max_queue_delay = options_.max_queue_delay;
    schedule.queue_limit = options_.queue_limit;
    schedule.request_limit = options_.request_limit;
    schedule.bytes_limit = options_.queue_bytes.value;
    schedule.shed_target = options_.shed_target;
    schedule.default_timeout = options_.default_timeout;
    const frames::DecodeLimits images{.max_pixels = options_.max_pixels};
    const auto open = [model, images]() -> Result<std::shared_ptr<server::Engine>> {
      PAWSIGHT_ASSIGN_OR_RETURN(engine::Vqa vqa, OpenModel(model));
      return std::shared_ptr<server::Engine>(server::MakeVqaEngine(std::move(vqa), images));
    };
    PAWSIGHT_ASSIGN_OR_RETURN(served_, server::ServedVqa::Start(served, open, clock_));
    for (const std::shared_ptr<server::Model>& served_one : served_->models()) repository_.Put(served_one);
    return Ok();
  }

  Status StartHttp() {
    if (options_.listen_http.empty()) return Ok();
    net::HttpServerOptions http;
    PAWSIGHT_ASSIGN_OR_RETURN(http.listen, net::ParseListenAddress(options_.listen_http));
    PAWSIGHT_ASSIGN_OR_RETURN(http.token, ReadSecret(options_.token_file));
    PAWSIGHT_ASSIGN_OR_RETURN(http.tls, Tls(options_));
    http.io_threads = options_.http_threads;
    http.max_connections = static_cast<size_t>(options_.max_connections);
    http.handshake_timeout = options_.handshake_timeout;
    http.header_timeout = options_.header_timeout;
    http.max_header_bytes = options_.header_bytes.value;
    http.body_timeout = options_.body_timeout;
    http.min_body_rate = options_.body_rate.value;
    http.idle_timeout = options_.idle_timeout;
    http.write_timeout = options_.write_timeout;
    http.max_body_bytes = options_.max_body.value;
    http.max_bytes_in_flight = options_.max_bytes_in_flight.value;
    if (access_log_) http.answered = net::LogTo(*access_log_, "http");
    http.refuse = server::HttpEndpoint::Refusal;
    http.public_paths = {"/v2/health/live", "/v2/health/ready"};
    endpoint_.AddRoutes(routes_);
    PAWSIGHT_ASSIGN_OR_RETURN(http_, net::HttpServer::Start(http, routes_));
    return Ok();
  }

  Status StartGrpc() {
    if (options_.listen_grpc.empty()) return Ok();
    PAWSIGHT_ASSIGN_OR_RETURN(const net::ListenAddress listen, net::ParseListenAddress(options_.listen_grpc));
    grpc_host_ = listen.host.find(':') == std::string::npos ? listen.host : "[" + listen.host + "]";
    rpc::GrpcEndpointOptions grpc;
    grpc.listen = grpc_host_ + ":" + std::to_string(listen.port);  // gRPC itself takes ":8001" for every address
    PAWSIGHT_ASSIGN_OR_RETURN(grpc.token, ReadSecret(options_.token_file));
    PAWSIGHT_ASSIGN_OR_RETURN(grpc.tls, Tls(options_));
    grpc.max_message_bytes = options_.max_body.value;
    grpc.max_calls = options_.max_calls;
    grpc.max_growth_bytes = options_.max_growth.value;
    grpc.max_idle = options_.idle_timeout;
    grpc.handshake_timeout = options_.handshake_timeout;
    grpc.limits = Limits();
    grpc.access_log = access_log_.get();
    PAWSIGHT_ASSIGN_OR_RETURN(grpc_, rpc::GrpcEndpoint::Start(grpc, repository_, clock_));
    return Ok();
  }

  Status StartAccessLog() {
    if (options_.access_log == "off") return Ok();
    const net::AccessLogOptions log{options_.access_log, options_.access_log_rate};
    PAWSIGHT_ASSIGN_OR_RETURN(access_log_, net::AccessLog::Open(log, clock_));
    return Ok();
  }

  /// What a request may hold; the largest body is also the largest JSON.
  protocol::InferLimits Limits() const { return {.max_json_bytes = options_.max_body.value}; }

  Status StartMetrics() {
    if (options_.listen_metrics.empty()) return Ok();
    net::HttpServerOptions http;
    PAWSIGHT_ASSIGN_OR_RETURN(http.listen, net::ParseListenAddress(options_.listen_metrics));
    PAWSIGHT_ASSIGN_OR_RETURN(http.token, ReadSecret(options_.metrics_token_file));
    if (options_.metrics_tls) {
      PAWSIGHT_ASSIGN_OR_RETURN(http.tls, Tls(options_));
    }
    metrics_routes_.Add("GET", "/metrics", [this](const net::HttpRequest&) {
      return net::HttpResponse{200,
                               "text/plain; version=0.0.4; charset=utf-8",
                               WorkerMetrics({.batcher = served_ ? &served_->batcher() : nullptr,
                                              .http = http_.get(),
                                              .grpc = grpc_.get(),
                                              .access_log = access_log_.get(),
                                              .operations = &operations_,
                                              .peak_share = peak_share_ ? &*peak_share_ : nullptr,
                                              .now = clock_.Monotonic(),
                                              .precision = options_.precision}),
                               {}};
    });
    PAWSIGHT_ASSIGN_OR_RETURN(metrics_, net::HttpServer::Start(http, metrics_routes_));
    return Ok();
  }

  const WorkerOptions& options_;
  const SystemClock clock_;
  std::unique_ptr<net::AccessLog> access_log_;  // outlives who writes to it; null: off
  engine::OperationCount operations_;           // outlives the model
  std::optional<engine::PeakShare> peak_share_;
  std::unique_ptr<server::ServedVqa> served_;  // outlives who asks it
  server::Repository repository_;
  server::HttpEndpoint endpoint_;
  net::Router routes_, metrics_routes_;
  std::string grpc_host_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<rpc::GrpcEndpoint> grpc_;
  std::unique_ptr<net::HttpServer> metrics_;
};

void SayReloaded(const std::string& what, const Status& reloaded) {
  if (reloaded.ok()) {
    LogInfo(what + "_reloaded");
  } else {
    LogError("reload_failed", {{"reason", reloaded.message()}, {"so", "the old " + what + " serves on"}});
  }
}

void Reload(Worker& worker) {
  if (const Status reopened = worker.ReopenAccessLog(); !reopened.ok()) {
    LogError("access_log_not_reopened", {{"reason", reopened.message()}, {"so", "the old file is written on"}});
  }
  if (worker.has_tls()) SayReloaded("certificate", worker.ReloadTls());
  SayReloaded("model", worker.ReloadModel());
}

/// Until SIGINT or SIGTERM: tells gRPC's health and systemd how we are, reloads at SIGHUP.
void Serve(const Signals& signals, const net::Systemd& systemd, Worker& worker) {
  bool told = false;
  const SystemClock clock;
  MemoryTrim memory(clock);
  for (;;) {
    memory.Look();
    worker.SamplePeakShare();
    const bool ready = worker.Ready();
    if (ready != told) {
      worker.Tell(ready);
      (void)systemd.Notify(ready ? "READY=1\nSTATUS=serving" : "STATUS=not ready");  // systemd's own loss
      told = ready;
    }
    if (ready && systemd.watchdog()) (void)systemd.Notify("WATCHDOG=1");
    switch (signals.Wait(milliseconds(200))) {
      case SIGINT:
      case SIGTERM:
        return;
      case SIGHUP:
        Reload(worker);
        break;
      default:
        break;
    }
  }
}

int RunWorker(const WorkerOptions& options) {
  const auto systemd = net::Systemd::FromEnvironment();
  if (!systemd.ok()) return ReportError(systemd.status());
  const Signals signals;
  (void)AllowDescriptors();  // what does not fit waits or is refused
  auto worker = std::make_unique<Worker>(options);
  if (const Status started = worker->Start(); !started.ok()) return ReportError(started);
  LogInfo("worker_started", {{"listens", worker->Where()}});
  Serve(signals, *systemd, *worker);
  signals.LeaveAtNext();
  (void)systemd->Notify("STOPPING=1");  // systemd's own loss
  LogInfo("draining");
  if (!worker->Drain()) {
    LogError("drain_incomplete", {{"so", "leaving with work unfinished"}});
    _exit(kExitFailed);  // a batch that hangs would hold the destructors
  }
  worker.reset();
  LogInfo("worker_stopped");
  return kExitOk;
}

struct WorkerCommand {
  WorkerOptions options;
  OptionTable table;
  OptionFlags flags;
};

int Run(WorkerCommand& command) {
  Status status = ApplyOptions(command.flags, "PAWSIGHT_WORKER_", &command.table);
  if (status.ok()) status = CheckExposure(command.options);
  if (!status.ok()) return ReportError(status);
  if (command.flags.print) std::fputs(command.table.Effective().c_str(), stdout);
  if (command.flags.check) {
    if (!command.flags.print) std::puts("the settings are right");
    return kExitOk;
  }
  return command.flags.print ? kExitOk : RunWorker(command.options);
}

}  // namespace

void AddWorkerCommand(CLI::App& program, int* exit_code) {
  auto command = std::make_shared<WorkerCommand>();
  command->table.Add(command->options);
  CLI::App& worker = *program.add_subcommand("worker", "serve the model by the Open Inference Protocol, HTTP and gRPC");
  worker.footer(R"(Examples:
  pawsight worker                                             pawsight-mini on loopback
  pawsight worker --artifacts blip-int8 --teams 2 --threads 1 two forward passes at once
  PAWSIGHT_WORKER_MAX_BATCH=16 pawsight worker --config worker.yaml --print-config
Settings come from --config, then PAWSIGHT_WORKER_* of the environment, then flags. SIGTERM: not ready at once, accepted work
is finished; the second one leaves at once. SIGHUP: the access log is opened anew, the certificate read anew, the
model opened anew and tried; what is good takes the old one's place.)");
  AddOptionFlags(worker, command->table, &command->flags);
  worker.callback([command, exit_code] { *exit_code = Run(*command); });
}

}  // namespace pawsight
