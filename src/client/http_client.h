// client/http_client.h: the inference protocol over HTTP/1.1 as a client: keep-alive connections of its own, one call
// at a time on each, tensors as raw bytes, TLS with the server's certificate and name checked. Redirects are never
// followed and no proxy is used: servers are near, and a request goes nowhere but where it was sent. Not here: what the
// bytes mean (client/http_exchange.h, protocol/). Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "client/inference_client.h"
#include "client/io_thread.h"
#include "net/http_response_reader.h"

namespace pawsight::client {

struct HttpClientOptions {
  std::string url;                          // ParseServerUrl's
  std::string token;                        // sent as Authorization: Bearer; "" is none
  std::string ca_pem;                       // https: who may sign the server's certificate; "": the system's
  std::string certificate_pem;              // https: what we show a server that asks, with its chain; "" is nothing
  std::string key_pem;                      // its key
  size_t max_connections = 64;              // 1..4096; so many calls run at once
  size_t max_waiting = 64;                  // calls that wait for a connection; one more: kResourceExhausted
  size_t max_bytes_in_flight = 64U << 20U;  // requests' bodies; more: kResourceExhausted
  std::chrono::milliseconds connect_timeout{2000};  // the name, TCP and TLS: kUnavailable
  std::chrono::milliseconds call_timeout{30000};    // of a call whose deadline is later
  std::chrono::milliseconds idle_timeout{30000};    // a connection without a call is closed
  net::HttpResponseLimits response;                 // a larger one: kDataLoss
  protocol::InferLimits infer;                      // of the answer
};

class HttpClient : public InferenceClient {
 public:
  /// Connects when there is a call. `io` outlives it. Errors: kInvalidArgument, the URL, the token, an option out of
  /// range, certificates that are none.
  static Result<std::unique_ptr<HttpClient>> Make(const HttpClientOptions& options, IoThread& io);
  ~HttpClient() override;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Cost: copies the inputs' bytes, on this thread; `done` is called by the I/O thread, or by this one for what is
  /// refused at once.
  CallId Infer(std::shared_ptr<const protocol::InferRequest> request, Deadline deadline, Done done) override;
  /// A call that runs takes its connection with it, which is how the server learns.
  void Cancel(CallId call) override;
  void CheckReady(Deadline deadline, std::function<void(Status)> done) override;
  void GetMetadata(const std::string& model, Deadline deadline,
                   std::function<void(Result<protocol::ModelMetadata>)> done) override;

  /// A request to what else the server has, beside its inference protocol.
  struct Request {
    std::string method = "GET";
    std::string target;        // path and query, without spaces
    std::string content_type;  // of the body; "": there is none
    std::string body;
    std::string token;  // instead of the options'; "": theirs
  };
  /// The response, whatever its status. Errors: kUnavailable, no connection, or it broke. kDeadlineExceeded.
  /// kCancelled. kResourceExhausted, over a limit of the options. kDataLoss, what came is no HTTP. `done` as Infer's.
  CallId Exchange(Request request, Deadline deadline, std::function<void(Result<net::ReceivedResponse>)> done);

  /// Now: connections made or being made, and calls that have not ended.
  size_t num_connections() const;
  size_t num_calls() const;

 private:
  class Pool;
  explicit HttpClient(std::shared_ptr<Pool> pool) : pool_(std::move(pool)) {}

  const std::shared_ptr<Pool> pool_;
};

}  // namespace pawsight::client
