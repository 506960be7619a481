#include "rpc/grpc_endpoint.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/metrics.h"
#include "net/reason_counts.h"
#include "net/secret.h"
#include "open_inference.grpc.pb.h"
#include "rpc/connection_guard.h"
#include "rpc/proto_codec.h"

namespace pawsight::rpc {
namespace {

using server::Model;
using server::RequestContext;
using Service = inference::GRPCInferenceService;

/// The codes are gRPC's own, and the reason goes beside them. What may be tried again says when
/// (https://github.com/grpc/proposal/blob/master/A6-client-retries.md).
grpc::Status ToGrpc(const Status& status, grpc::CallbackServerContext* context) {
  if (status.ok()) return grpc::Status::OK;
  if (status.code() == StatusCode::kResourceExhausted || status.code() == StatusCode::kUnavailable) {
    context->AddTrailingMetadata("grpc-retry-pushback-ms", "1000");
  }
  if (!status.reason().empty()) context->AddTrailingMetadata(kReasonKey, status.reason());
  return {static_cast<grpc::StatusCode>(status.code()), status.message()};
}

/// Monotonic time of the call's deadline.
std::chrono::nanoseconds Deadline(const grpc::CallbackServerContext& context, std::chrono::nanoseconds now) {
  const auto left = context.deadline() - std::chrono::system_clock::now();
  if (left > std::chrono::hours(24)) return std::chrono::nanoseconds::max();
  return now + std::max<std::chrono::nanoseconds>(left, std::chrono::nanoseconds(0));
}

constexpr size_t kNumCodes = 17;

// A connection is asked to come anew after so long, and closed when its calls have had the longest timeout: who never
// takes its answers does not stay for ever.
constexpr int kMaxAgeMs = 30 * 60 * 1000;
constexpr int kAgeGraceMs = 150 * 1000;

/// gRPC's "ipv4:127.0.0.1:51324" and "ipv6:%5B::1%5D:51324" as the HTTP door writes them.
std::string AddressOf(std::string peer) {
  if (peer.starts_with("ipv4:") || peer.starts_with("ipv6:")) peer.erase(0, 5);
  for (const auto& [coded, plain] : {std::pair("%5B", "["), std::pair("%5D", "]")}) {
    if (const size_t at = peer.find(coded); at != peer.npos) peer.replace(at, 3, plain);
  }
  return peer;
}

/// What is known of a call besides its status.
struct CallFacts {
  size_t bytes_in = 0;
  size_t bytes_out = 0;
  std::chrono::nanoseconds total{0};
  const net::AccessNotes* notes = nullptr;
};

/// What all calls need. Outlives them.
struct Shared {
  const GrpcEndpointOptions& options;
  const server::Repository& repository;
  const Clock& clock;
  std::atomic<int> num_calls{0};
  std::array<std::atomic<uint64_t>, kNumCodes> ended{};
  std::atomic<uint64_t> bytes_in{0};
  std::atomic<uint64_t> bytes_out{0};
  net::ReasonCounts reasons;
  ConnectionGuard guard{options.max_growth_bytes, clock};

  /// Counts a call that ends, and tells of it.
  void Ended(std::string_view method, const Status& status, const grpc::CallbackServerContext& context,
             const CallFacts& facts = {}) {
    ended[static_cast<size_t>(status.code())].fetch_add(1, std::memory_order_relaxed);
    bytes_in.fetch_add(facts.bytes_in, std::memory_order_relaxed);
    bytes_out.fetch_add(facts.bytes_out, std::memory_order_relaxed);
    if (!status.reason().empty()) reasons.Count(status.reason());
    if (options.access_log == nullptr || !options.access_log->Wants(status.ok())) return;
    options.access_log->Write({.listener = "grpc",
                               .method = method,
                               .status = StatusCodeName(status.code()),
                               .reason = status.reason(),
                               .bytes_in = facts.bytes_in,
                               .bytes_out = facts.bytes_out,
                               .total = facts.total,
                               .peer = AddressOf(context.peer()),
                               .notes = facts.notes});
  }

  Status Admit(const grpc::CallbackServerContext& context) const {
    if (options.token.empty()) return Ok();
    const auto found = context.client_metadata().find("authorization");
    if (found != context.client_metadata().end() &&
        net::IsBearer({found->second.data(), found->second.size()}, options.token)) {
      return Ok();
    }
    return {StatusCode::kUnauthenticated, "authorization: want a bearer token", "token_wrong"};
  }
};

/// One infer call. gRPC deletes it by OnDone, which comes after Finish and once the client has taken the answer; Finish
/// comes when the model has answered. What the request views lives as long as the model may look at it, and no longer.
class InferCall : public grpc::ServerUnaryReactor {
 public:
  InferCall(Shared& shared, grpc::CallbackServerContext* context, grpc::ByteBuffer* out)
      : shared_(shared), context_(context), out_(out) {}

  void Run(const grpc::ByteBuffer* bytes) {
    const Status started = Start(bytes);
    if (!started.ok()) End(started);
  }

  void OnCancel() override { gone_.request_stop(); }
  void OnDone() override {
    shared_.guard.Ended(peer_, facts_.bytes_in);
    delete this;
  }

 private:
  Status Start(const grpc::ByteBuffer* bytes) {
    arrival_ = shared_.clock.Monotonic();
    peer_ = AddressOf(context_->peer());
    facts_.bytes_in = bytes->Length();
    PAWSIGHT_RETURN_IF_ERROR(shared_.Admit(*context_));
    counted_ = true;
    if (shared_.num_calls.fetch_add(1) >= shared_.options.max_calls) {
      return ResourceExhausted("more than " + std::to_string(shared_.options.max_calls) + " calls at once",
                               "too_many_calls");
    }
    const auto message = std::make_shared<inference::ModelInferRequest>();
    // Reading empties it, so that the bytes are not there twice until the call ends. It is gRPC's own and not const;
    // that it is shown as such is for handlers that come back to it.
    auto* const own = const_cast<grpc::ByteBuffer*>(bytes);
    if (!grpc::SerializationTraits<inference::ModelInferRequest>::Deserialize(own, message.get()).ok()) {
      return InvalidArgument("the request is no ModelInferRequest", "protobuf_malformed");
    }
    PAWSIGHT_ASSIGN_OR_RETURN(model_, shared_.repository.Find(message->model_name(), message->model_version()));
    notes_.model = model_->Metadata().name;
    facts_.notes = &notes_;
    PAWSIGHT_ASSIGN_OR_RETURN(protocol::InferRequest request,
                              FromProto(message, model_->Metadata(), shared_.options.limits));
    RequestContext context;
    context.arrival = arrival_;
    context.deadline = Deadline(*context_, context.arrival);
    if (request.timeout) context.deadline = std::min(context.deadline, context.arrival + *request.timeout);
    context.gone = gone_.get_token();
    context.notes = &notes_;
    request_ = std::make_shared<const protocol::InferRequest>(std::move(request));
    shared_.guard.Began(peer_, facts_.bytes_in);
    model_->Infer(request_, context, [this](Result<protocol::InferResponse> response) { Answer(response); });
    return Ok();
  }

  void Answer(const Result<protocol::InferResponse>& response) {
    Status status = response.status();
    if (response.ok()) {
      inference::ModelInferResponse message;
      status = ToProto(*request_, *response, &message);
      bool own = false;
      if (status.ok() &&
          !grpc::SerializationTraits<inference::ModelInferResponse>::Serialize(message, out_, &own).ok()) {
        status = Internal("the response does not serialise");
      }
      facts_.bytes_out = status.ok() ? out_->Length() : 0;
    }
    End(status);
  }

  void End(const Status& status) {
    // Not at OnDone, which waits for the client to take the answer: who does not would keep the others out, and the
    // request's images here.
    if (counted_) shared_.num_calls.fetch_sub(1);
    if (request_ != nullptr) shared_.guard.Answered(peer_, facts_.bytes_in);
    request_.reset();
    facts_.total = shared_.clock.Monotonic() - arrival_;
    shared_.Ended("ModelInfer", status, *context_, facts_);
    Finish(ToGrpc(status, context_));  // gRPC may delete this now
  }

  Shared& shared_;
  grpc::CallbackServerContext* const context_;
  grpc::ByteBuffer* const out_;
  std::stop_source gone_;
  std::shared_ptr<Model> model_;
  std::shared_ptr<const protocol::InferRequest> request_;
  std::string peer_;
  std::chrono::nanoseconds arrival_{0};
  CallFacts facts_;
  server::RequestNotes notes_;
  bool counted_ = false;
};

/// ModelInfer gets the bytes as they came, so that the parsed message can live as long as the model wants.
class InferenceService : public Service::WithRawCallbackMethod_ModelInfer<Service::CallbackService> {
 public:
  explicit InferenceService(Shared& shared) : shared_(shared) {}

  grpc::ServerUnaryReactor* ModelInfer(grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
                                       grpc::ByteBuffer* response) override {
    auto* call = new InferCall(shared_, context, response);  // OnDone deletes it
    call->Run(request);
    return call;
  }

  grpc::ServerUnaryReactor* ServerLive(grpc::CallbackServerContext* context, const inference::ServerLiveRequest*,
                                       inference::ServerLiveResponse* response) override {
    response->set_live(true);
    return End("ServerLive", context, Ok());
  }
  grpc::ServerUnaryReactor* ServerReady(grpc::CallbackServerContext* context, const inference::ServerReadyRequest*,
                                        inference::ServerReadyResponse* response) override {
    response->set_ready(shared_.repository.Ready());
    return End("ServerReady", context, Ok());
  }
  grpc::ServerUnaryReactor* ModelReady(grpc::CallbackServerContext* context,
                                       const inference::ModelReadyRequest* request,
                                       inference::ModelReadyResponse* response) override {
    const auto model = Find(*context, request->name(), request->version());
    if (model.ok()) response->set_ready((*model)->Ready());
    return End("ModelReady", context, model.status());
  }
  grpc::ServerUnaryReactor* ServerMetadata(grpc::CallbackServerContext* context,
                                           const inference::ServerMetadataRequest*,
                                           inference::ServerMetadataResponse* response) override {
    const Status admitted = shared_.Admit(*context);
    if (admitted.ok()) ToProto(protocol::ThisServer(), response);
    return End("ServerMetadata", context, admitted);
  }
  grpc::ServerUnaryReactor* ModelMetadata(grpc::CallbackServerContext* context,
                                          const inference::ModelMetadataRequest* request,
                                          inference::ModelMetadataResponse* response) override {
    const auto model = Find(*context, request->name(), request->version());
    if (model.ok()) ToProto((*model)->Metadata(), response);
    return End("ModelMetadata", context, model.status());
  }
  grpc::ServerUnaryReactor* ModelConfig(grpc::CallbackServerContext* context,
                                        const inference::ModelConfigRequest* request,
                                        inference::ModelConfigResponse* response) override {
    const auto model = Find(*context, request->name(), request->version());
    if (model.ok()) ToProto((*model)->Metadata(), (*model)->Config(), response);
    return End("ModelConfig", context, model.status());
  }
  grpc::ServerUnaryReactor* ModelStatistics(grpc::CallbackServerContext* context,
                                            const inference::ModelStatisticsRequest* request,
                                            inference::ModelStatisticsResponse* response) override {
    std::vector<protocol::ModelStatistics> statistics;
    Status status = shared_.Admit(*context);
    if (status.ok() && request->name().empty()) {
      for (const auto& model : shared_.repository.List()) statistics.push_back(model->Statistics());
    } else if (status.ok()) {
      const auto model = Find(*context, request->name(), request->version());
      if (model.ok()) statistics.push_back((*model)->Statistics());
      status = model.status();
    }
    ToProto(statistics, response);
    return End("ModelStatistics", context, status);
  }

 private:
  Result<std::shared_ptr<Model>> Find(const grpc::CallbackServerContext& context, const std::string& name,
                                      const std::string& version) const {
    PAWSIGHT_RETURN_IF_ERROR(shared_.Admit(context));
    return shared_.repository.Find(name, version);
  }
  grpc::ServerUnaryReactor* End(std::string_view method, grpc::CallbackServerContext* context, const Status& status) {
    shared_.Ended(method, status, *context);
    shared_.guard.Ended(AddressOf(context->peer()), 0);
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(ToGrpc(status, context));
    return reactor;
  }

  Shared& shared_;
};

/// TLS whose certificate can be replaced while it serves: gRPC asks for it at every handshake.
class TlsCredentials : public grpc::ServerCredentials {
 public:
  explicit TlsCredentials(const net::TlsText& tls) : tls_(tls) {
    credentials_ =
        grpc_ssl_server_credentials_create_with_options(grpc_ssl_server_credentials_create_options_using_config_fetcher(
            tls.client_ca.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                  : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY,
            &TlsCredentials::Fetch, this));
  }
  ~TlsCredentials() override { grpc_server_credentials_release(credentials_); }

  void Set(const net::TlsText& tls) {
    const std::unique_lock lock(mu_);
    tls_ = tls;
    fetched_ = false;
  }
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }
  static grpc_ssl_certificate_config_reload_status Fetch(void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<TlsCredentials*>(self)->Fetch(config);
  }
  grpc_ssl_certificate_config_reload_status Fetch(grpc_ssl_server_certificate_config** config) {
    const std::unique_lock lock(mu_);
    if (std::exchange(fetched_, true)) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{tls_.key.c_str(), tls_.certificate.c_str()};
    // gRPC wants authorities even where it asks no client for a certificate, and then does not use them.
    const std::string& authorities = tls_.client_ca.empty() ? tls_.certificate : tls_.client_ca;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  grpc_server_credentials* credentials_ = nullptr;
  std::mutex mu_;
  net::TlsText tls_;
  bool fetched_ = false;
};

}  // namespace

class GrpcEndpoint::Impl {
 public:
  Impl(const GrpcEndpointOptions& options, const server::Repository& repository, const Clock& clock)
      : options_(options), shared_{.options = options_, .repository = repository, .clock = clock}, service_(shared_) {}

  Status Start() {
    static std::once_flag once;  // both are settings of gRPC for the whole process
    std::call_once(once, [] {
      grpc::EnableDefaultHealthCheckService(true);
      grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    });
    std::shared_ptr<grpc::ServerCredentials> credentials;
    if (options_.tls.wanted()) {
      PAWSIGHT_RETURN_IF_ERROR(net::TlsContext::Make(options_.tls).status());
      credentials = tls_ = std::make_shared<TlsCredentials>(options_.tls);
    } else {
      credentials = grpc::InsecureServerCredentials();
    }
    grpc::ServerBuilder builder;
    builder.AddListeningPort(options_.listen, credentials, &port_);
    builder.RegisterService(&service_);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options_.max_message_bytes));
    builder.SetResourceQuota(grpc::ResourceQuota("inference").Resize(options_.max_memory_bytes));
    // What is sent is what is held and what the guard counts; photos are compressed already.
    builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
    builder.SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_GZIP, false);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options_.max_calls_a_connection);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, static_cast<int>(options_.max_idle.count() * 1000));
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, kMaxAgeMs);
    builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, kAgeGraceMs);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                               static_cast<int>(options_.handshake_timeout.count() * 1000));
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10000);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 3);
    builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 16384);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a second process on the port is an error
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port_ == 0) return Unavailable("grpc: cannot listen on " + options_.listen);
    shared_.guard.Start(port_);
    SetReady(false);
    return Ok();
  }

  Status SetTls(const net::TlsText& tls) {
    CHECK(tls_ != nullptr);
    PAWSIGHT_RETURN_IF_ERROR(net::TlsContext::Make(tls).status());
    tls_->Set(tls);
    return Ok();
  }

  void SetReady(bool ready) {
    server_->GetHealthCheckService()->SetServingStatus(ready);
    server_->GetHealthCheckService()->SetServingStatus(Service::service_full_name(), ready);
  }

  void Stop(std::chrono::milliseconds limit) {
    if (server_ == nullptr || stopped_.exchange(true)) return;
    server_->Shutdown(std::chrono::system_clock::now() + limit);
  }

  int port() const { return port_; }

  std::string Metrics() const {
    MetricsWriter out("pawsight_rpc_");
    out.Metric("calls_total", "counter", "Calls by how they ended.");
    for (size_t code = 0; code < kNumCodes; ++code) {
      out.Sample(static_cast<double>(shared_.ended[code]),
                 MetricLabel("code", StatusCodeName(static_cast<StatusCode>(code))));
    }
    out.Metric("errors_total", "counter", "Calls that did not end well, by the stable code of what was wrong.");
    for (const auto& [reason, count] : shared_.reasons.View()) {
      out.Sample(static_cast<double>(count), MetricLabel("reason", reason));
    }
    out.Gauge("calls", "Infer calls under way.", shared_.num_calls);
    out.Gauge("calls_limit", "Infer calls that there may be.", options_.max_calls);
    out.Counter("connections_cut_total", "Connections that were cut because the process held too much.",
                shared_.guard.num_cut());
    out.Counter("received_bytes_total", "Bytes of infer requests.", shared_.bytes_in);
    out.Counter("sent_bytes_total", "Bytes of infer responses.", shared_.bytes_out);
    return out.Take();
  }

 private:
  const GrpcEndpointOptions options_;
  Shared shared_;
  InferenceService service_;
  std::shared_ptr<TlsCredentials> tls_;  // null: none
  std::unique_ptr<grpc::Server> server_;
  std::atomic<bool> stopped_{false};
  int port_ = 0;
};

Result<std::unique_ptr<GrpcEndpoint>> GrpcEndpoint::Start(const GrpcEndpointOptions& options,
                                                          const server::Repository& repository, const Clock& clock) {
  auto impl = std::make_unique<Impl>(options, repository, clock);
  PAWSIGHT_RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<GrpcEndpoint>(new GrpcEndpoint(std::move(impl)));
}

GrpcEndpoint::GrpcEndpoint(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcEndpoint::~GrpcEndpoint() { Stop(std::chrono::seconds(1)); }
int GrpcEndpoint::port() const { return impl_->port(); }
Status GrpcEndpoint::SetTls(const net::TlsText& tls) { return impl_->SetTls(tls); }
std::string GrpcEndpoint::Metrics() const { return impl_->Metrics(); }
void GrpcEndpoint::SetReady(bool ready) { impl_->SetReady(ready); }
void GrpcEndpoint::Stop(std::chrono::milliseconds limit) { impl_->Stop(limit); }

}  // namespace pawsight::rpc
