// gateway/backends/routing.h: which pools of endpoints there are and how frames are spread over them: two documents
// that operators write, as checked values. A field that is not known, or does not fit, is an error that names it. Not
// here: choosing by them (gateway/backends/books.h). Values; functions without state.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace pawsight::gateway {

inline constexpr size_t kMaxPools = 64;
inline constexpr size_t kMaxEndpoints = 1024;  // of one pool
inline constexpr int kMaxWeight = 10000;

/// One server that answers. Two of a pool that are equal are the same.
struct EndpointConfig {
  std::string kind;        // "http", "grpc", "embedded"
  std::string address;     // "http://worker-1:8000"; "worker-1:8001"; for embedded ""
  std::string credential;  // what the gateway's own settings hold under that name: token, certificates; "" is none
  int generation = 0;      // what that name meant when it was set; Backends's own, in no document

  friend bool operator==(const EndpointConfig&, const EndpointConfig&) = default;
  /// For people, metrics and Reply::endpoint: the address; "embedded" or "embedded:int8".
  std::string name() const {
    if (kind != "embedded") return address;
    return address.empty() ? kind : kind + ":" + address;
  }
};

struct PoolConfig {
  std::string name;
  std::string model = "vqa";
  std::vector<EndpointConfig> endpoints;
  double price_per_hour = 0;                         // dollars, of the whole pool
  int endpoint_in_flight = 64;                       // inquiries at once at one endpoint, 1..4096
  std::chrono::milliseconds attempt_timeout{10000};  // of one try, 1 ms..5 min
};

struct PoolsConfig {
  std::vector<PoolConfig> pools;  // no name twice

  /// nullptr when there is none of that name.
  const PoolConfig* Find(const std::string& name) const;
};

struct ShadowConfig {
  std::string pool;
  double share = 0;  // of inquiries, above 0, at most 1
};

struct RoutingConfig {
  std::vector<std::pair<std::string, int>> weights;          // pool, 0..kMaxWeight; together above 0
  std::map<std::string, std::vector<std::string>> fallback;  // of a pool: which others, in this order
  std::optional<ShadowConfig> shadow;
};

/// {"pools":[{"name":"cpu","model":"vqa","price_per_hour":0.34,"endpoint_in_flight":64,"attempt_timeout_ms":10000,
///   "endpoints":[{"kind":"http","address":"http://worker-1:8000","credential":"workers"}]}]}
/// Errors: kInvalidArgument, naming the field.
Result<PoolsConfig> ParsePools(const Json& json);
Json PoolsToJson(const PoolsConfig& pools);

/// {"weights":{"cpu":90,"gpu":10},"fallback":{"gpu":["cpu"]},"shadow":{"pool":"next","share":0.05}}
/// Errors: kInvalidArgument, naming the field: also weights that add up to 0, a pool that falls back on itself or twice
/// on the same, a shadow pool that answers, too.
Result<RoutingConfig> ParseRouting(const Json& json);
Json RoutingToJson(const RoutingConfig& routing);

/// Whether every pool that is named is there, and one with weight has an endpoint. Errors: kFailedPrecondition, naming
/// the field.
Status CheckRouting(const RoutingConfig& routing, const PoolsConfig& pools);

}  // namespace pawsight::gateway
