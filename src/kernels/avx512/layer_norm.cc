// kernels/avx512/layer_norm.cc: mean and variance in double, as the specification has them: half the lanes, yet the loads of
// a row from the second-level cache cost as much.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/avx512/table.h"
#include "kernels/avx512/vector.h"

namespace pawsight::kernels {
namespace {

struct Doubles {
  __m512d low, high;
};

Doubles Widen(__m512 x) {
  return {_mm512_cvtps_pd(_mm512_castps512_ps256(x)), _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1))};
}

double Mean(const float* x, int cols) {
  __m512d low = _mm512_setzero_pd();
  __m512d high = _mm512_setzero_pd();
  for (int j = 0; j < cols; j += kLanes) {
    const Doubles wide = Widen(_mm512_maskz_loadu_ps(FirstLanes(cols - j), x + j));
    low = _mm512_add_pd(low, wide.low);
    high = _mm512_add_pd(high, wide.high);
  }
  return _mm512_reduce_add_pd(_mm512_add_pd(low, high)) / cols;
}

double Variance(const float* x, int cols, __m512d mean) {
  __m512d low = _mm512_setzero_pd();
  __m512d high = _mm512_setzero_pd();
  for (int j = 0; j < cols; j += kLanes) {
    const __mmask16 mask = FirstLanes(cols - j);
    const Doubles wide = Widen(_mm512_maskz_loadu_ps(mask, x + j));
    const __m512d below = _mm512_maskz_sub_pd(static_cast<__mmask8>(mask), wide.low, mean);
    const __m512d above = _mm512_maskz_sub_pd(static_cast<__mmask8>(mask >> 8), wide.high, mean);
    low = _mm512_fmadd_pd(below, below, low);
    high = _mm512_fmadd_pd(above, above, high);
  }
  return _mm512_reduce_add_pd(_mm512_add_pd(low, high)) / cols;
}

}  // namespace

namespace avx512 {

void LayerNorm(const float* x, int ldx, const float* gain, const float* bias, float eps, float* y, int ldy, int rows,
               int cols) {
  for (int row = 0; row < rows; ++row, x += ldx, y += ldy) {
    const __m512d mean = _mm512_set1_pd(Mean(x, cols));
    const __m512d deviation = _mm512_sqrt_pd(_mm512_set1_pd(Variance(x, cols, mean) + static_cast<double>(eps)));
    const __m512d scale = _mm512_div_pd(_mm512_set1_pd(1.0), deviation);
    for (int j = 0; j < cols; j += kLanes) {
      const __mmask16 mask = FirstLanes(cols - j);
      const Doubles wide = Widen(_mm512_maskz_loadu_ps(mask, x + j));
      const __m256 low = _mm512_cvtpd_ps(_mm512_mul_pd(_mm512_sub_pd(wide.low, mean), scale));
      const __m256 high = _mm512_cvtpd_ps(_mm512_mul_pd(_mm512_sub_pd(wide.high, mean), scale));
      const __m512 normal = _mm512_insertf32x8(_mm512_castps256_ps512(low), high, 1);
      _mm512_mask_storeu_ps(y + j, mask,
                            _mm512_fmadd_ps(normal, _mm512_maskz_loadu_ps(mask, gain + j),
                                            _mm512_maskz_loadu_ps(mask, bias + j)));
    }
  }
}

}  // namespace avx512
}  // namespace pawsight::kernels
