#include "gateway/backends/status.h"

#include <cmath>

#include "base/metrics.h"

namespace pawsight::gateway {
namespace {

constexpr double kUnsure = 0.05;  // on either side of p_yes 0.5

/// Dollars for a million of what was done; null before anything was.
Json PerMillion(double cost, uint64_t count) {
  if (count == 0) return {};
  return cost / static_cast<double>(count) * 1e6;
}

Json Ratio(double part, uint64_t all) {
  if (all == 0) return {};
  return part / static_cast<double>(all);
}

Json EndpointToJson(const Endpoint& endpoint) {
  Json attempts(Json::Object{});
  for (size_t i = 0; i < endpoint.attempts.size(); ++i) {
    attempts.Set(AttemptName(static_cast<Attempt>(i)), endpoint.attempts[i]);
  }
  Json json(Json::Object{{"name", endpoint.config.name()},
                         {"kind", endpoint.config.kind},
                         {"state", HealthStateName(endpoint.health.state())},
                         {"half_open", endpoint.health.half_open()},
                         {"in_flight", endpoint.in_flight},
                         {"attempts", std::move(attempts)},
                         {"ejections", endpoint.ejections},
                         {"probes", Json::Object{{"answered", endpoint.probes_answered},
                                                 {"failed", endpoint.probes_failed},
                                                 {"wrong", endpoint.probes_wrong}}}});
  if (endpoint.latency_s.known()) json.Set("latency_ms", endpoint.latency_s.value() * 1e3);
  if (!endpoint.last_error.empty()) json.Set("last_error", endpoint.last_error);
  return json;
}

Json ShadowToJson(const ShadowCounts& shadow) {
  return Json::Object{{"sent", shadow.sent},
                      {"shed", shadow.shed},
                      {"failed", shadow.failed},
                      {"compared_frames", shadow.frames},
                      {"compared_answers", shadow.answers},
                      {"flip_rate", Ratio(static_cast<double>(shadow.flips), shadow.answers)},
                      {"firm_flip_rate", Ratio(static_cast<double>(shadow.firm_flips), shadow.answers)},
                      {"latency_difference_ms", Ratio(shadow.latency_difference_s * 1e3, shadow.frames)}};
}

Json PoolToJson(const Pool& pool) {
  Json::Array endpoints;
  for (const auto& endpoint : pool.endpoints) endpoints.push_back(EndpointToJson(*endpoint));
  const uint64_t frames = pool.frames + pool.shadow_frames;
  const uint64_t answers = pool.answers + pool.shadow_answers;
  return Json::Object{{"name", pool.name},
                      {"model", pool.config.model},
                      {"weight", pool.weight},
                      {"frames", pool.frames},
                      {"answers", pool.answers},
                      {"passed_over", pool.passed_over},
                      {"cost", Json::Object{{"price_per_hour", pool.config.price_per_hour},
                                            {"dollars", pool.cost},
                                            {"per_million_frames", PerMillion(pool.cost, frames)},
                                            {"per_million_answers", PerMillion(pool.cost, answers)}}},
                      {"shadow", ShadowToJson(pool.shadow)},
                      {"endpoints", std::move(endpoints)}};
}

/// Every pool's, or every endpoint's, sample of one metric.
template <typename Sample>
void OfPools(const Books& books, const Sample& sample) {
  for (const auto& pool : books.pools()) sample(*pool, MetricLabel("pool", pool->name));
}
template <typename Sample>
void OfEndpoints(const Books& books, const Sample& sample) {
  OfPools(books, [&](const Pool& pool, const std::string& label) {
    for (const auto& e : pool.endpoints) sample(*e, label + "," + MetricLabel("endpoint", e->config.name()));
  });
}

double Real(uint64_t count) { return static_cast<double>(count); }

void WriteInquiries(const BackendsNow& now, MetricsWriter& out) {
  out.Metric("inquiries_total", "counter", "Inquiries by how they ended.");
  const InquiryCounts& c = now.counts;
  for (const auto& [outcome, count] :
       {std::pair{"answered", c.answered}, std::pair{"unfit", c.unfit}, std::pair{"full", c.full},
        std::pair{"late", c.late}, std::pair{"unavailable", c.unavailable}}) {
    out.Sample(Real(count), MetricLabel("outcome", outcome));
  }
  out.Gauge("in_flight", "Inquiries that have not ended.", Real(now.in_flight));
  out.Gauge("in_flight_limit", "Inquiries that may be at once.", Real(now.in_flight_limit));
  out.Gauge("in_flight_bytes", "Bytes of their frames.", Real(now.bytes));
  out.Gauge("in_flight_limit_bytes", "Bytes that may be.", Real(now.bytes_limit));
}

void WritePools(const Books& books, MetricsWriter& out) {
  const auto of_pools = [&](const char* name, const char* type, const char* help, auto value) {
    out.Metric(name, type, help);
    OfPools(books, [&](const Pool& pool, const std::string& label) { out.Sample(value(pool), label); });
  };
  of_pools("pool_weight", "gauge", "Share of inquiries, among the weights of all.",
           [](const Pool& p) { return static_cast<double>(p.weight); });
  of_pools("pool_frames_total", "counter", "Frames answered.", [](const Pool& p) { return Real(p.frames); });
  of_pools("pool_answers_total", "counter", "Questions answered.", [](const Pool& p) { return Real(p.answers); });
  of_pools("pool_shadow_frames_total", "counter", "Frames answered as a shadow.",
           [](const Pool& p) { return Real(p.shadow_frames); });
  of_pools("pool_passed_over_total", "counter", "Inquiries meant for it that went to another pool, or to none.",
           [](const Pool& p) { return Real(p.passed_over); });
  of_pools("pool_cost_dollars_total", "counter", "What it has cost.", [](const Pool& p) { return p.cost; });
  of_pools("shadow_compared_answers_total", "counter", "Answers compared with those given.",
           [](const Pool& p) { return Real(p.shadow.answers); });
  of_pools("shadow_flips_total", "counter", "Of those, yes for no or no for yes.",
           [](const Pool& p) { return Real(p.shadow.flips); });
  of_pools("shadow_firm_flips_total", "counter", "Of those, where the given p_yes was outside of 0.45 .. 0.55.",
           [](const Pool& p) { return Real(p.shadow.firm_flips); });
  of_pools("shadow_shed_total", "counter", "Copies not sent for want of room.",
           [](const Pool& p) { return Real(p.shadow.shed); });
  out.Metric("pool_latency_seconds", "histogram", "Tries that were answered.");
  OfPools(books, [&](const Pool& pool, const std::string& label) { out.Histogram(pool.latency.View(), 1e-9, label); });
}

void WriteEndpoints(const Books& books, MetricsWriter& out) {
  const auto of_endpoints = [&](const char* name, const char* type, const char* help, auto value) {
    out.Metric(name, type, help);
    OfEndpoints(books, [&](const Endpoint& e, const std::string& label) { out.Sample(value(e), label); });
  };
  of_endpoints("endpoint_healthy", "gauge", "1: it is asked.",
               [](const Endpoint& e) { return e.health.state() == HealthState::kHealthy ? 1.0 : 0.0; });
  of_endpoints("endpoint_in_flight", "gauge", "Tries and probes that have not ended.",
               [](const Endpoint& e) { return static_cast<double>(e.in_flight); });
  of_endpoints("endpoint_latency_seconds", "gauge", "Recent mean.",
               [](const Endpoint& e) { return e.latency_s.value(); });
  of_endpoints("endpoint_ejections_total", "counter", "How often it was ejected.",
               [](const Endpoint& e) { return Real(e.ejections); });
  out.Metric("endpoint_attempts_total", "counter", "Tries by how they ended.");
  OfEndpoints(books, [&](const Endpoint& e, const std::string& label) {
    for (size_t i = 0; i < e.attempts.size(); ++i) {
      out.Sample(Real(e.attempts[i]), label + "," + MetricLabel("outcome", AttemptName(static_cast<Attempt>(i))));
    }
  });
  out.Metric("endpoint_probes_total", "counter", "Probes by how they ended.");
  OfEndpoints(books, [&](const Endpoint& e, const std::string& label) {
    for (const auto& [outcome, count] : {std::pair{"answered", e.probes_answered}, std::pair{"failed", e.probes_failed},
                                         std::pair{"wrong", e.probes_wrong}}) {
      out.Sample(Real(count), label + "," + MetricLabel("outcome", outcome));
    }
  });
}

}  // namespace

Json BooksToJson(const Books& books, const BackendsNow& now) {
  Json::Array pools;
  for (const auto& pool : books.pools()) pools.push_back(PoolToJson(*pool));
  return Json::Object{{"pools", std::move(pools)},
                      {"routing", RoutingToJson(books.routing())},
                      {"in_flight", static_cast<int64_t>(now.in_flight)},
                      {"in_flight_limit", static_cast<int64_t>(now.in_flight_limit)},
                      {"retries", books.num_retries()},
                      {"retries_refused", books.num_retries_refused()},
                      {"leaving_endpoints", static_cast<int64_t>(books.num_leaving())}};
}

std::string BooksToMetrics(const Books& books, const BackendsNow& now) {
  MetricsWriter out("pawsight_gateway_backend_");
  WriteInquiries(now, out);
  out.Counter("retries_total", "Tries after an inquiry's first.", books.num_retries());
  out.Counter("retries_refused_total", "Tries there was no budget for.", books.num_retries_refused());
  out.Gauge("leaving_endpoints", "Endpoints taken out that still have work.", Real(books.num_leaving()));
  WritePools(books, out);
  WriteEndpoints(books, out);
  return out.Take();
}

void CompareShadow(const std::vector<double>& given_p_yes, const std::vector<double>& shadow_p_yes,
                   double latency_difference_s, ShadowCounts* counts) {
  for (size_t i = 0; i < given_p_yes.size(); ++i) {
    ++counts->answers;
    if ((given_p_yes[i] >= 0.5) == (shadow_p_yes[i] >= 0.5)) continue;
    ++counts->flips;
    if (std::abs(given_p_yes[i] - 0.5) > kUnsure) ++counts->firm_flips;
  }
  ++counts->frames;
  counts->latency_difference_s += latency_difference_s;
}

}  // namespace pawsight::gateway
