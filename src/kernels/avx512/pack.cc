// kernels/avx512/pack.cc: row-major matrices to panels.
#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/avx512/product.h"
#include "kernels/avx512/table.h"
#include "kernels/avx512/vector.h"

namespace pawsight::kernels {
namespace {

/// Swaps rows and columns of 16 x 16: pairs, then fours, then the 128-bit quarters by twos and fours.
inline __attribute__((always_inline)) void Transpose(__m512 (&m)[16]) {
  __m512 t[16];
  PAWSIGHT_UNROLL
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_ps(m[2 * i], m[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_ps(m[2 * i], m[2 * i + 1]);
  }
  PAWSIGHT_UNROLL
  for (int i = 0; i < 16; i += 4) {
    m[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    m[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xEE);
    m[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    m[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
  }
  PAWSIGHT_UNROLL
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_f32x4(m[i], m[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(m[i], m[i + 4], 0xDD);
    t[i + 8] = _mm512_shuffle_f32x4(m[i + 8], m[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(m[i + 8], m[i + 12], 0xDD);
  }
  PAWSIGHT_UNROLL
  for (int i = 0; i < 8; ++i) {
    m[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    m[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xDD);
  }
}

/// Columns [0, depth) of `rows` rows of source, each at most 16, become `depth` rows of 16 in the panel, the rest zeros.
void PackSquare(const float* source, int lds, int rows, int depth, float* panel) {
  const __mmask16 mask = FirstLanes(depth);
  __m512 m[16];
  PAWSIGHT_UNROLL
  for (int i = 0; i < 16; ++i) {
    m[i] = i < rows ? _mm512_maskz_loadu_ps(mask, source + static_cast<ptrdiff_t>(i) * lds) : _mm512_setzero_ps();
  }
  Transpose(m);
  PAWSIGHT_UNROLL
  for (int i = 0; i < 16; ++i) {
    if (i < depth) _mm512_storeu_ps(panel + i * kPanel, m[i]);
  }
}

}  // namespace

namespace avx512 {

void PackTransposed(const float* source, int lds, int n, int k, float* packed) {
  for (int first = 0; first < n; first += kPanel, packed += static_cast<ptrdiff_t>(k) * kPanel) {
    for (int r = 0; r < k; r += 16) {
      const int depth = k - r < 16 ? k - r : 16;
      for (int half = 0; half < kPanel; half += 16) {
        const int left = n - first - half;
        const int rows = left < 0 ? 0 : left < 16 ? left : 16;
        const float* corner = rows == 0 ? source : source + static_cast<ptrdiff_t>(first + half) * lds + r;
        PackSquare(corner, lds, rows, depth, packed + static_cast<ptrdiff_t>(r) * kPanel + half);
      }
    }
  }
}

void Pack(const float* source, int lds, int k, int n, float* packed, size_t panel_stride) {
  for (int first = 0; first < n; first += kPanel, packed += panel_stride) {
    const __mmask16 low = FirstLanes(n - first);
    const __mmask16 high = FirstLanes(n - first - 16);
    const float* row = source + first;
    for (int r = 0; r < k; ++r, row += lds) {
      _mm512_storeu_ps(packed + static_cast<ptrdiff_t>(r) * kPanel, _mm512_maskz_loadu_ps(low, row));
      _mm512_storeu_ps(packed + static_cast<ptrdiff_t>(r) * kPanel + 16, _mm512_maskz_loadu_ps(high, row + 16));
    }
  }
}

}  // namespace avx512
}  // namespace pawsight::kernels
