// Any bytes as a file of times: read or refused, and what is read ascends and is in time.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "tools/arrivals.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto due = pawsight::tools::ReplayArrivals(text, std::chrono::hours(1));
  if (!due.ok()) return 0;
  CHECK(std::ranges::is_sorted(*due));
  CHECK(due->empty() || (due->front().count() >= 0 && due->back() < std::chrono::hours(1)));
  return 0;
}
