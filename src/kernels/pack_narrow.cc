#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/narrow.h"

namespace pawsight::kernels {
namespace {

/// Where a column's groups begin, and how far apart they are.
uint8_t* Column(void* packed, size_t panel_bytes, int column) {
  return static_cast<uint8_t*>(packed) + static_cast<size_t>(column / kPanel) * panel_bytes +
         static_cast<size_t>(column % kPanel) * kGroup;
}
constexpr size_t kGroupStride = static_cast<size_t>(kPanel) * kGroup;

}  // namespace

void PackBf16(const float* weight, int lds, int n, int k, void* packed) {
  std::memset(packed, 0, NarrowPackedBytes(Precision::kBf16, k, n));
  for (int j = 0; j < n; ++j, weight += lds) {
    uint8_t* column = Column(packed, NarrowPanelBytes(Precision::kBf16, k), j);
    for (int r = 0; r < k; ++r) {
      const Bf16 value = ToBf16(weight[r]);
      std::memcpy(column + static_cast<size_t>(r / 2) * kGroupStride + static_cast<size_t>(r % 2) * 2, &value, 2);
    }
  }
}

void PackInt8(const float* weight, int lds, int n, int k, void* packed, float* scales, int32_t* sums) {
  std::memset(packed, 0, NarrowPackedBytes(Precision::kInt8, k, n));
  std::fill_n(scales, NumPanels(n) * kPanel, 0.0F);
  std::fill_n(sums, NumPanels(n) * kPanel, 0);
  for (int j = 0; j < n; ++j, weight += lds) {
    uint8_t* column = Column(packed, NarrowPanelBytes(Precision::kInt8, k), j);
    float largest = 0.0F;
    for (int r = 0; r < k; ++r) largest = std::max(largest, std::abs(weight[r]));
    const float inverse = largest < 1e-30F ? 0.0F : 127.0F / largest;
    scales[j] = largest < 1e-30F ? 1.0F : largest / 127.0F;
    for (int r = 0; r < k; ++r) {
      const auto value = static_cast<int8_t>(std::nearbyint(weight[r] * inverse));
      column[static_cast<size_t>(r / kGroup) * kGroupStride + static_cast<size_t>(r % kGroup)] =
          static_cast<uint8_t>(value);
      sums[j] += value;
    }
  }
}

}  // namespace pawsight::kernels
