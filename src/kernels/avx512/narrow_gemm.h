// kernels/avx512/narrow_gemm.h: what the products of bytes and of bfloat16 have in common with AVX-512. Empty where the
// compiler may not use it.
#pragma once

#if defined(__AVX512F__) && defined(__AVX512DQ__)

#include <immintrin.h>

#include "kernels/avx512/vector.h"
#include "kernels/blocked/narrow_gemm.h"

namespace pawsight::kernels {
namespace {

struct NarrowAvx512 {
  using V = Avx512;
  using Operand = __m512i;

  // 14 x 32 sums are 28 of the 32 registers, b takes two, a one.
  static constexpr int kTileRows = 14;
  static constexpr int kTileVectors = 2;
  static constexpr int StripsTogether(int rows) { return rows <= 2 ? 4 : rows <= 6 ? 2 : 1; }
  static constexpr int kPasses = 1;

  template <int kPass>
  static __m512i Columns(const uint8_t* b) {
    return _mm512_loadu_si512(b);
  }
  template <int kPass>
  static __m512i Row(int32_t group) {
    return _mm512_set1_epi32(group);
  }

  /// As ToBf16 does, in 8 operations of one cycle.
  static void StoreNarrow(Bf16* to, __m512 x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i upper = _mm512_srli_epi32(bits, 16);
    const __m512i odd = _mm512_and_si512(upper, _mm512_set1_epi32(1));
    const __m512i rounded =
        _mm512_srli_epi32(_mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF))), 16);
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    const __m512i result = _mm512_mask_or_epi32(rounded, nan, upper, _mm512_set1_epi32(0x40));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(result));
  }
};

}  // namespace
}  // namespace pawsight::kernels

#endif
