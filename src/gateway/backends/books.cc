#include "gateway/backends/books.h"

#include <algorithm>
#include <utility>

#include "base/clock.h"

namespace pawsight::gateway {
namespace {

std::shared_ptr<Endpoint> FindEndpoint(const Pool& pool, const EndpointConfig& config) {
  const auto found = std::ranges::find(pool.endpoints, config, [](const auto& e) { return e->config; });
  return found == pool.endpoints.end() ? nullptr : *found;
}

constexpr size_t kMaxErrorBytes = 200;

}  // namespace

std::string_view AttemptName(Attempt attempt) {
  switch (attempt) {
    case Attempt::kAnswered:
      return "answered";
    case Attempt::kRefused:
      return "refused";
    case Attempt::kUnfit:
      return "unfit";
    case Attempt::kFailed:
      return "failed";
    case Attempt::kLate:
      return "late";
    case Attempt::kGivenUp:
      return "given_up";
  }
  CHECK(false);
}

std::shared_ptr<Pool> Books::FindPool(const std::string& name) const {
  const auto found = std::ranges::find(pools_, name, [](const auto& pool) { return pool->name; });
  return found == pools_.end() ? nullptr : *found;
}

std::vector<std::pair<std::string, EndpointConfig>> Books::Missing(const PoolsConfig& pools) const {
  std::vector<std::pair<std::string, EndpointConfig>> missing;
  for (const PoolConfig& pool : pools.pools) {
    const std::shared_ptr<Pool> known = FindPool(pool.name);
    for (const EndpointConfig& endpoint : pool.endpoints) {
      if (known == nullptr || FindEndpoint(*known, endpoint) == nullptr) missing.emplace_back(pool.name, endpoint);
    }
  }
  return missing;
}

void Books::Apply(const PoolsConfig& pools, const RoutingConfig& routing, const Clients& clients, Nanos now) {
  Accrue(now);
  std::vector<std::shared_ptr<Pool>> next;
  for (const PoolConfig& config : pools.pools) {
    std::shared_ptr<Pool> pool = FindPool(config.name);
    if (pool == nullptr) {
      pool = std::make_shared<Pool>(config);
      pool->cost_until = now;
    }
    std::vector<std::shared_ptr<Endpoint>> endpoints;
    for (const EndpointConfig& endpoint : config.endpoints) {
      std::shared_ptr<Endpoint> known = FindEndpoint(*pool, endpoint);
      if (known == nullptr) {
        known = std::make_shared<Endpoint>(endpoint, clients.at({config.name, endpoint.name()}), options_.health);
      }
      endpoints.push_back(std::move(known));
    }
    pool->config = config;
    pool->endpoints.swap(endpoints);
    for (const std::shared_ptr<Endpoint>& old : endpoints) {
      if (std::ranges::find(pool->endpoints, old) == pool->endpoints.end()) leaving_.push_back(old);
    }
    next.push_back(std::move(pool));
  }
  pools_.swap(next);
  for (const std::shared_ptr<Pool>& old : next) {
    if (old == nullptr || FindPool(old->name) == old) continue;
    leaving_.insert(leaving_.end(), old->endpoints.begin(), old->endpoints.end());
    old->endpoints.clear();  // journeys that have it on their way find nobody there
  }
  for (const std::shared_ptr<Endpoint>& endpoint : leaving_) endpoint->removed = true;

  routing_ = routing;
  orders_.clear();
  std::vector<int> weights;
  for (const std::shared_ptr<Pool>& pool : pools_) pool->weight = 0;
  for (const auto& [name, weight] : routing.weights) {
    std::vector<std::shared_ptr<Pool>>& order = orders_.emplace_back();
    order.push_back(FindPool(name));
    order.back()->weight = weight;
    if (const auto others = routing.fallback.find(name); others != routing.fallback.end()) {
      for (const std::string& other : others->second) order.push_back(FindPool(other));
    }
    weights.push_back(weight);
  }
  weights_ = SmoothWeights(std::move(weights));
  shadow_ = routing.shadow ? FindPool(routing.shadow->pool) : nullptr;
}

Journey Books::Begin() {
  budget_.Earn();
  if (orders_.empty()) return {};
  return {orders_[weights_.Next()], {}, false};
}

Ticket Books::Open(const std::shared_ptr<Pool>& pool, const std::shared_ptr<Endpoint>& endpoint, Nanos now) {
  ++endpoint->in_flight;
  return {pool, endpoint, now, pool->config.attempt_timeout, pool->config.model};
}

std::shared_ptr<Endpoint> Books::ChooseIn(const Pool& pool, Journey& journey, HealthState state, Nanos now) {
  std::vector<LoadView> loads;
  std::vector<const std::shared_ptr<Endpoint>*> candidates;
  for (const std::shared_ptr<Endpoint>& endpoint : pool.endpoints) {
    if (endpoint->health.state() != state) continue;
    if (std::ranges::find(journey.tried, endpoint.get()) != journey.tried.end()) continue;
    if (endpoint->in_flight >= pool.config.endpoint_in_flight) {
      journey.met_full = true;
      continue;
    }
    loads.push_back({endpoint->in_flight, endpoint->latency_s.Recent(now), now < endpoint->back_off_until});
    candidates.push_back(&endpoint);
  }
  if (candidates.empty()) return nullptr;
  return *candidates[ChooseOfTwo(loads, rng_)];
}

std::optional<Ticket> Books::Choose(Journey& journey, HealthState state, Nanos now) {
  for (const std::shared_ptr<Pool>& pool : journey.order) {
    if (const std::shared_ptr<Endpoint> endpoint = ChooseIn(*pool, journey, state, now)) {
      journey.tried.push_back(endpoint.get());
      return Open(pool, endpoint, now);
    }
  }
  return std::nullopt;
}

Result<Ticket> Books::Next(Journey& journey, Nanos now) {
  const bool first = journey.tried.empty();
  const auto none = [&](const std::string& why) -> Status {
    if (first && !journey.order.empty()) ++journey.order.front()->passed_over;
    if (journey.met_full) return ResourceExhausted("every backend that is left is full: " + why, "backends_full");
    return Unavailable("no backend that could answer is left: " + why, "backends_unavailable");
  };
  if (journey.order.empty()) return none("there is no routing");
  if (journey.tried.size() >= static_cast<size_t>(options_.max_attempts)) return none("enough were tried");
  if (!first && budget_.saved() < 1) {
    ++num_retries_refused_;
    return none("the retry budget is spent");
  }
  std::optional<Ticket> ticket = Choose(journey, HealthState::kHealthy, now);
  if (!ticket) ticket = Choose(journey, HealthState::kNew, now);
  if (!ticket) return none("none is healthy and has room");
  if (first && ticket->pool != journey.order.front()) ++journey.order.front()->passed_over;
  if (!first) {
    CHECK(budget_.Spend());
    ++num_retries_;
  }
  return *std::move(ticket);
}

std::optional<Ticket> Books::NextShadow(bool shed, Nanos now) {
  if (shadow_ == nullptr || !shadow_turns_.Next(routing_.shadow->share)) return std::nullopt;
  Journey journey;
  const std::shared_ptr<Endpoint> endpoint = shed ? nullptr : ChooseIn(*shadow_, journey, HealthState::kHealthy, now);
  if (endpoint == nullptr) {
    ++shadow_->shadow.shed;
    return std::nullopt;
  }
  ++shadow_->shadow.sent;
  return Open(shadow_, endpoint, now);
}

bool Books::End(const Ticket& ticket, Attempt how, std::optional<Nanos> retry_after, const std::string& why,
                Nanos now) {
  Endpoint& endpoint = *ticket.endpoint;
  --endpoint.in_flight;
  ++endpoint.attempts[static_cast<size_t>(how)];
  const Nanos took = now - ticket.start;
  bool ejected = false;
  switch (how) {
    case Attempt::kAnswered:
      ticket.pool->latency.Add(took);
      endpoint.latency_s.Add(now, std::chrono::duration<double>(took).count());
      endpoint.health.Answered();
      break;
    case Attempt::kUnfit:
      endpoint.health.Answered();
      break;
    case Attempt::kRefused:
      endpoint.back_off_until =
          now + std::min(retry_after.value_or(options_.longest_back_off), options_.longest_back_off);
      break;
    case Attempt::kLate:
      endpoint.latency_s.Add(now, std::chrono::duration<double>(took).count());
      // Where the inquiry had little time left, that is not the endpoint's fault.
      if (took * 2 >= ticket.limit) ejected = endpoint.health.Failed(now, rng_);
      break;
    case Attempt::kFailed:
      ejected = endpoint.health.Failed(now, rng_);
      break;
    case Attempt::kGivenUp:
      break;
  }
  if (how == Attempt::kFailed || how == Attempt::kLate) endpoint.last_error = why.substr(0, kMaxErrorBytes);
  if (ejected) ++endpoint.ejections;
  return ejected;
}

void Books::Answered(Pool& pool, size_t num_answers, bool shadow) {
  (shadow ? pool.shadow_frames : pool.frames) += 1;
  (shadow ? pool.shadow_answers : pool.answers) += num_answers;
}

std::vector<Ticket> Books::TakeProbes(Nanos now) {
  std::vector<Ticket> probes;
  for (const std::shared_ptr<Pool>& pool : pools_) {
    for (const std::shared_ptr<Endpoint>& endpoint : pool->endpoints) {
      if (endpoint->health.probe_at() > now) continue;
      endpoint->health.ProbeSent();
      probes.push_back(Open(pool, endpoint, now));
      probes.back().limit = options_.health.probe_limit;
    }
  }
  return probes;
}

Books::Change Books::EndProbe(const Ticket& ticket, Probe how, const std::string& why, Nanos now) {
  Endpoint& endpoint = *ticket.endpoint;
  --endpoint.in_flight;
  if (how == Probe::kAnswered) {
    ++endpoint.probes_answered;
    if (!endpoint.health.ProbeAnswered(now)) return Change::kNone;
    endpoint.latency_s = {};  // it is another one now, perhaps
    return Change::kHealthy;
  }
  if (how == Probe::kGivenUp) return Change::kNone;
  ++(how == Probe::kWrong ? endpoint.probes_wrong : endpoint.probes_failed);
  endpoint.last_error = why.substr(0, kMaxErrorBytes);
  if (!endpoint.health.ProbeFailed(now, how == Probe::kWrong, rng_)) return Change::kNone;
  ++endpoint.ejections;
  return Change::kEjected;
}

Nanos Books::NextProbeAt() const {
  Nanos next = Clock::kForever;
  for (const std::shared_ptr<Pool>& pool : pools_) {
    for (const std::shared_ptr<Endpoint>& endpoint : pool->endpoints) {
      next = std::min(next, endpoint->health.probe_at());
    }
  }
  return next;
}

std::vector<std::shared_ptr<client::InferenceClient>> Books::TakeClosable() {
  std::vector<std::shared_ptr<client::InferenceClient>> closable;
  std::erase_if(leaving_, [&](const std::shared_ptr<Endpoint>& endpoint) {
    if (endpoint->in_flight > 0) return false;
    closable.push_back(std::move(endpoint->client));
    return true;
  });
  return closable;
}

void Books::Accrue(Nanos now) {
  for (const std::shared_ptr<Pool>& pool : pools_) {
    pool->cost +=
        pool->config.price_per_hour * (std::chrono::duration<double>(now - pool->cost_until) / std::chrono::hours(1));
    pool->cost_until = now;
  }
}

}  // namespace pawsight::gateway
