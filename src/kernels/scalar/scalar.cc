// kernels/scalar: the specification of every kernel, in plain loops; any other table must agree with it within
// rounding. Built without contraction to fused multiply-adds (CMakeLists.txt), so its numbers are the same on every
// architecture.
#include <cmath>
#include <cstddef>
#include <limits>

#include "kernels/kernels.h"
#include "kernels/scalar/narrow.h"

namespace pawsight::kernels {
namespace {

/// erfc keeps the small tail of negative x exact where 1 + erf would cancel.
float Gelu(float x) { return 0.5F * x * std::erfc(x * -0.70710678118654752F); }

/// The product of one row of `args.a` and the panel whose first column is `first`, tail and all.
void RowTimesPanel(const Gemm& args, int row, int first) {
  const float* a = args.a + static_cast<ptrdiff_t>(row) * args.lda;
  const float* b = args.b + static_cast<size_t>(first / kPanel) * args.panel_stride;
  float sums[kPanel] = {};
  for (int r = 0; r < args.k; ++r) {
    for (int j = 0; j < kPanel; ++j) sums[j] += a[r] * b[static_cast<ptrdiff_t>(r) * kPanel + j];
  }
  const float* residual =
      args.residual == nullptr ? nullptr : args.residual + static_cast<ptrdiff_t>(row) * args.ldr + first;
  float* c = args.c + static_cast<ptrdiff_t>(row) * args.ldc + first;
  const int width = args.n - first < kPanel ? args.n - first : kPanel;
  for (int j = 0; j < width; ++j) {
    float value = sums[j];
    if (args.bias != nullptr) value += args.bias[first + j];
    switch (args.tail) {
      case Tail::kNone:
        break;
      case Tail::kGelu:
        value = Gelu(value);
        break;
    }
    if (residual != nullptr) value += residual[j];
    c[j] = value;
  }
}

void MultiplyMatrices(const Gemm& args) {
  for (int first = 0; first < args.n; first += kPanel) {
    for (int row = 0; row < args.rows; ++row) RowTimesPanel(args, row, first);
  }
}

/// Turns scores into exp(score - largest), returns their sum; at least one score.
float Exponentiate(float* scores, int count) {
  float largest = -std::numeric_limits<float>::infinity();
  for (int j = 0; j < count; ++j) {
    if (scores[j] > largest) largest = scores[j];
  }
  float sum = 0.0F;
  for (int j = 0; j < count; ++j) {
    scores[j] = std::exp(scores[j] - largest);
    sum += scores[j];
  }
  return sum;
}

void AttendRows(const Attend& args) {
  for (int row = 0; row < args.rows; ++row) {
    const int seen = args.causal >= 0 && args.causal + row + 1 < args.num_keys ? args.causal + row + 1 : args.num_keys;
    const float* q = args.q + static_cast<ptrdiff_t>(row) * args.ldq;
    float* scores = args.scratch;
    for (int j = 0; j < seen; ++j) {
      const float* key = args.keys + static_cast<size_t>(j / kPanel) * static_cast<size_t>(args.head_dim) * kPanel;
      float score = 0.0F;
      for (int d = 0; d < args.head_dim; ++d) score += q[d] * key[d * kPanel + j % kPanel];
      scores[j] = score * args.scale;
    }
    const float sum = Exponentiate(scores, seen);
    float* out = args.out + static_cast<ptrdiff_t>(row) * args.ldo;
    for (int d = 0; d < args.head_dim; ++d) {
      const float* values = args.values + static_cast<size_t>(d / kPanel) * args.value_panel_stride + d % kPanel;
      float total = 0.0F;
      for (int j = 0; j < seen; ++j) total += scores[j] * values[static_cast<ptrdiff_t>(j) * kPanel];
      out[d] = total / sum;
    }
  }
}

constexpr double Wide(float x) { return static_cast<double>(x); }

/// In double: squares of large values must not overflow, and the sum of a wide row keeps its last digits.
void LayerNorm(const float* x, int ldx, const float* gain, const float* bias, float eps, float* y, int ldy, int rows,
               int cols) {
  for (int row = 0; row < rows; ++row, x += ldx, y += ldy) {
    double sum = 0.0;
    for (int j = 0; j < cols; ++j) sum += Wide(x[j]);
    const double mean = sum / cols;
    double squares = 0.0;
    for (int j = 0; j < cols; ++j) squares += (Wide(x[j]) - mean) * (Wide(x[j]) - mean);
    const double scale = 1.0 / std::sqrt(squares / cols + Wide(eps));
    for (int j = 0; j < cols; ++j) y[j] = static_cast<float>((Wide(x[j]) - mean) * scale) * gain[j] + bias[j];
  }
}

void PackTransposed(const float* source, int lds, int n, int k, float* packed) {
  for (int first = 0; first < n; first += kPanel) {
    for (int r = 0; r < k; ++r) {
      for (int j = first; j < first + kPanel; ++j) {
        *packed++ = j < n ? source[static_cast<ptrdiff_t>(j) * lds + r] : 0.0F;
      }
    }
  }
}

void Pack(const float* source, int lds, int k, int n, float* packed, size_t panel_stride) {
  for (int first = 0; first < n; first += kPanel, packed += panel_stride) {
    for (int r = 0; r < k; ++r) {
      for (int j = 0; j < kPanel; ++j) {
        packed[static_cast<ptrdiff_t>(r) * kPanel + j] =
            first + j < n ? source[static_cast<ptrdiff_t>(r) * lds + first + j] : 0.0F;
      }
    }
  }
}

constexpr Kernels kScalar = {.name = "scalar",
                             .gemm = MultiplyMatrices,
                             .attend = AttendRows,
                             .layer_norm = LayerNorm,
                             .pack_transposed = PackTransposed,
                             .pack = Pack,
                             .narrow_gemm = scalar::NarrowMultiply,
                             .narrow_attend = scalar::NarrowAttention,
                             .narrow_layer_norm = scalar::NarrowLayerNorm,
                             .narrow = scalar::Narrow,
                             .quantize = scalar::Quantize,
                             .pack_keys = scalar::PackKeys,
                             .pack_values = scalar::PackValues};

}  // namespace

const Kernels& Scalar() { return kScalar; }

}  // namespace pawsight::kernels
