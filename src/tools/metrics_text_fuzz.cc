// Any bytes as a server's metrics: what is read is finite and few.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "tools/metrics_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto one = tools::MetricOf(text, "a");
  CHECK(!one || std::isfinite(*one));
  const auto by_label = tools::MetricByLabel(text, "a", "b");
  CHECK(by_label.size() <= 64);
  for (const auto& [label, value] : by_label) CHECK(std::isfinite(value));
  for (const auto& [label, count] : tools::Growth({}, by_label)) CHECK(count >= 1);
  return 0;
}
