#include "gateway/backends/routing.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <span>

#include "base/options.h"

namespace pawsight::gateway {
namespace {

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxAddressBytes = 512;
constexpr double kMaxPrice = 1e6;

bool IsNameByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

Status CheckPoolName(const std::string& where, const std::string& name) {
  if (!name.empty() && name.size() <= kMaxNameBytes && std::ranges::all_of(name, IsNameByte)) return Ok();
  return InvalidArgument(where + ": want 1 to " + std::to_string(kMaxNameBytes) + " letters, digits and -_.");
}

/// Every key is one of `known`.
Status CheckKeys(const std::string& where, const Json& json, std::span<const std::string> known) {
  if (!json.is_object()) return InvalidArgument(where + ": want an object");
  for (const auto& [key, value] : json.as_object()) {
    if (std::ranges::find(known, key) != known.end()) continue;
    const std::string nearest = Nearest(key, known);
    return InvalidArgument(where + "." + key + ": unknown" +
                           (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
  }
  return Ok();
}

std::string At(const std::string& where, size_t index) { return where + "[" + std::to_string(index) + "]"; }

/// Reads members that may be left out. The first error sticks.
class Fields {
 public:
  Fields(std::string where, const Json& json) : where_(std::move(where)), json_(json) {}

  void Text(const char* key, size_t max_bytes, std::string* value) {
    const Json* found = json_.Find(key);
    if (found == nullptr || !status_.ok()) return;
    const bool plain = found->is_string() && found->as_string().size() <= max_bytes &&
                       std::ranges::all_of(found->as_string(), [](unsigned char c) { return c > ' ' && c < 0x7F; });
    if (!plain) return Fail(key, "a string of at most " + std::to_string(max_bytes) + " plain characters");
    *value = found->as_string();
  }
  void Number(const char* key, double low, double high, double* value) {
    const Json* found = json_.Find(key);
    if (found == nullptr || !status_.ok()) return;
    if (!found->is_number() || !(found->as_number() >= low && found->as_number() <= high)) {
      return Fail(key, "a number from " + PrintOption(low) + " to " + PrintOption(high));
    }
    *value = found->as_number();
  }
  void Integer(const char* key, int64_t low, int64_t high, int64_t* value) {
    const Json* found = json_.Find(key);
    if (found == nullptr || !status_.ok()) return;
    if (!found->is_integer() || found->as_integer() < low || found->as_integer() > high) {
      return Fail(key, "an integer from " + std::to_string(low) + " to " + std::to_string(high));
    }
    *value = found->as_integer();
  }
  Status status() const { return status_; }

 private:
  void Fail(const char* key, const std::string& want) {
    status_ = InvalidArgument(where_ + "." + key + ": want " + want);
  }
  const std::string where_;
  const Json& json_;
  Status status_;
};

Result<EndpointConfig> ParseEndpoint(const std::string& where, const Json& json) {
  static const std::vector<std::string> kKeys = {"kind", "address", "credential"};
  PAWSIGHT_RETURN_IF_ERROR(CheckKeys(where, json, kKeys));
  EndpointConfig endpoint;
  Fields fields(where, json);
  fields.Text("kind", kMaxNameBytes, &endpoint.kind);
  fields.Text("address", kMaxAddressBytes, &endpoint.address);
  fields.Text("credential", kMaxNameBytes, &endpoint.credential);
  PAWSIGHT_RETURN_IF_ERROR(fields.status());
  if (endpoint.kind != "http" && endpoint.kind != "grpc" && endpoint.kind != "embedded") {
    return InvalidArgument(where + ".kind: want http, grpc or embedded");
  }
  if (endpoint.kind == "embedded") {
    const std::string& precision = endpoint.address;
    if (!precision.empty() && precision != "fp32" && precision != "bf16" && precision != "int8") {
      return InvalidArgument(where + ".address: of embedded, want fp32, bf16, int8, or none for the gateway's own");
    }
  } else if (endpoint.address.empty()) {
    return InvalidArgument(where + ".address: want one for http and grpc");
  }
  return endpoint;
}

Result<PoolConfig> ParsePool(const std::string& where, const Json& json) {
  static const std::vector<std::string> kKeys = {
      "name", "model", "endpoints", "price_per_hour", "endpoint_in_flight", "attempt_timeout_ms"};
  PAWSIGHT_RETURN_IF_ERROR(CheckKeys(where, json, kKeys));
  PoolConfig pool;
  int64_t in_flight = pool.endpoint_in_flight;
  int64_t timeout_ms = pool.attempt_timeout.count();
  Fields fields(where, json);
  fields.Text("name", kMaxNameBytes, &pool.name);
  fields.Text("model", kMaxNameBytes, &pool.model);
  fields.Number("price_per_hour", 0, kMaxPrice, &pool.price_per_hour);
  fields.Integer("endpoint_in_flight", 1, 4096, &in_flight);
  fields.Integer("attempt_timeout_ms", 1, 300000, &timeout_ms);
  PAWSIGHT_RETURN_IF_ERROR(fields.status());
  PAWSIGHT_RETURN_IF_ERROR(CheckPoolName(where + ".name", pool.name));
  PAWSIGHT_RETURN_IF_ERROR(CheckPoolName(where + ".model", pool.model));
  pool.endpoint_in_flight = static_cast<int>(in_flight);
  pool.attempt_timeout = std::chrono::milliseconds(timeout_ms);
  const Json* endpoints = json.Find("endpoints");
  if (endpoints == nullptr || !endpoints->is_array() || endpoints->as_array().size() > kMaxEndpoints) {
    return InvalidArgument(where + ".endpoints: want an array of at most " + std::to_string(kMaxEndpoints));
  }
  for (size_t i = 0; i < endpoints->as_array().size(); ++i) {
    const std::string at = At(where + ".endpoints", i);
    PAWSIGHT_ASSIGN_OR_RETURN(EndpointConfig endpoint, ParseEndpoint(at, endpoints->as_array()[i]));
    const auto same = [&](const EndpointConfig& e) { return e.name() == endpoint.name(); };
    if (std::ranges::any_of(pool.endpoints, same)) return InvalidArgument(at + ": stands twice");
    pool.endpoints.push_back(std::move(endpoint));
  }
  return pool;
}

Status ParseWeights(const Json& json, RoutingConfig* routing) {
  const Json* weights = json.Find("weights");
  if (weights == nullptr || !weights->is_object() || weights->as_object().size() > kMaxPools) {
    return InvalidArgument("weights: want an object of pools and their weights");
  }
  int64_t sum = 0;
  for (const auto& [pool, weight] : weights->as_object()) {
    PAWSIGHT_RETURN_IF_ERROR(CheckPoolName("weights." + pool.substr(0, kMaxNameBytes), pool));
    if (!weight.is_integer() || weight.as_integer() < 0 || weight.as_integer() > kMaxWeight) {
      return InvalidArgument("weights." + pool + ": want an integer from 0 to " + std::to_string(kMaxWeight));
    }
    routing->weights.emplace_back(pool, static_cast<int>(weight.as_integer()));
    sum += weight.as_integer();
  }
  return sum > 0 ? Ok() : InvalidArgument("weights: add up to 0; no pool would be asked");
}

Status ParseFallback(const Json& json, RoutingConfig* routing) {
  const Json* fallback = json.Find("fallback");
  if (fallback == nullptr) return Ok();
  if (!fallback->is_object() || fallback->as_object().size() > kMaxPools) {
    return InvalidArgument("fallback: want an object of pools, each with an array of others");
  }
  for (const auto& [pool, others] : fallback->as_object()) {
    const std::string where = "fallback." + pool.substr(0, kMaxNameBytes);
    PAWSIGHT_RETURN_IF_ERROR(CheckPoolName(where, pool));
    if (!others.is_array() || others.as_array().size() > kMaxPools) {
      return InvalidArgument(where + ": want an array of at most " + std::to_string(kMaxPools) + " pools");
    }
    std::vector<std::string>& order = routing->fallback[pool];
    for (size_t i = 0; i < others.as_array().size(); ++i) {
      const Json& other = others.as_array()[i];
      if (!other.is_string()) return InvalidArgument(At(where, i) + ": want the name of a pool");
      PAWSIGHT_RETURN_IF_ERROR(CheckPoolName(At(where, i), other.as_string()));
      if (other.as_string() == pool) return InvalidArgument(At(where, i) + ": '" + pool + "' falls back on itself");
      if (std::ranges::find(order, other.as_string()) != order.end()) {
        return InvalidArgument(At(where, i) + ": '" + other.as_string() + "' stands twice");
      }
      order.push_back(other.as_string());
    }
  }
  return Ok();
}

Status ParseShadow(const Json& json, RoutingConfig* routing) {
  static const std::vector<std::string> kKeys = {"pool", "share"};
  const Json* found = json.Find("shadow");
  if (found == nullptr || found->is_null()) return Ok();
  PAWSIGHT_RETURN_IF_ERROR(CheckKeys("shadow", *found, kKeys));
  ShadowConfig shadow;
  Fields fields("shadow", *found);
  fields.Text("pool", kMaxNameBytes, &shadow.pool);
  fields.Number("share", 0, 1, &shadow.share);
  PAWSIGHT_RETURN_IF_ERROR(fields.status());
  PAWSIGHT_RETURN_IF_ERROR(CheckPoolName("shadow.pool", shadow.pool));
  for (const auto& [pool, weight] : routing->weights) {
    if (pool == shadow.pool && weight > 0) {
      return InvalidArgument("shadow.pool: '" + pool + "' answers, with weight " + std::to_string(weight) +
                             "; a shadow's answers are never used");
    }
  }
  if (shadow.share > 0) routing->shadow = shadow;
  return Ok();
}

Status Missing(const std::string& where, const std::string& pool, const PoolsConfig& pools) {
  std::vector<std::string> names;
  for (const PoolConfig& known : pools.pools) names.push_back(known.name);
  const std::string nearest = Nearest(pool, names);
  return {StatusCode::kFailedPrecondition,
          where + ": there is no pool '" + pool + "'" + (nearest.empty() ? "" : "; did you mean " + nearest + "?"),
          "pool_unknown"};
}

}  // namespace

const PoolConfig* PoolsConfig::Find(const std::string& name) const {
  const auto found = std::ranges::find(pools, name, &PoolConfig::name);
  return found == pools.end() ? nullptr : &*found;
}

Result<PoolsConfig> ParsePools(const Json& json) {
  static const std::vector<std::string> kKeys = {"pools"};
  PAWSIGHT_RETURN_IF_ERROR(CheckKeys("pools", json, kKeys));
  const Json* array = json.Find("pools");
  if (array == nullptr || !array->is_array() || array->as_array().size() > kMaxPools) {
    return InvalidArgument("pools: want an array of at most " + std::to_string(kMaxPools));
  }
  PoolsConfig pools;
  for (size_t i = 0; i < array->as_array().size(); ++i) {
    PAWSIGHT_ASSIGN_OR_RETURN(PoolConfig pool, ParsePool(At("pools", i), array->as_array()[i]));
    if (pools.Find(pool.name) != nullptr) {
      return InvalidArgument(At("pools", i) + ".name: '" + pool.name + "' stands twice");
    }
    pools.pools.push_back(std::move(pool));
  }
  return pools;
}

Json PoolsToJson(const PoolsConfig& pools) {
  Json::Array array;
  for (const PoolConfig& pool : pools.pools) {
    Json::Array endpoints;
    for (const EndpointConfig& endpoint : pool.endpoints) {
      Json json(Json::Object{{"kind", endpoint.kind}});
      if (!endpoint.address.empty()) json.Set("address", endpoint.address);
      if (!endpoint.credential.empty()) json.Set("credential", endpoint.credential);
      endpoints.push_back(std::move(json));
    }
    array.push_back(Json::Object{{"name", pool.name},
                                 {"model", pool.model},
                                 {"price_per_hour", pool.price_per_hour},
                                 {"endpoint_in_flight", pool.endpoint_in_flight},
                                 {"attempt_timeout_ms", static_cast<int64_t>(pool.attempt_timeout.count())},
                                 {"endpoints", std::move(endpoints)}});
  }
  return Json::Object{{"pools", std::move(array)}};
}

Result<RoutingConfig> ParseRouting(const Json& json) {
  static const std::vector<std::string> kKeys = {"weights", "fallback", "shadow"};
  PAWSIGHT_RETURN_IF_ERROR(CheckKeys("routing", json, kKeys));
  RoutingConfig routing;
  PAWSIGHT_RETURN_IF_ERROR(ParseWeights(json, &routing));
  PAWSIGHT_RETURN_IF_ERROR(ParseFallback(json, &routing));
  PAWSIGHT_RETURN_IF_ERROR(ParseShadow(json, &routing));
  return routing;
}

Json RoutingToJson(const RoutingConfig& routing) {
  Json::Object weights;
  for (const auto& [pool, weight] : routing.weights) weights.emplace_back(pool, weight);
  Json::Object fallback;
  for (const auto& [pool, others] : routing.fallback) {
    fallback.emplace_back(pool, Json::Array(others.begin(), others.end()));
  }
  Json json(Json::Object{{"weights", std::move(weights)}, {"fallback", std::move(fallback)}});
  if (routing.shadow) {
    json.Set("shadow", Json::Object{{"pool", routing.shadow->pool}, {"share", routing.shadow->share}});
  }
  return json;
}

Status CheckRouting(const RoutingConfig& routing, const PoolsConfig& pools) {
  for (const auto& [name, weight] : routing.weights) {
    const PoolConfig* pool = pools.Find(name);
    if (pool == nullptr) return Missing("weights." + name, name, pools);
    if (weight > 0 && pool->endpoints.empty()) {
      return FailedPrecondition("weights." + name + ": the pool has no endpoint", "pool_empty");
    }
  }
  for (const auto& [name, others] : routing.fallback) {
    if (pools.Find(name) == nullptr) return Missing("fallback." + name, name, pools);
    for (size_t i = 0; i < others.size(); ++i) {
      if (pools.Find(others[i]) == nullptr) return Missing(At("fallback." + name, i), others[i], pools);
    }
  }
  if (routing.shadow && pools.Find(routing.shadow->pool) == nullptr) {
    return Missing("shadow.pool", routing.shadow->pool, pools);
  }
  return Ok();
}

}  // namespace pawsight::gateway
