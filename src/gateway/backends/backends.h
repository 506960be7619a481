// gateway/backends/backends.h: station 4 of a frame's life: an inquiry goes to the pool that routing says, there to the
// endpoint that is best off, and its answers come back checked. Pools and routing are changed while inquiries flow:
// each goes on by what held when it began; an endpoint that is taken out finishes what it has and is then closed. A
// failed try goes on elsewhere only when it was certainly not executed, and within the retry budget. Shadow copies are
// compared and thrown away. Not here: how a server is spoken to (client/), which documents hold the settings
// (gateway/api). Thread-safe. One thread of its own sends probes and closes what is drained; inquiries run on the
// callers' and the clients' threads.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/mutex.h"
#include "client/inference_client.h"
#include "gateway/backend.h"
#include "gateway/backends/books.h"
#include "gateway/backends/routing.h"

namespace pawsight::gateway {

/// A frame whose answers are known: whoever answers otherwise is not asked.
struct Canary {
  std::shared_ptr<const std::vector<uint8_t>> encoded;
  std::vector<std::string> questions;
  std::vector<bool> yes;  // a question; as p_yes at least 0.5
};

struct BackendsOptions {
  BooksOptions books;
  size_t max_in_flight = 4096;               // inquiries; one more: kResourceExhausted
  size_t max_bytes_in_flight = 512U << 20U;  // their frames; more: kResourceExhausted
  /// Shadow copies are sent only while fewer than this share of max_in_flight are: they are shed first.
  double shadow_below = 0.5;
  std::optional<Canary> canary;  // without one, probes ask only whether a server is ready
};

class Backends : public AsyncBackend {
 public:
  /// A client for an endpoint: what "http", "grpc" and "embedded" are, and credentials' names, is the caller's to know.
  /// Errors: kInvalidArgument and others, given back by SetPools.
  using ClientFactory = std::function<Result<std::shared_ptr<client::InferenceClient>>(const EndpointConfig&)>;

  /// `clock` outlives it. Without pools and routing every inquiry is kUnavailable.
  Backends(const BackendsOptions& options, ClientFactory factory, const Clock& clock);
  /// Ends what is left as kUnavailable and waits until all callbacks have returned. Not from one of them.
  ~Backends() override;
  Backends(const Backends&) = delete;
  Backends& operator=(const Backends&) = delete;

  void Ask(Inquiry inquiry, std::function<void(Result<Reply>)> done) override;

  /// From now on these pools, this routing, or both at once; all or nothing. Endpoints that are the same before and
  /// after keep their connections and what is known of them. Cost: makes clients, which connect later. Errors:
  /// CheckRouting's, of the new pools with the routing that holds; the factory's, naming the endpoint.
  Status SetPools(const PoolsConfig& pools) EXCLUDES(change_mu_);
  Status SetRouting(const RoutingConfig& routing) EXCLUDES(change_mu_);
  Status Set(const PoolsConfig& pools, const RoutingConfig& routing) EXCLUDES(change_mu_);
  /// Credentials' names mean something else from now on: at the next change every endpoint that is shown one is another
  /// one, so that those with the old one end what they have and go.
  void RenewCredentials() EXCLUDES(change_mu_);

  /// Now, for the API: pools with their endpoints' health, loads and costs. No frames, questions or answers.
  Json StatusJson() const;
  /// For a scraper: names pawsight_gateway_backend_<thing>_<unit>.
  std::string Metrics() const;
  /// Some pool that routing gives weight has one: for readiness.
  bool HasHealthyEndpoint() const;
  /// Endpoints that were taken out and still have work.
  size_t num_leaving() const;
  size_t num_in_flight() const;

 private:
  class State;
  Status Change(PoolsConfig pools, const std::optional<RoutingConfig>& routing) REQUIRES(change_mu_);

  const ClientFactory factory_;
  Mutex change_mu_;  // one change at a time
  PoolsConfig pools_ GUARDED_BY(change_mu_);
  std::optional<RoutingConfig> routing_ GUARDED_BY(change_mu_);
  int generation_ GUARDED_BY(change_mu_) = 0;  // of credentials
  const std::shared_ptr<State> state_;
  std::thread thread_;
};

}  // namespace pawsight::gateway
