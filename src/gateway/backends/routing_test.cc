#include "gateway/backends/routing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::gateway {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPools =
    R"({"pools":[{"name":"cpu","price_per_hour":0.5,"endpoints":[{"kind":"http","address":"http://w:1","credential":"c"},
                                                             {"kind":"embedded"}]},
                {"name":"gpu","model":"vqa2","endpoint_in_flight":8,"attempt_timeout_ms":250,
                 "endpoints":[{"kind":"grpc","address":"g:2"}]},
                {"name":"empty","endpoints":[]}]})";

PoolsConfig Pools() { return ParsePools(Json::Parse(kPools).value()).value(); }

std::string WhyPools(const std::string& text) {
  const auto pools = ParsePools(Json::Parse(text).value());
  return pools.ok() ? "read" : pools.status().message();
}

/// What is wrong with the routing, itself or with the pools above.
std::string Why(const std::string& text) {
  const auto routing = ParseRouting(Json::Parse(text).value());
  if (!routing.ok()) return routing.status().message();
  const Status checked = CheckRouting(*routing, Pools());
  return checked.ok() ? "read" : checked.message();
}

TEST(Pools, AreReadAndWritten) {
  const PoolsConfig pools = Pools();
  EXPECT_EQ(pools.Find("cpu")->endpoints[0], (EndpointConfig{"http", "http://w:1", "c"}));
  EXPECT_EQ(pools.Find("cpu")->endpoints[1].name(), "embedded");
  EXPECT_EQ(pools.Find("gpu")->model, "vqa2");
  EXPECT_EQ(pools.Find("gpu")->attempt_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(pools.Find("gpu")->endpoint_in_flight, 8);
  EXPECT_EQ(pools.Find("none"), nullptr);
  const Json written = PoolsToJson(pools);
  EXPECT_EQ(PoolsToJson(ParsePools(written).value()).Dump(), written.Dump());
}

TEST(Pools, AFaultIsNamedByItsField) {
  EXPECT_THAT(WhyPools("{}"), HasSubstr("pools: want an array"));
  EXPECT_EQ(WhyPools(R"({"pools":[],"pool":1})"), "pools.pool: unknown; did you mean pools?");
  EXPECT_THAT(WhyPools(R"({"pools":[{"endpoints":[]}]})"), HasSubstr("pools[0].name: want 1 to 64"));
  EXPECT_THAT(WhyPools(R"({"pools":[{"name":"a b","endpoints":[]}]})"), HasSubstr("pools[0].name: want"));
  EXPECT_THAT(WhyPools(R"({"pools":[{"name":"a"}]})"), HasSubstr("pools[0].endpoints: want an array"));
  EXPECT_THAT(WhyPools(R"({"pools":[{"name":"a","endpoints":[]},{"name":"a","endpoints":[]}]})"),
              HasSubstr("pools[1].name: 'a' stands twice"));
  EXPECT_THAT(WhyPools(R"({"pools":[{"name":"a","price_per_hour":-1,"endpoints":[]}]})"),
              HasSubstr("pools[0].price_per_hour: want a number from 0 to"));
  EXPECT_THAT(WhyPools(R"({"pools":[{"name":"a","endpoint_in_flight":0,"endpoints":[]}]})"),
              HasSubstr("pools[0].endpoint_in_flight: want an integer from 1 to 4096"));
  const auto endpoint = [](const std::string& text) {
    return WhyPools(R"({"pools":[{"name":"a","endpoints":[)" + text + "]}]}");
  };
  EXPECT_THAT(endpoint("7"), HasSubstr("pools[0].endpoints[0]: want an object"));
  EXPECT_THAT(endpoint(R"({"kind":"ftp"})"), HasSubstr("pools[0].endpoints[0].kind: want http, grpc or embedded"));
  EXPECT_THAT(endpoint(R"({"kind":"http"})"), HasSubstr("endpoints[0].address: want one"));
  EXPECT_THAT(endpoint(R"({"kind":"http","address":"a\r\nb"})"), HasSubstr("endpoints[0].address: want a string"));
  EXPECT_THAT(endpoint(R"({"kind":"embedded","address":"http://x"})"), HasSubstr("want fp32, bf16, int8, or none"));
  EXPECT_THAT(endpoint(R"({"kind":"embedded"},{"kind":"embedded"})"), HasSubstr("endpoints[1]: stands twice"));
}

TEST(Routing, IsReadAndWritten) {
  const std::string text =
      R"({"weights":{"cpu":90,"gpu":10},"fallback":{"gpu":["cpu","empty"]},"shadow":{"pool":"empty","share":0.25}})";
  EXPECT_EQ(Why(text), "read");
  const RoutingConfig routing = ParseRouting(Json::Parse(text).value()).value();
  EXPECT_EQ(routing.weights[1], (std::pair<std::string, int>("gpu", 10)));
  EXPECT_EQ(routing.fallback.at("gpu").size(), 2U);
  EXPECT_EQ(routing.shadow->share, 0.25);
  EXPECT_EQ(RoutingToJson(routing).Dump(), text);
}

TEST(Routing, AFaultIsNamedByItsField) {
  EXPECT_THAT(Why("{}"), HasSubstr("weights: want an object"));
  EXPECT_EQ(Why(R"({"weight":{}})"), "routing.weight: unknown; did you mean weights?");
  EXPECT_EQ(Why(R"({"weights":{}})"), "weights: add up to 0; no pool would be asked");
  EXPECT_EQ(Why(R"({"weights":{"cpu":0}})"), "weights: add up to 0; no pool would be asked");
  EXPECT_THAT(Why(R"({"weights":{"cpu":-1}})"), HasSubstr("weights.cpu: want an integer from 0"));
  EXPECT_THAT(Why(R"({"weights":{"cpu":0.5}})"), HasSubstr("weights.cpu: want an integer from 0"));
  EXPECT_THAT(Why(R"({"weights":{"cpuu":1}})"), HasSubstr("weights.cpuu: there is no pool 'cpuu'; did you mean cpu?"));
  EXPECT_THAT(Why(R"({"weights":{"empty":1}})"), HasSubstr("weights.empty: the pool has no endpoint"));
  EXPECT_THAT(Why(R"({"weights":{"cpu":1},"fallback":{"cpu":["cpu"]}})"),
              HasSubstr("fallback.cpu[0]: 'cpu' falls back on itself"));
  EXPECT_THAT(Why(R"({"weights":{"cpu":1},"fallback":{"cpu":["gpu","gpu"]}})"), HasSubstr("fallback.cpu[1]: 'gpu'"));
  EXPECT_THAT(Why(R"({"weights":{"cpu":1},"fallback":{"cpu":["no"]}})"), HasSubstr("fallback.cpu[0]: there is no"));
  EXPECT_THAT(Why(R"({"weights":{"cpu":1},"fallback":{"no":["cpu"]}})"), HasSubstr("fallback.no: there is no"));
  EXPECT_THAT(Why(R"({"weights":{"cpu":1},"shadow":{"pool":"cpu","share":0.1}})"),
              HasSubstr("shadow.pool: 'cpu' answers"));
  EXPECT_THAT(Why(R"({"weights":{"cpu":1},"shadow":{"pool":"gpu","share":1.5}})"), HasSubstr("shadow.share: want"));
  EXPECT_THAT(Why(R"({"weights":{"cpu":1},"shadow":{"pool":"no","share":0.5}})"),
              HasSubstr("shadow.pool: there is no"));
}

}  // namespace
}  // namespace pawsight::gateway
