#include "kernels/scalar/narrow.h"

#include <cmath>
#include <cstddef>
#include <limits>

namespace pawsight::kernels::scalar {
namespace {

constexpr int kMaxCols = 8192;
constexpr float kLeastRange = 1e-30F;

/// erfc keeps the small tail of negative x exact where 1 + erf would cancel.
float Gelu(float x) { return 0.5F * x * std::erfc(x * -0.70710678118654752F); }

/// The bytes of value (row r, column j) of a right operand.
const uint8_t* At(const void* packed, size_t panel_bytes, int bytes, int r, int j) {
  return static_cast<const uint8_t*>(packed) + static_cast<size_t>(j / kPanel) * panel_bytes +
         static_cast<size_t>(r * bytes / kGroup) * kPanel * kGroup + static_cast<size_t>(j % kPanel) * kGroup +
         static_cast<size_t>(r * bytes % kGroup);
}
uint8_t* At(void* packed, size_t panel_bytes, int bytes, int r, int j) {
  return const_cast<uint8_t*>(At(static_cast<const void*>(packed), panel_bytes, bytes, r, j));
}
float Bf16At(const void* packed, size_t panel_bytes, int r, int j) {
  return FromBf16(*reinterpret_cast<const Bf16*>(At(packed, panel_bytes, 2, r, j)));
}

float Product(const NarrowGemm& args, int row, int column) {
  const auto* bytes = static_cast<const uint8_t*>(args.a.data) + static_cast<size_t>(row) * args.a.stride;
  const size_t panel_bytes = NarrowPanelBytes(args.a.precision, args.k);
  if (args.a.precision == Precision::kBf16) {
    const auto* a = reinterpret_cast<const Bf16*>(bytes);
    float sum = 0.0F;
    for (int r = 0; r < args.k; ++r) sum += FromBf16(a[r]) * Bf16At(args.b, panel_bytes, r, column);
    return sum;
  }
  int32_t sum = 0;
  for (int r = 0; r < args.k; ++r) sum += bytes[r] * static_cast<int8_t>(*At(args.b, panel_bytes, 1, r, column));
  return static_cast<float>(sum - args.a.zeros[row] * args.column_sums[column]) *
         (args.a.scales[row] * args.column_scales[column]);
}

/// Writes `count` values as a row of y, in its precision.
void NarrowRow(const float* x, const NarrowRows& y, int row, int count) {
  auto* bytes = static_cast<uint8_t*>(y.data) + static_cast<size_t>(row) * y.stride;
  if (y.precision == Precision::kBf16) {
    auto* out = reinterpret_cast<Bf16*>(bytes);
    const auto padded = static_cast<int>(ChunkedBytes(y.precision, count) / sizeof(Bf16));
    for (int j = 0; j < padded; ++j) out[j] = j < count ? ToBf16(x[j]) : Bf16{0};
    return;
  }
  float low = 0.0F;
  float high = 0.0F;
  bool finite = true;
  for (int j = 0; j < count; ++j) {
    finite = finite && std::isfinite(x[j]);
    if (x[j] < low) low = x[j];
    if (x[j] > high) high = x[j];
  }
  const float range = high - low;
  finite = finite && std::isfinite(range);
  const bool flat = !finite || range < kLeastRange;
  const float inverse = flat ? 0.0F : 255.0F / range;
  const float zero = flat ? 0.0F : std::nearbyint(-low * inverse);
  y.scales[row] = !finite ? std::numeric_limits<float>::quiet_NaN() : flat ? 1.0F : range / 255.0F;
  y.zeros[row] = static_cast<int32_t>(zero);
  for (int j = 0; j < count; ++j) {
    const float byte = flat ? 0.0F : std::nearbyint(x[j] * inverse) + zero;
    bytes[j] = static_cast<uint8_t>(byte < 0.0F ? 0.0F : byte > 255.0F ? 255.0F : byte);
  }
}

}  // namespace

void NarrowMultiply(const NarrowGemm& args) {
  const int padded = NumPanels(args.n) * kPanel;
  for (int row = 0; row < args.rows; ++row) {
    for (int j = 0; j < padded; ++j) {
      if (j >= args.n) {
        if (args.narrow_c != nullptr) args.narrow_c[static_cast<ptrdiff_t>(row) * args.ldc + j] = 0;
        continue;
      }
      float value = Product(args, row, j);
      if (args.bias != nullptr) value += args.bias[j];
      switch (args.tail) {
        case Tail::kNone:
          break;
        case Tail::kGelu:
          value = Gelu(value);
          break;
      }
      if (args.residual != nullptr) value += args.residual[static_cast<ptrdiff_t>(row) * args.ldr + j];
      if (args.c != nullptr) {
        args.c[static_cast<ptrdiff_t>(row) * args.ldc + j] = value;
      } else {
        args.narrow_c[static_cast<ptrdiff_t>(row) * args.ldc + j] = ToBf16(value);
      }
    }
  }
}

void NarrowAttention(const NarrowAttend& args) {
  const size_t key_panel_bytes = NarrowPanelBytes(Precision::kBf16, args.head_dim);
  auto* scores = static_cast<float*>(args.scratch);
  for (int row = 0; row < args.rows; ++row) {
    const Bf16* q = args.q + static_cast<ptrdiff_t>(row) * args.ldq;
    float largest = -std::numeric_limits<float>::infinity();
    for (int j = 0; j < args.num_keys; ++j) {
      float score = 0.0F;
      for (int d = 0; d < args.head_dim; ++d) score += FromBf16(q[d]) * Bf16At(args.keys, key_panel_bytes, d, j);
      scores[j] = score * args.scale;
      if (scores[j] > largest) largest = scores[j];
    }
    float sum = 0.0F;
    for (int j = 0; j < args.num_keys; ++j) {
      scores[j] = std::exp(scores[j] - largest);
      sum += scores[j];
    }
    for (int d = 0; d < args.head_dim; ++d) {
      float total = 0.0F;
      for (int j = 0; j < args.num_keys; ++j) {
        total += FromBf16(ToBf16(scores[j])) * Bf16At(args.values, args.value_panel_bytes, j, d);
      }
      args.out[static_cast<ptrdiff_t>(row) * args.ldo + d] = ToBf16(total / sum);
    }
  }
}

void NarrowLayerNorm(const float* x, int ldx, const float* gain, const float* bias, float eps, const NarrowRows& y,
                     int rows, int cols) {
  float normal[kMaxCols];
  for (int row = 0; row < rows; ++row, x += ldx) {
    Scalar().layer_norm(x, cols, gain, bias, eps, normal, cols, 1, cols);
    NarrowRow(normal, y, row, cols);
  }
}

void Narrow(const float* x, int ldx, const NarrowRows& y, int rows, int cols) {
  for (int row = 0; row < rows; ++row, x += ldx) NarrowRow(x, y, row, cols);
}

void Quantize(const Bf16* x, int ldx, const NarrowRows& y, int rows, int cols) {
  float wide[4 * kMaxCols];
  for (int row = 0; row < rows; ++row, x += ldx) {
    for (int j = 0; j < cols; ++j) wide[j] = FromBf16(x[j]);
    NarrowRow(wide, y, row, cols);
  }
}

void PackKeys(const Bf16* keys, int ld, int num_keys, int head_dim, void* packed) {
  const size_t panel_bytes = NarrowPanelBytes(Precision::kBf16, head_dim);
  const auto padded = static_cast<int>(ChunkedBytes(Precision::kBf16, head_dim) / sizeof(Bf16));
  for (int j = 0; j < NumPanels(num_keys) * kPanel; ++j) {
    for (int d = 0; d < padded; ++d) {
      *reinterpret_cast<Bf16*>(At(packed, panel_bytes, 2, d, j)) =
          j < num_keys && d < head_dim ? keys[static_cast<ptrdiff_t>(j) * ld + d] : Bf16{0};
    }
  }
}

void PackValues(const Bf16* values, int ld, int num_keys, int head_dim, void* packed, size_t panel_bytes) {
  const auto padded = static_cast<int>(ChunkedBytes(Precision::kBf16, num_keys) / sizeof(Bf16));
  for (int d = 0; d < NumPanels(head_dim) * kPanel; ++d) {
    for (int j = 0; j < padded; ++j) {
      *reinterpret_cast<Bf16*>(At(packed, panel_bytes, 2, j, d)) =
          j < num_keys && d < head_dim ? values[static_cast<ptrdiff_t>(j) * ld + d] : Bf16{0};
    }
  }
}

}  // namespace pawsight::kernels::scalar
