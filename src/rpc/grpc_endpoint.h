// rpc/grpc_endpoint.h: the inference tier's gRPC side: inference.GRPCInferenceService of rpc/open_inference.proto,
// grpc.health.v1 and server reflection, by gRPC's callback interface. For a private network: Debian's gRPC gets no
// security patches. Not here: HTTP (server/http_endpoint.h), what a model does. Thread-safe. gRPC owns the threads:
// requests are read and answered on them, models answer from theirs.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "net/access_log.h"
#include "net/tls.h"
#include "protocol/messages.h"
#include "server/repository.h"

namespace pawsight::rpc {

struct GrpcEndpointOptions {
  std::string listen = "127.0.0.1:8001";       // host:port; port 0 is any
  size_t max_message_bytes = 32U << 20U;       // of a request: RESOURCE_EXHAUSTED
  size_t max_memory_bytes = 512U << 20U;       // of gRPC's buffers together: calls fail until some is free
  size_t max_growth_bytes = 1U << 30U;         // of the process, since the start: connections are cut (connection_guard.h)
  int max_calls_a_connection = 512;            // at once; a client waits before it sends more
  int max_calls = 2048;                        // infer calls at once: RESOURCE_EXHAUSTED
  std::chrono::seconds max_idle{300};          // a connection without calls is closed
  std::chrono::seconds handshake_timeout{10};  // for TLS and HTTP/2 to begin: closed
  std::string token;  // callers want "authorization: Bearer TOKEN": UNAUTHENTICATED; "" asks for none
  net::TlsText tls;
  net::AccessLog* access_log = nullptr;  // told of each call; outlives the endpoint
  protocol::InferLimits limits;
};

class GrpcEndpoint {
 public:
  /// Serves until destroyed; `repository` and `clock` outlive it. Health is "not serving" until SetReady.
  /// Errors: those of net::TlsContext::Make. kUnavailable, the address cannot be listened on.
  static Result<std::unique_ptr<GrpcEndpoint>> Start(const GrpcEndpointOptions& options,
                                                     const server::Repository& repository, const Clock& clock);
  /// Stop(1 s).
  ~GrpcEndpoint();
  GrpcEndpoint(const GrpcEndpoint&) = delete;
  GrpcEndpoint& operator=(const GrpcEndpoint&) = delete;

  int port() const;
  /// Connections from now on show this; those that are there keep what they have. Whether clients show certificates
  /// stays as it was at the start. Of an endpoint with TLS (CHECK). Errors: those of net::TlsContext::Make; then all is
  /// as it was.
  Status SetTls(const net::TlsText& tls);
  /// What grpc.health.v1 says, to those who watch it too.
  void SetReady(bool ready);
  /// Names pawsight_rpc_<thing>_<unit>: calls by code, errors by reason, bytes of infer messages.
  std::string Metrics() const;
  /// Takes no more calls; those under way have `limit` to end and are then cancelled. Returns when their models have
  /// answered.
  void Stop(std::chrono::milliseconds limit);

 private:
  class Impl;
  explicit GrpcEndpoint(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace pawsight::rpc
