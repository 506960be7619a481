// Any bytes as a result file: read or refused, and what is read is written and read as the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "tools/stress_result.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight;
  const auto json = Json::Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!json.ok()) return 0;
  const auto result = tools::ResultFromJson(*json);
  if (!result.ok()) return 0;
  const Json written = tools::ResultToJson(*result);
  const auto again = tools::ResultFromJson(written);
  CHECK(again.ok());
  CHECK(tools::ResultToJson(*again).Dump() == written.Dump());
  return 0;
}
