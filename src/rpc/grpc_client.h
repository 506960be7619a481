// rpc/grpc_client.h: the inference protocol over gRPC as a client: client::InferenceClient by gRPC's callback
// interface, one connection. No proxy is used, whatever the environment says, and gRPC's own retries are off: who may
// be asked again is decided elsewhere. For a private network: Debian's gRPC gets no security patches. Thread-safe; gRPC
// owns the threads that call back.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "client/inference_client.h"

namespace pawsight::rpc {

struct GrpcClientOptions {
  std::string address;                              // "host:port"
  bool tls = false;                                 // then the server's certificate and name are checked
  std::string ca_pem;                               // who may sign it; "": gRPC's own list
  std::string certificate_pem;                      // what we show a server that asks, with its chain; "" is nothing
  std::string key_pem;                              // its key
  std::string token;                                // sent as "authorization: Bearer TOKEN"; "" is none
  size_t max_calls = 128;                           // at once; one more: kResourceExhausted
  size_t max_bytes_in_flight = 64U << 20U;          // requests' tensors; more: kResourceExhausted
  size_t max_response_bytes = 4U << 20U;            // kResourceExhausted, may have run
  std::chrono::milliseconds connect_timeout{2000};  // kUnavailable
  std::chrono::milliseconds call_timeout{30000};    // of a call whose deadline is later
  protocol::InferLimits infer;                      // of the answer
};

/// Connects when there is a call. Errors: kInvalidArgument, the address, the token, one of certificate and key without
/// the other.
Result<std::unique_ptr<client::InferenceClient>> MakeGrpcClient(const GrpcClientOptions& options);

}  // namespace pawsight::rpc
