// Any text as the documents of pools and of routing: refused, or what is read is what is written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "gateway/backends/routing.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight;
  const Result<Json> json = Json::Parse({reinterpret_cast<const char*>(data), size}, {1U << 16U, 16});
  if (!json.ok()) return 0;
  if (const auto pools = gateway::ParsePools(*json); pools.ok()) {
    const Json written = gateway::PoolsToJson(*pools);
    const auto again = gateway::ParsePools(written);
    CHECK(again.ok() && gateway::PoolsToJson(*again).Dump() == written.Dump());
  }
  if (const auto routing = gateway::ParseRouting(*json); routing.ok()) {
    const Json written = gateway::RoutingToJson(*routing);
    const auto again = gateway::ParseRouting(written);
    CHECK(again.ok() && gateway::RoutingToJson(*again).Dump() == written.Dump());
  }
  return 0;
}
