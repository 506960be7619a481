// gateway/backends/books.h: what is known of every pool and endpoint, and who is asked next: decided from the routing,
// health, loads and the retry budget. Not here: clients, threads, a clock (gateway/backends/backends.h); times are
// Clock::Monotonic's and arguments, chance is seeded, so an hour runs in a moment. Thread-compatible; used under the
// lock of Backends.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/rng.h"
#include "client/inference_client.h"
#include "gateway/backends/choice.h"
#include "gateway/backends/endpoint_health.h"
#include "gateway/backends/routing.h"

namespace pawsight::gateway {

using Nanos = std::chrono::nanoseconds;

struct BooksOptions {
  HealthOptions health;
  double retry_share = 0.2;  // retries, of first tries
  double max_retries_saved = 100;
  int max_attempts = 4;                                    // of an inquiry, the first included
  Nanos longest_back_off{std::chrono::milliseconds(250)};  // others are asked first for so long after a refusal
  uint64_t seed = 1;
};

/// How one try ended, as far as the endpoint is concerned.
enum class Attempt {
  kAnswered,
  kRefused,  // full; not executed
  kUnfit,    // the frame or a question is at fault
  kFailed,   // the endpoint is at fault
  kLate,     // no answer in the time it was given
  kGivenUp,  // by us
};
inline constexpr int kNumAttempts = 6;
std::string_view AttemptName(Attempt attempt);

struct Endpoint {
  Endpoint(EndpointConfig which, std::shared_ptr<client::InferenceClient> with, const HealthOptions& options)
      : config(std::move(which)), client(std::move(with)), health(options) {}

  const EndpointConfig config;
  std::shared_ptr<client::InferenceClient> client;  // null once it is closed
  EndpointHealth health;
  bool removed = false;  // asked nothing more; closed when nothing is in flight
  int in_flight = 0;     // tries and probes
  RecentMean latency_s;
  Nanos back_off_until{0};
  std::array<uint64_t, kNumAttempts> attempts{};
  uint64_t ejections = 0, probes_answered = 0, probes_failed = 0, probes_wrong = 0;
  std::string last_error;  // of ours or a status's words; never a frame's
};

/// What shadow copies found. Answers are compared with those that were given.
struct ShadowCounts {
  uint64_t sent = 0, shed = 0, failed = 0;
  uint64_t frames = 0, answers = 0;  // compared
  uint64_t flips = 0;                // yes here, no there
  uint64_t firm_flips = 0;           // of those given outside of p_yes 0.45 .. 0.55
  double latency_difference_s = 0;   // sum over frames: the shadow's less the other's
};

struct Pool {
  explicit Pool(PoolConfig which) : name(which.name), config(std::move(which)) {}

  const std::string name;  // may be read without the lock
  PoolConfig config;
  std::vector<std::shared_ptr<Endpoint>> endpoints;
  int weight = 0;
  uint64_t frames = 0, answers = 0;  // given
  uint64_t shadow_frames = 0, shadow_answers = 0;
  uint64_t passed_over = 0;  // an inquiry was meant for it and went to another, or to none
  double cost = 0;           // dollars so far
  Nanos cost_until{0};
  Buckets latency{100'000};  // ns, of answered tries
  ShadowCounts shadow;       // of this pool as the shadow
};

/// An inquiry on its way over the pools: those that routing said when it began.
struct Journey {
  std::vector<std::shared_ptr<Pool>> order;
  std::vector<const Endpoint*> tried;
  bool met_full = false;  // somebody refused for want of room
};

/// One try.
struct Ticket {
  std::shared_ptr<Pool> pool;
  std::shared_ptr<Endpoint> endpoint;
  Nanos start{0};
  Nanos limit{0};  // of the try
  std::string model;
};

class Books {
 public:
  explicit Books(const BooksOptions& options)
      : options_(options), rng_(options.seed), budget_(options.retry_share, options.max_retries_saved) {}

  using Clients = std::map<std::pair<std::string, std::string>, std::shared_ptr<client::InferenceClient>>;
  /// The endpoints of `pools` that there are none of yet.
  std::vector<std::pair<std::string, EndpointConfig>> Missing(const PoolsConfig& pools) const;
  /// From now on these pools and this routing; `clients` by pool and endpoint name has those that were missing.
  /// Endpoints that stay keep what is known of them. Those that are gone are asked nothing more; TakeClosable gives
  /// them back.
  void Apply(const PoolsConfig& pools, const RoutingConfig& routing, const Clients& clients, Nanos now);

  /// A new inquiry's way; empty without a routing.
  Journey Begin();
  /// Who is tried next: the first pool of the way with a healthy endpoint that was not tried and has room; else one
  /// with an endpoint that is new. The second try and those after it are paid from the budget. Errors: kUnavailable,
  /// nobody is left, or no more tries may be. kResourceExhausted, that, and somebody was full.
  Result<Ticket> Next(Journey& journey, Nanos now);
  /// The shadow pool's endpoint for a copy; nullopt when it is not this inquiry's turn, or nobody has room.
  std::optional<Ticket> NextShadow(bool shed, Nanos now);

  /// True: the endpoint was ejected by that.
  bool End(const Ticket& ticket, Attempt how, std::optional<Nanos> retry_after, const std::string& why, Nanos now);
  void Answered(Pool& pool, size_t num_answers, bool shadow);

  /// Endpoints to probe now, marked as being probed, each with its pool.
  std::vector<Ticket> TakeProbes(Nanos now);
  enum class Probe { kAnswered, kFailed, kWrong, kGivenUp };
  enum class Change { kNone, kHealthy, kEjected };
  Change EndProbe(const Ticket& ticket, Probe how, const std::string& why, Nanos now);
  /// When TakeProbes next has some, as things are.
  Nanos NextProbeAt() const;

  /// The clients of endpoints that were removed and have nothing in flight, one each: to be let go of outside of the
  /// lock.
  std::vector<std::shared_ptr<client::InferenceClient>> TakeClosable();

  /// Brings the pools' costs up to `now`.
  void Accrue(Nanos now);
  const std::vector<std::shared_ptr<Pool>>& pools() const { return pools_; }
  const RoutingConfig& routing() const { return routing_; }
  const std::vector<std::shared_ptr<Endpoint>>& leaving() const { return leaving_; }
  size_t num_leaving() const { return leaving_.size(); }
  const RetryBudget& budget() const { return budget_; }
  uint64_t num_retries() const { return num_retries_; }
  uint64_t num_retries_refused() const { return num_retries_refused_; }

 private:
  std::shared_ptr<Pool> FindPool(const std::string& name) const;
  std::optional<Ticket> Choose(Journey& journey, HealthState state, Nanos now);
  std::shared_ptr<Endpoint> ChooseIn(const Pool& pool, Journey& journey, HealthState state, Nanos now);
  static Ticket Open(const std::shared_ptr<Pool>& pool, const std::shared_ptr<Endpoint>& endpoint, Nanos now);

  const BooksOptions options_;
  Rng rng_;
  RetryBudget budget_;
  EvenShare shadow_turns_;
  std::vector<std::shared_ptr<Pool>> pools_;
  RoutingConfig routing_;
  SmoothWeights weights_;
  std::vector<std::vector<std::shared_ptr<Pool>>> orders_;  // of each of routing_.weights
  std::shared_ptr<Pool> shadow_;
  std::vector<std::shared_ptr<Endpoint>> leaving_;
  uint64_t num_retries_ = 0;
  uint64_t num_retries_refused_ = 0;  // for want of budget
};

}  // namespace pawsight::gateway
