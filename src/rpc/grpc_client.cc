#include "rpc/grpc_client.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <future>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "open_inference.grpc.pb.h"
#include "protocol/binary_tensors.h"
#include "protocol/json_client.h"
#include "rpc/proto_codec.h"

namespace pawsight::rpc {
namespace {

using client::Deadline;
using client::InferenceClient;
using client::InferResult;
using std::chrono::steady_clock;
using std::chrono::system_clock;

constexpr std::chrono::milliseconds kMaxRetryAfter = std::chrono::hours(1);
constexpr std::string_view kPushback = "grpc-retry-pushback-ms";

/// When the server said that it is worth trying again, which it says only when it has refused to execute.
std::optional<std::chrono::milliseconds> RetryAfter(const grpc::ClientContext& context) {
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto found = trailing.find({kPushback.data(), kPushback.size()});
  if (found == trailing.end()) return std::nullopt;
  int64_t ms = 0;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), ms);
  return std::clamp(std::chrono::milliseconds(ms), std::chrono::milliseconds(0), kMaxRetryAfter);
}

/// Of a call that failed for want of a connection: until it has one, its peer is the name that it was for. (A call that
/// was given up here has no other either, so this says nothing of those.)
bool NeverLeft(const grpc::ClientContext& context) {
  const std::string peer = context.peer();
  return !peer.starts_with("ipv4:") && !peer.starts_with("ipv6:") && !peer.starts_with("unix:");
}

bool MayHaveRun(const grpc::ClientContext& context, StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied:
    case StatusCode::kUnauthenticated:
    case StatusCode::kUnimplemented:
    case StatusCode::kFailedPrecondition:
      return false;
    case StatusCode::kResourceExhausted:
      return !RetryAfter(context);
    case StatusCode::kUnavailable:
      return !RetryAfter(context) && !NeverLeft(context);
    case StatusCode::kOk:
    case StatusCode::kCancelled:
    case StatusCode::kUnknown:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kAlreadyExists:
    case StatusCode::kAborted:
    case StatusCode::kOutOfRange:
    case StatusCode::kInternal:
    case StatusCode::kDataLoss:
      return true;
  }
  CHECK(false);
}

/// The server's own word for it, "" when it has none.
std::string ReasonOf(const grpc::ClientContext& context) {
  const auto& trailing = context.GetServerTrailingMetadata();
  const auto found = trailing.find(kReasonKey);
  return found == trailing.end() ? "" : protocol::ReadReason({found->second.data(), found->second.size()});
}

Status FromGrpc(const grpc::Status& status, const grpc::ClientContext& context) {
  if (status.ok()) return Ok();
  constexpr size_t kMaxMessageBytes = 256;
  std::string message = status.error_message().substr(0, kMaxMessageBytes);
  std::ranges::replace_if(
      message, [](unsigned char c) { return c < ' ' || c == 0x7F; }, ' ');
  std::string reason = ReasonOf(context);
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE && NeverLeft(context)) reason = "connect_failed";
  return {static_cast<StatusCode>(status.error_code()), "the server: " + message, std::move(reason)};
}

/// What a client and its calls share; outlives the client until the last call has ended.
class Shared {
 public:
  explicit Shared(const GrpcClientOptions& options, const std::shared_ptr<grpc::Channel>& channel)
      : options_(options), stub_(inference::GRPCInferenceService::NewStub(channel)) {}

  const GrpcClientOptions& options() const { return options_; }
  inference::GRPCInferenceService::Stub& stub() { return *stub_; }

  Status Admit(size_t bytes) {
    if (num_calls_.fetch_add(1) >= options_.max_calls) {
      num_calls_.fetch_sub(1);
      return ResourceExhausted(options_.address + ": too many calls at once", "client_full");
    }
    if (num_bytes_.fetch_add(bytes) + bytes > options_.max_bytes_in_flight) {
      Leave(bytes);
      return ResourceExhausted(options_.address + ": too many bytes are in flight", "client_full");
    }
    return Ok();
  }
  void Leave(size_t bytes) {
    num_bytes_.fetch_sub(bytes);
    num_calls_.fetch_sub(1);
  }

  uint64_t Remember(std::shared_ptr<grpc::ClientContext> context) {
    const std::lock_guard lock(mu_);
    contexts_.emplace(next_id_, std::move(context));
    return next_id_++;
  }
  void Forget(uint64_t id) {
    std::shared_ptr<grpc::ClientContext> gone;  // dies outside the lock
    const std::lock_guard lock(mu_);
    const auto found = contexts_.find(id);
    if (found == contexts_.end()) return;
    gone = std::move(found->second);
    contexts_.erase(found);
  }
  void Cancel(uint64_t id) {
    std::shared_ptr<grpc::ClientContext> context;
    {
      const std::lock_guard lock(mu_);
      const auto found = contexts_.find(id);
      if (found != contexts_.end()) context = found->second;
    }
    if (context != nullptr) context->TryCancel();
  }
  void CancelAll() {
    std::unordered_map<uint64_t, std::shared_ptr<grpc::ClientContext>> contexts;
    {
      const std::lock_guard lock(mu_);
      contexts = contexts_;
    }
    for (const auto& [id, context] : contexts) context->TryCancel();
  }

 private:
  const GrpcClientOptions options_;
  const std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
  std::atomic<size_t> num_calls_{0};
  std::atomic<size_t> num_bytes_{0};
  std::mutex mu_;  // not base/mutex.h: protobuf's headers have macros of the same names
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, std::shared_ptr<grpc::ClientContext>> contexts_;
};

/// One call's messages, which gRPC wants to stay where they are.
template <typename Request, typename Response>
struct Call {
  std::shared_ptr<Shared> shared;
  std::shared_ptr<grpc::ClientContext> context = std::make_shared<grpc::ClientContext>();
  Request request;
  Response response;
  uint64_t id = 0;
  size_t bytes = 0;

  /// `start(stub, call, on_end)` makes the call; `done(call, status)` comes once, on a thread of gRPC's.
  template <typename Start, typename Done>
  static uint64_t Begin(const std::shared_ptr<Call>& call, Deadline deadline, const Start& start, Done done) {
    const GrpcClientOptions& options = call->shared->options();
    const auto left = std::min<steady_clock::duration>(deadline - steady_clock::now(), options.call_timeout);
    call->context->set_deadline(system_clock::now() + left);
    if (!options.token.empty()) call->context->AddMetadata("authorization", "Bearer " + options.token);
    call->id = call->shared->Remember(call->context);
    const uint64_t id = call->id;
    start(*call->shared->stub().async(), *call, [call, done = std::move(done)](const grpc::Status& status) {
      call->shared->Forget(call->id);
      call->shared->Leave(call->bytes);
      done(*call, FromGrpc(status, *call->context));
    });
    return id;
  }
};

class GrpcClient : public InferenceClient {
 public:
  explicit GrpcClient(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~GrpcClient() override { shared_->CancelAll(); }

  CallId Infer(std::shared_ptr<const protocol::InferRequest> request, Deadline deadline, Done done) override {
    if (deadline <= steady_clock::now()) {
      done({DeadlineExceeded("the deadline has passed"), false, {}});
      return 0;
    }
    size_t bytes = 0;
    for (const protocol::InputTensor& input : request->inputs) bytes += protocol::RawContentsBytes(input);
    if (Status admitted = shared_->Admit(bytes); !admitted.ok()) {
      done({std::move(admitted), false, {}});
      return 0;
    }
    using InferCall = Call<inference::ModelInferRequest, inference::ModelInferResponse>;
    const auto call = std::make_shared<InferCall>();
    call->shared = shared_;
    call->bytes = bytes;
    ToProto(*request, &call->request);
    const auto start = [](auto& stub, InferCall& c, auto on_end) {
      stub.ModelInfer(c.context.get(), &c.request, &c.response, std::move(on_end));
    };
    return InferCall::Begin(call, deadline, start, [done = std::move(done)](const InferCall& ended, Status status) {
      if (!status.ok()) {
        const bool may_have_run = MayHaveRun(*ended.context, status.code());
        return done({std::move(status), may_have_run, RetryAfter(*ended.context)});
      }
      Result<protocol::InferResponse> read = FromProto(ended.response, ended.shared->options().infer);
      if (!read.ok()) {
        return done({DataLoss("the server's answer: " + read.status().message(), "answer_malformed"), true, {}});
      }
      done({std::move(read), true, {}});
    });
  }

  void Cancel(CallId call) override { shared_->Cancel(call); }

  void CheckReady(Deadline deadline, std::function<void(Status)> done) override {
    if (Status admitted = shared_->Admit(0); !admitted.ok()) return done(std::move(admitted));
    using ReadyCall = Call<inference::ServerReadyRequest, inference::ServerReadyResponse>;
    const auto call = std::make_shared<ReadyCall>();
    call->shared = shared_;
    const auto start = [](auto& stub, ReadyCall& c, auto on_end) {
      stub.ServerReady(c.context.get(), &c.request, &c.response, std::move(on_end));
    };
    ReadyCall::Begin(call, deadline, start, [done = std::move(done)](const ReadyCall& ended, Status status) {
      if (status.ok() && !ended.response.ready()) status = Unavailable("the server says that it is not ready");
      done(std::move(status));
    });
  }

  void GetMetadata(const std::string& model, Deadline deadline,
                   std::function<void(Result<protocol::ModelMetadata>)> done) override {
    if (Status admitted = shared_->Admit(0); !admitted.ok()) return done(std::move(admitted));
    using MetadataCall = Call<inference::ModelMetadataRequest, inference::ModelMetadataResponse>;
    const auto call = std::make_shared<MetadataCall>();
    call->shared = shared_;
    call->request.set_name(model);
    const auto start = [](auto& stub, MetadataCall& c, auto on_end) {
      stub.ModelMetadata(c.context.get(), &c.request, &c.response, std::move(on_end));
    };
    MetadataCall::Begin(call, deadline, start, [done = std::move(done)](const MetadataCall& ended, Status status) {
      if (!status.ok()) return done(std::move(status));
      Result<protocol::ModelMetadata> read = FromProto(ended.response, ended.shared->options().infer);
      if (!read.ok()) return done(DataLoss("the server's metadata: " + read.status().message()));
      done(std::move(read));
    });
  }

 private:
  const std::shared_ptr<Shared> shared_;
};

/// When the last channel whose calls end in callbacks goes, gRPC 1.51 joins the threads that make them; when it goes on
/// one of these threads, which a call that outlives its client does, their queue is freed twice. So one such channel
/// stays for ever. It connects to nothing.
void KeepCallbackThreads() {
  [[maybe_unused]] static const auto* const kept = [] {
    auto* const channel = new std::shared_ptr<grpc::Channel>(
        grpc::CreateChannel("ipv4:127.0.0.1:9", grpc::InsecureChannelCredentials()));  // a channel is lazy
    grpc::ClientContext context;
    context.set_deadline(system_clock::now());
    const inference::ServerLiveRequest request;
    inference::ServerLiveResponse response;
    const auto ended =
        std::make_shared<std::promise<void>>();  // for both: who waits may be gone before it has returned
    const auto stub = inference::GRPCInferenceService::NewStub(*channel);
    stub->async()->ServerLive(&context, &request, &response, [ended](const grpc::Status&) { ended->set_value(); });
    ended->get_future().wait();
    return channel;
  }();
}

std::shared_ptr<grpc::ChannelCredentials> Credentials(const GrpcClientOptions& options) {
  if (!options.tls) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({options.ca_pem, options.key_pem, options.certificate_pem});
}

}  // namespace

Result<std::unique_ptr<InferenceClient>> MakeGrpcClient(const GrpcClientOptions& options) {
  const size_t colon = options.address.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == options.address.size() ||
      options.address.find_first_of("/@ \r\n") != std::string::npos) {
    return InvalidArgument("address: want host:port");
  }
  if (std::ranges::any_of(options.token, [](unsigned char c) { return c <= ' ' || c >= 0x7F; })) {
    return InvalidArgument("token: want plain characters without spaces");
  }
  if (options.certificate_pem.empty() != options.key_pem.empty()) {
    return InvalidArgument("certificate: want both it and its key, or neither");
  }
  KeepCallbackThreads();
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of this client's own
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, static_cast<int>(options.connect_timeout.count()));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.max_response_bytes));
  const auto shared = std::make_shared<Shared>(
      options, grpc::CreateCustomChannel("dns:///" + options.address, Credentials(options), arguments));
  return std::unique_ptr<InferenceClient>(std::make_unique<GrpcClient>(shared));
}

}  // namespace pawsight::rpc
