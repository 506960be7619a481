#include "apps/gateway_service.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <optional>
#include <unordered_map>

#include "apps/backend_clients.h"
#include "apps/embedded_worker.h"
#include "apps/gateway_metrics.h"
#include "apps/receiver_keys.h"
#include "apps/serving.h"
#include "base/files.h"
#include "base/log.h"
#include "gateway/api/api.h"
#include "gateway/api/backends_api.h"
#include "gateway/api/store_record.h"
#include "gateway/offered.h"
#include "gateway/path/owner_view.h"
#include "gateway/path/puller.h"
#include "net/access_log.h"
#include "net/http_server.h"
#include "notify/seal_store.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;

constexpr const char* kEmbeddedPool = "embedded";
constexpr const char* kWorkersPool = "workers";
constexpr const char* kWorkersCredential = "workers";
constexpr size_t kMaxPemBytes = 1U << 20U;
constexpr milliseconds kEndLimit{10'000};  // for calls that are open when nothing more comes

Result<net::TlsText> TlsOf(const GatewayOptions& options) {
  PAWSIGHT_ASSIGN_OR_RETURN(net::TlsText tls, net::ReadTls({options.tls_certificate, options.tls_key, ""}));
  if (tls.wanted()) PAWSIGHT_RETURN_IF_ERROR(net::TlsContext::Make(tls).status());
  return tls;
}

/// "grpc://w:8001" is "w:8001" of kind grpc; the rest says what it is.
Result<gateway::EndpointConfig> EndpointOf(const std::string& url) {
  if (url.starts_with("http://") || url.starts_with("https://")) {
    return gateway::EndpointConfig{"http", url, kWorkersCredential};
  }
  if (url.starts_with("grpc://")) return gateway::EndpointConfig{"grpc", url.substr(7), kWorkersCredential};
  if (url.starts_with("grpcs://")) return gateway::EndpointConfig{"grpc", url, kWorkersCredential};
  return InvalidArgument("workers: want http://, https://, grpc:// or grpcs://, not " + JsonQuote(url));
}

/// The pool that the settings describe.
Result<gateway::PoolsConfig> PoolsOf(const GatewayOptions& options) {
  gateway::PoolConfig pool;
  pool.name = options.workers.empty() ? kEmbeddedPool : kWorkersPool;
  pool.price_per_hour = options.price_per_hour;
  if (options.workers.empty()) {
    pool.endpoints.push_back({"embedded", "", ""});
    pool.attempt_timeout = std::max(pool.attempt_timeout, options.answer_within);  // nobody else could answer
  }
  for (const std::string& url : options.workers) {
    PAWSIGHT_ASSIGN_OR_RETURN(gateway::EndpointConfig endpoint, EndpointOf(url));
    pool.endpoints.push_back(std::move(endpoint));
  }
  return gateway::PoolsConfig{{std::move(pool)}};
}

Result<BackendCredential> CredentialOf(const GatewayOptions& options) {
  BackendCredential credential;
  Result<std::string> token = ReadSecret(options.worker_token_file);
  if (!token.ok()) return Annotate(token.status(), "worker-token-file");
  credential.token = *std::move(token);
  if (options.worker_ca.empty()) return credential;
  Result<std::string> ca = ReadTextFile(options.worker_ca, kMaxPemBytes);
  if (!ca.ok()) return Annotate(ca.status(), "worker-ca");
  credential.ca_pem = *std::move(ca);
  return credential;
}

/// A model in this process is loaded at the start only.
bool WorkersMayChange(const GatewayOptions& current, const GatewayOptions& fresh) {
  return current.workers.empty() == fresh.workers.empty();
}

gateway::AutoscaleView ScalingOf(const GatewayOptions& options) {
  return {.capacity_per_s = options.worker_capacity,
          .target = options.autoscale_target,
          .least = options.workers_least,
          .most = options.workers_most};
}

gateway::RoutingConfig RoutingTo(const gateway::PoolsConfig& pools) {
  gateway::RoutingConfig routing;
  routing.weights.emplace_back(pools.pools.front().name, 1);
  return routing;
}

Result<std::string> DataDirectory(const GatewayOptions& options) {
  std::string path = options.data;
  if (path.empty()) {
    Result<std::string> found = DefaultDataDir();
    if (!found.ok()) return Annotate(found.status(), "data");
    path = *std::move(found);
  }
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return FailedPrecondition("data: " + path + " cannot be made: " + error.message());
  return path;
}

/// Held while the process lives, so that two gateways do not tell one alert twice.
class DirectoryLock {
 public:
  ~DirectoryLock() {
    if (fd_ >= 0) close(fd_);
  }
  Status Take(const std::string& path) {
    fd_ = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
    if (fd_ < 0) return Unavailable("data: " + path + " cannot be opened");
    if (flock(fd_, LOCK_EX | LOCK_NB) == 0) return Ok();
    return FailedPrecondition("data: another gateway runs in this directory (" + path + ")", "in_use");
  }

 private:
  int fd_ = -1;
};

events::StoreOptions StoreOptionsOf(const GatewayOptions& options, bool lasts) {
  events::StoreOptions store;
  store.durable = lasts;
  store.num_readers = std::min(16, 1 + options.http_threads);
  store.retention.events = options.keep_events;
  store.retention.alerts = options.keep_events;
  store.retention.deliveries = options.keep_deliveries;
  store.retention.audit = options.keep_events;
  return store;
}

/// Brings the receivers' secrets under the newest key and says what is wrong with them.
Status SealSecrets(events::Store& store, const notify::SecretKeys& keys) {
  PAWSIGHT_ASSIGN_OR_RETURN(const notify::SealReport report, notify::SealReceivers(store, keys));
  if (report.num_unsealed > 0) {
    LogWarning("secrets_sealed", {{"receivers", std::to_string(report.num_unsealed)},
                                  {"so", "copies of the store from before still have them in clear"}});
  }
  if (report.num_resealed > 0) LogInfo("secrets_resealed", {{"receivers", std::to_string(report.num_resealed)}});
  if (report.num_broken > 0) {
    LogError("secrets_do_not_open", {{"receivers", std::to_string(report.num_broken)},
                                     {"so", "put the key back that sealed them, or give these receivers new secrets"}});
  }
  return Ok();
}

gateway::FramePathOptions PathOptionsOf(const GatewayOptions& options) {
  gateway::FramePathOptions path;
  path.gate_threads = options.gate_threads;
  path.max_outstanding = options.max_outstanding;
  path.max_cameras = static_cast<size_t>(options.max_cameras);
  path.max_frame_bytes = options.max_frame.value;
  path.max_waiting_bytes = options.waiting_bytes.value;
  path.max_owner_bytes = std::max<size_t>(options.waiting_bytes.value / 2, options.max_frame.value);
  path.max_kept_bytes = options.kept_bytes.value;
  path.device_rate = options.device_rate;
  path.device_burst = options.device_burst;
  path.answer_within = options.answer_within;
  return path;
}

/// What of an owner's cameras is pulled.
std::vector<gateway::Pull> PullsOf(const std::vector<events::Camera>& cameras) {
  std::vector<gateway::Pull> pulls;
  for (const events::Camera& camera : cameras) {
    if (camera.enabled && !camera.source.empty()) {
      pulls.push_back({camera.id, camera.source, gateway::TuningOf(camera).fps});
    }
  }
  return pulls;
}

/// What home automations show of an owner: its cameras, each with the rules that look through it.
std::vector<notify::CameraInventory> InventoryOf(const gateway::Registry::Brought& brought) {
  std::vector<gateway::CameraSetup> setups;
  std::vector<notify::CameraInventory> cameras;
  for (const events::Camera& camera : brought.cameras) {
    if (!camera.enabled) continue;
    setups.push_back({camera.id, gateway::LabelsFromTexts(camera.labels)});
    cameras.push_back({camera.id, camera.name, {}});
  }
  std::unordered_map<std::string_view, size_t> places;
  for (size_t i = 0; i < setups.size(); ++i) places.emplace(setups[i].id, i);
  const Result<gateway::Looking> looking = gateway::FindLooking(setups, places, brought.rules);
  CHECK(looking.ok());  // the path has taken these
  for (size_t i = 0; i < cameras.size(); ++i) {
    for (const size_t rule : looking->rules[i]) {
      cameras[i].rules.push_back({brought.rules[rule].id, brought.rules[rule].question.text(), std::nullopt});
    }
  }
  return cameras;
}

/// Everything that `fresh` has otherwise than `current`, but what may change while it runs.
template <typename Options>
void SayWhatWaits(Options current, Options fresh, const std::vector<std::string>& live) {
  OptionTable before, after;
  before.Add(current);
  after.Add(fresh);
  for (size_t i = 0; i < after.entries().size(); ++i) {
    const OptionTable::Entry& entry = after.entries()[i];
    if (std::find(live.begin(), live.end(), entry.name) != live.end()) continue;
    if (entry.print() == before.entries()[i].print()) continue;
    LogWarning("setting_waits_for_restart", {{"setting", entry.name}});
  }
}

}  // namespace

Status CheckGatewayOptions(const GatewayOptions& options, const notify::PostOfficeOptions& receivers) {
  const Result<net::ListenAddress> listen = net::ParseListenAddress(options.listen);
  if (!listen.ok()) return Annotate(listen.status(), "listen");
  if (!options.listen_metrics.empty()) {
    const Result<net::ListenAddress> metrics = net::ParseListenAddress(options.listen_metrics);
    if (!metrics.ok()) return Annotate(metrics.status(), "listen-metrics");
  }
  if (options.workers_least > options.workers_most) return InvalidArgument("workers-least: more than workers-most");
  PAWSIGHT_RETURN_IF_ERROR(CheckSecretFile("tls-key", options.tls_key, options.open_secrets));
  PAWSIGHT_RETURN_IF_ERROR(CheckSecretFile("worker-token-file", options.worker_token_file, options.open_secrets));
  PAWSIGHT_RETURN_IF_ERROR(CredentialOf(options).status());
  PAWSIGHT_RETURN_IF_ERROR(TlsOf(options).status());
  PAWSIGHT_RETURN_IF_ERROR(PoolsOf(options).status());
  const auto networks = notify::ParseAddressPolicy(receivers.allowed_networks);
  return networks.ok() ? Ok() : Annotate(networks.status(), "receiver-networks");
}

/// Destructors go from the bottom up: what a callback may still need stands above who calls it, so that the stores,
/// whose last writes go through the records and ask the registry, end before these.
struct GatewayService::Parts {
  Parts(const GatewayOptions& given, const notify::PostOfficeOptions& given_receivers,
        const GatewayExtras& given_extras)
      : options(given), receivers(given_receivers), extras(given_extras), scaling(ScalingOf(given)) {}
  ~Parts() { End(); }

  GatewayOptions options;  // those in force; Reload's and the starting thread's
  const notify::PostOfficeOptions receivers;
  const GatewayExtras extras;
  mutable Mutex scaling_mu;
  gateway::AutoscaleView scaling GUARDED_BY(scaling_mu);
  BackendCredential shown;  // to workers
  const SystemClock clock;
  std::string data;
  std::string first_token;
  std::atomic<bool> draining{false};
  std::atomic<bool> reload_ok{true};
  DirectoryLock lock;
  std::unique_ptr<net::AccessLog> access_log;
  std::unique_ptr<EmbeddedWorkers> workers;
  std::unique_ptr<BackendClients> clients;
  std::unique_ptr<gateway::Registry> registry;
  std::unique_ptr<gateway::StoreRecord> record;
  std::unique_ptr<gateway::EventRecord> event_record;  // null without a file of events
  std::unique_ptr<events::Store> store;
  std::unique_ptr<notify::PostOffice> office;
  std::unique_ptr<events::Store> event_store;
  std::unique_ptr<gateway::OfferedMeter> meter;
  std::unique_ptr<gateway::Backends> backends;
  std::unique_ptr<gateway::FramePath> path;
  std::unique_ptr<gateway::Puller> puller;
  std::unique_ptr<gateway::GatewayApi> api;
  net::Router metrics_routes;
  std::unique_ptr<net::HttpServer> http;
  std::unique_ptr<net::HttpServer> metrics;

  /// Also after a start that failed half way, with calls and frames inside: ends what comes in, then what is on its
  /// way, so that nothing is called back that has gone, and what was acknowledged is on disk.
  void End();
  Status OpenData();
  Status StartWorkers();
  Status StartPath();
  Status StartApi();
  Status Listen();
  /// Takes over the workers, and what they are shown and cost, of settings that are in order. Pools that were put by
  /// the API stay, which is logged, and are shown the same.
  Status ReloadWorkers(const GatewayOptions& fresh);
  gateway::AutoscaleView Autoscale() const;
  std::vector<std::string> Unready() const;
};

void GatewayService::Parts::End() {
  if (http) http->Stop();
  if (metrics) metrics->Stop();
  if (registry) registry->Stop();  // first: its thread sets up the sources and the path
  puller.reset();
  if (path) path->Stop();
  if (record) record->Stop();  // its thread writes to the store
  if (api && !api->Drain(kEndLimit)) {
    LogError("calls_unanswered", {{"so", "the store closes on them"}});
    store->Close();  // answers those that wait for it while the API still stands
    (void)api->Drain(kEndLimit);
  }
}

Status GatewayService::Parts::OpenData() {
  PAWSIGHT_ASSIGN_OR_RETURN(data, DataDirectory(options));
  PAWSIGHT_RETURN_IF_ERROR(lock.Take(data + "/gateway.lock"));
  PAWSIGHT_ASSIGN_OR_RETURN(store,
                            events::Store::Open(data + "/gateway.sqlite", StoreOptionsOf(options, extras.lasts)));
  if (!extras.events.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(event_store, events::Store::Open(extras.events));
  }
  const std::string key_path = options.receiver_keys.empty() ? data + "/receiver.keys" : options.receiver_keys;
  PAWSIGHT_ASSIGN_OR_RETURN(notify::SecretKeys keys, OpenReceiverKeys(key_path, options.open_secrets, *store));
  PAWSIGHT_RETURN_IF_ERROR(SealSecrets(*store, keys));
  PAWSIGHT_ASSIGN_OR_RETURN(office, notify::PostOffice::Open(*store, clock, receivers, std::move(keys)));
  PAWSIGHT_ASSIGN_OR_RETURN(first_token,
                            gateway::MakeAdmin(*store, clock, options.new_admin, [this](const std::string& token) {
                              return WriteSecret(data + "/admin.token", token + "\n");
                            }));
  return Ok();
}

Status GatewayService::Parts::StartWorkers() {
  BackendClients::Embedded embedded;
  if (options.workers.empty()) {
    const ModelOptions model{.model = options.model,
                             .artifacts = options.artifacts,
                             .precision = options.precision,
                             .kernels = options.cpu,
                             .threads = options.threads};
    workers = std::make_unique<EmbeddedWorkers>(model, clock);
    PAWSIGHT_RETURN_IF_ERROR(workers->MakeClient("").status());  // what is wrong with the model is known at the start
    embedded = [this](const std::string& precision) { return workers->MakeClient(precision); };
  }
  PAWSIGHT_ASSIGN_OR_RETURN(shown, CredentialOf(options));
  clients = std::make_unique<BackendClients>(std::map<std::string, BackendCredential>{{kWorkersCredential, shown}},
                                             std::move(embedded));
  backends = std::make_unique<gateway::Backends>(
      gateway::BackendsOptions{}, [this](const gateway::EndpointConfig& endpoint) { return clients->Make(endpoint); },
      clock);
  meter = std::make_unique<gateway::OfferedMeter>(*backends, clock);
  return Ok();
}

Status GatewayService::Parts::StartPath() {
  record = std::make_unique<gateway::StoreRecord>(*store, clock, options.keep_pictures);
  gateway::Record* to = record.get();
  if (event_store != nullptr) {
    event_record = std::make_unique<gateway::EventRecord>(*event_store, *record, *extras.names);
    to = event_record.get();
  }
  const Clock& frame_clock = extras.frame_clock == nullptr ? clock : *extras.frame_clock;
  path = std::make_unique<gateway::FramePath>(*meter, to, frame_clock, PathOptionsOf(options));
  puller = std::make_unique<gateway::Puller>(
      [this](gateway::Submission submission) { return path->Submit(std::move(submission)); }, clock,
      gateway::PullerOptions{.max_sources = static_cast<size_t>(options.max_pulled), .silence = options.pull_silence});
  registry = std::make_unique<gateway::Registry>(*store, *path);
  registry->SetListener([this](const gateway::Registry::Brought& brought) {
    if (extras.names != nullptr) extras.names->Learn(brought);
    const Status set =
        puller->SetOwner(brought.owner, options.pull_cameras ? PullsOf(brought.cameras) : std::vector<gateway::Pull>());
    if (!set.ok()) LogError("pulls_refused", {{"owner", brought.owner}, {"reason", set.message()}});
    std::optional<std::vector<notify::CameraInventory>> inventory;
    for (const events::Receiver& receiver : brought.receivers) {
      if (receiver.kind != "mqtt" || !receiver.active) continue;
      if (!inventory) inventory = InventoryOf(brought);
      office->notifier().Announce({brought.owner, receiver.id}, *inventory);
    }
  });
  record->SetRegistry(*registry);
  return Ok();
}

gateway::AutoscaleView GatewayService::Parts::Autoscale() const {
  gateway::AutoscaleView view;
  {
    MutexLock held(scaling_mu);
    view = scaling;
  }
  view.offered_per_s = meter->PerSecond() + path->ShedPerSecond();
  return view;
}

std::vector<std::string> GatewayService::Parts::Unready() const {
  std::vector<std::string> reasons;
  if (draining) reasons.emplace_back("draining");
  if (const Status writable = store->Stats().writable; !writable.ok()) {
    reasons.push_back("alerts cannot be recorded: " + writable.message());
  }
  if (!backends->HasHealthyEndpoint()) reasons.emplace_back("no worker answers");
  return reasons;
}

Status GatewayService::Parts::StartApi() {
  gateway::ApiOptions how;
  how.authenticator.max_wrong = static_cast<size_t>(options.wrong_tokens);
  how.cameras = {options.pull_cameras, static_cast<size_t>(options.owner_cameras)};
  how.frames.ask_within = options.answer_within;
  how.frames.max_frame_bytes = options.max_frame.value;
  const auto factory = [this](const gateway::EndpointConfig& endpoint) { return clients->Make(endpoint); };
  api = std::make_unique<gateway::GatewayApi>(
      gateway::ApiParts{
          *store, *path, *registry, *backends, factory, *meter, *office, clock, [this] { return Unready(); },
          [this] {
            return GatewayMetrics({.path = *path,
                                   .backends = *backends,
                                   .store = *store,
                                   .notifier = office->notifier(),
                                   .puller = *puller,
                                   .pictures = record->pictures(),
                                   .http = http.get(),
                                   .access_log = access_log.get(),
                                   .offered_per_s = meter->PerSecond(),
                                   .reload_ok = reload_ok});
          },
          [this] { return Autoscale(); }, [this](const std::string& owner) { return puller->Stats(owner); }},
      how);
  PAWSIGHT_ASSIGN_OR_RETURN(const gateway::PoolsConfig pools, PoolsOf(options));
  PAWSIGHT_RETURN_IF_ERROR(api->LoadBackends(pools, RoutingTo(pools)));
  return registry->Load();
}

Status GatewayService::Parts::Listen() {
  if (options.access_log != "off") {
    const net::AccessLogOptions log{options.access_log, options.access_log_rate};
    PAWSIGHT_ASSIGN_OR_RETURN(access_log, net::AccessLog::Open(log, clock));
  }
  net::HttpServerOptions how;
  PAWSIGHT_ASSIGN_OR_RETURN(how.listen, net::ParseListenAddress(options.listen));
  PAWSIGHT_ASSIGN_OR_RETURN(how.tls, TlsOf(options));
  if (!IsLoopback(how.listen) && !how.tls.wanted()) {
    LogWarning("tokens_in_clear", {{"listen", options.listen}, {"so", "put TLS before it, or set tls-certificate"}});
  }
  how.io_threads = options.http_threads;
  how.max_connections = static_cast<size_t>(extras.connections > 0 ? extras.connections : options.max_connections);
  how.max_body_bytes = options.max_body.value;
  how.allowed_hosts = options.hosts;
  if (access_log) how.answered = net::LogTo(*access_log, "api");
  api->Prepare(&how);
  PAWSIGHT_ASSIGN_OR_RETURN(http, net::HttpServer::Start(how, api->router()));
  if (options.listen_metrics.empty()) return Ok();
  net::HttpServerOptions plain;
  PAWSIGHT_ASSIGN_OR_RETURN(plain.listen, net::ParseListenAddress(options.listen_metrics));
  metrics_routes.Add("GET", "/metrics", [this](const net::HttpRequest&) { return api->Metrics(); });
  PAWSIGHT_ASSIGN_OR_RETURN(metrics, net::HttpServer::Start(plain, metrics_routes));
  return Ok();
}

bool IsLoopback(const net::ListenAddress& address) { return address.host == "::1" || address.host.starts_with("127."); }

GatewayService::GatewayService(const GatewayOptions& options, const notify::PostOfficeOptions& receivers,
                               const GatewayExtras& extras)
    : parts_(std::make_unique<Parts>(options, receivers, extras)) {}
GatewayService::~GatewayService() = default;

Status GatewayService::Start() {
  PAWSIGHT_RETURN_IF_ERROR(CheckGatewayOptions(parts_->options, parts_->receivers));
  umask(0077);  // the store and its keys are nobody else's
  // The disk and the model are waited for together: neither needs the other, and both take a while.
  std::future<Status> opened = std::async(std::launch::async, [this] { return parts_->OpenData(); });
  const Status workers = parts_->StartWorkers();
  PAWSIGHT_RETURN_IF_ERROR(opened.get());
  PAWSIGHT_RETURN_IF_ERROR(workers);
  PAWSIGHT_RETURN_IF_ERROR(parts_->StartPath());
  PAWSIGHT_RETURN_IF_ERROR(parts_->StartApi());
  return parts_->extras.serves ? parts_->Listen() : Ok();
}

std::string GatewayService::url() const { return parts_->http ? parts_->http->url() : ""; }
std::string GatewayService::Where() const {
  return url() + (parts_->metrics ? " " + parts_->metrics->url() + "/metrics" : "");
}
const std::string& GatewayService::first_token() const { return parts_->first_token; }
std::string GatewayService::token_path() const { return parts_->data + "/admin.token"; }
events::Store& GatewayService::store() { return *parts_->store; }
gateway::Registry& GatewayService::registry() { return *parts_->registry; }
gateway::FramePath& GatewayService::path() { return *parts_->path; }
const notify::SecretKeys& GatewayService::receiver_keys() const { return parts_->office->keys(); }
const gateway::EventRecord* GatewayService::events() const { return parts_->event_record.get(); }
Status GatewayService::LoadBackends(const gateway::PoolsConfig& pools, const gateway::RoutingConfig& routing) {
  return parts_->api->LoadBackends(pools, routing);
}
std::vector<std::string> GatewayService::Unready() const { return parts_->Unready(); }
void GatewayService::NoteReload(bool ok) { parts_->reload_ok = ok; }

Status GatewayService::Parts::ReloadWorkers(const GatewayOptions& fresh) {
  PAWSIGHT_ASSIGN_OR_RETURN(const BackendCredential credential, CredentialOf(fresh));
  GatewayOptions next = options;
  if (WorkersMayChange(options, fresh)) next.workers = fresh.workers;
  next.price_per_hour = fresh.price_per_hour;
  const bool renewed = !(credential == shown);
  std::vector<std::string> changed;
  if (next.workers != options.workers) changed.emplace_back("workers");
  if (next.price_per_hour != options.price_per_hour) changed.emplace_back("price-per-hour");
  if (!renewed && changed.empty()) return Ok();
  PAWSIGHT_ASSIGN_OR_RETURN(const gateway::PoolsConfig pools, PoolsOf(next));
  if (renewed) {
    clients->SetCredentials({{kWorkersCredential, credential}});
    backends->RenewCredentials();
  }
  if (Status loaded = api->LoadBackends(pools, RoutingTo(pools)); !loaded.ok()) {
    clients->SetCredentials({{kWorkersCredential, shown}});
    return loaded;
  }
  shown = credential;
  options = std::move(next);
  if (!store->GetSetting(gateway::kPoolsSetting).ok()) return Ok();
  for (const std::string& setting : changed) {
    LogWarning("setting_overruled", {{"setting", setting}, {"so", "the pools that were put by the API stay"}});
  }
  return Ok();
}

Status GatewayService::Reload(const GatewayOptions& fresh, const notify::PostOfficeOptions& receivers) {
  PAWSIGHT_RETURN_IF_ERROR(CheckGatewayOptions(fresh, receivers));
  std::vector<std::string> live = {"tls-certificate", "tls-key",        "worker-capacity",  "autoscale-target",
                                   "workers-least",   "workers-most",   "device-rate",      "device-burst",
                                   "worker-ca",       "price-per-hour", "worker-token-file"};
  if (WorkersMayChange(parts_->options, fresh)) live.emplace_back("workers");
  SayWhatWaits(parts_->options, fresh, live);
  SayWhatWaits(parts_->receivers, receivers, {});
  if (parts_->options.tls_certificate.empty() != fresh.tls_certificate.empty()) {
    LogWarning("setting_waits_for_restart", {{"setting", "tls-certificate"}});
  }
  // What may fail comes first, so that nothing has changed when it does.
  PAWSIGHT_ASSIGN_OR_RETURN(const net::TlsText tls, TlsOf(fresh));
  if (parts_->access_log) PAWSIGHT_RETURN_IF_ERROR(parts_->access_log->Reopen());
  PAWSIGHT_RETURN_IF_ERROR(parts_->ReloadWorkers(fresh));
  if (tls.wanted() && !parts_->options.tls_certificate.empty()) {
    PAWSIGHT_RETURN_IF_ERROR(parts_->http->SetTls(tls));  // TlsOf made one of it
  }
  parts_->path->SetDeviceRate(fresh.device_rate, fresh.device_burst);
  MutexLock lock(parts_->scaling_mu);
  parts_->scaling = ScalingOf(fresh);
  return Ok();
}

bool GatewayService::Drain() {
  parts_->draining = true;
  const auto limit = std::chrono::steady_clock::now() + parts_->options.drain_limit;
  const auto left = [&] {
    return std::max(milliseconds(0),
                    std::chrono::duration_cast<milliseconds>(limit - std::chrono::steady_clock::now()));
  };
  const bool frames_ended = parts_->path->Drain(left());
  if (parts_->http) parts_->http->Stop();
  const bool calls_ended = parts_->api->Drain(std::max(milliseconds(1000), left()));
  parts_->registry->Stop();
  // What the last calls ended, such as the alerts of a rule that was deleted, is written, too.
  return frames_ended && calls_ended && parts_->path->Drain(std::max(milliseconds(1000), left()));
}

}  // namespace pawsight
