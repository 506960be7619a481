// kernels/avx512/vector.h: the vector operations that kernels/blocked is written over, with AVX-512: 16 floats at a
// time. Empty where the compiler may not use AVX-512.
#pragma once

#if defined(__AVX512F__) && defined(__AVX512DQ__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/narrow.h"

namespace pawsight::kernels {
namespace {

struct Avx512 {
  using Vector = __m512;
  using Doubles = __m512d;
  static constexpr int kLanes = 16;

  // 14 x 32 sums are 28 of the 32 registers, b takes two, a one: 28 multiply-adds for 16 loads.
  static constexpr int kTileRows = 14;
  static constexpr int kTileVectors = 2;
  static constexpr int StripsTogether(int rows) { return rows <= 3 ? 4 : rows <= 7 ? 2 : 1; }
  static constexpr size_t kGroupBytes = 800 << 10;  // this group and much of the next fit the 2 MB of such a core

  static Vector Zero() { return _mm512_setzero_ps(); }
  static Vector Set(float x) { return _mm512_set1_ps(x); }
  static Vector Load(const float* x) { return _mm512_loadu_ps(x); }
  static void Store(float* to, Vector x) { _mm512_storeu_ps(to, x); }
  /// The first `count` (at least 1) lanes; the rest read as 0 and are not written.
  static Vector LoadFirst(const float* x, int count) { return _mm512_maskz_loadu_ps(First(count), x); }
  static void StoreFirst(float* to, int count, Vector x) { _mm512_mask_storeu_ps(to, First(count), x); }
  static Vector FirstOr(int count, Vector x, Vector other) { return _mm512_mask_blend_ps(First(count), other, x); }

  static Vector Add(Vector x, Vector y) { return _mm512_add_ps(x, y); }
  static Vector Sub(Vector x, Vector y) { return _mm512_sub_ps(x, y); }
  static Vector Mul(Vector x, Vector y) { return _mm512_mul_ps(x, y); }
  static Vector Div(Vector x, Vector y) { return _mm512_div_ps(x, y); }
  /// x * y + z, rounded once.
  static Vector MulAdd(Vector x, Vector y, Vector z) { return _mm512_fmadd_ps(x, y, z); }
  /// Where y is not a number, so is the result.
  static Vector Max(Vector x, Vector y) { return _mm512_max_ps(x, y); }
  static Vector Min(Vector x, Vector y) { return _mm512_min_ps(x, y); }
  static Vector Abs(Vector x) { return _mm512_abs_ps(x); }
  static Vector Round(Vector x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  static Vector TimesPowerOf2(Vector x, Vector whole) { return _mm512_scalef_ps(x, whole); }
  /// x times 2 to the power of the lowest bits of `whole`; the result must be neither denormal nor infinite.
  static Vector AddToExponent(Vector x, Vector whole) {
    const __m512i exponent = _mm512_slli_epi32(_mm512_castps_si512(whole), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(x), exponent));
  }
  static float SumOfLanes(Vector x) { return _mm512_reduce_add_ps(x); }
  static float LargestLane(Vector x) { return _mm512_reduce_max_ps(x); }
  static float SmallestLane(Vector x) { return _mm512_reduce_min_ps(x); }

  static Doubles Widened(double x) { return _mm512_set1_pd(x); }
  static Doubles Low(Vector x) { return _mm512_cvtps_pd(_mm512_castps512_ps256(x)); }
  static Doubles High(Vector x) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)); }
  static Vector Narrowed(Doubles low, Doubles high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
  }
  static Doubles Add(Doubles x, Doubles y) { return _mm512_add_pd(x, y); }
  static Doubles Sub(Doubles x, Doubles y) { return _mm512_sub_pd(x, y); }
  static Doubles Mul(Doubles x, Doubles y) { return _mm512_mul_pd(x, y); }
  static double SumOfLanes(Doubles x) { return _mm512_reduce_add_pd(x); }
  static double SquareRoot(double x) { return _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd(x))); }

  /// Swaps rows and columns: pairs, then fours, then the 128-bit quarters by twos and fours.
  static void Transpose(Vector (&m)[16]) {
    Vector t[16];
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = _mm512_unpacklo_ps(m[2 * i], m[2 * i + 1]);
      t[2 * i + 1] = _mm512_unpackhi_ps(m[2 * i], m[2 * i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
      m[i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
      m[i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xEE);
      m[i + 2] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      m[i + 3] = _mm512_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
      t[i] = _mm512_shuffle_f32x4(m[i], m[i + 4], 0x88);
      t[i + 4] = _mm512_shuffle_f32x4(m[i], m[i + 4], 0xDD);
      t[i + 8] = _mm512_shuffle_f32x4(m[i + 8], m[i + 12], 0x88);
      t[i + 12] = _mm512_shuffle_f32x4(m[i + 8], m[i + 12], 0xDD);
    }
    for (int i = 0; i < 8; ++i) {
      m[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
      m[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xDD);
    }
  }

  /// Bits of any kind, a whole vector.
  static Vector LoadBits(const void* x) { return _mm512_castsi512_ps(_mm512_loadu_si512(x)); }
  static void StoreBits(void* to, Vector x) { _mm512_storeu_si512(to, _mm512_castps_si512(x)); }

  /// A vector of bfloat16 as floats.
  static Vector LoadBf16(const Bf16* x) { return _mm512_castsi512_ps(_mm512_slli_epi32(Lanes16(x), 16)); }
  /// Of 16 pairs of bfloat16 the first ones as floats, and the second ones.
  static Vector LoadFirstOfPairs(const void* pairs) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_loadu_si512(pairs), 16));
  }
  static Vector LoadSecondOfPairs(const void* pairs) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_loadu_si512(pairs), _mm512_set1_epi32(-0x10000)));
  }
  /// Pairs of x[i] and y[i].
  static Vector Paired(const Bf16* x, const Bf16* y) {
    return _mm512_castsi512_ps(_mm512_or_si512(Lanes16(x), _mm512_slli_epi32(Lanes16(y), 16)));
  }
  /// As ToBf16 does, in integers: denormal numbers and NaN come out right whatever the processor is told of them.
  static Vector RoundedToBf16(Vector x) {
    return _mm512_castsi512_ps(_mm512_and_si512(UpperRounded(x), _mm512_set1_epi32(-0x10000)));
  }
  static void StoreBf16(Bf16* to, Vector x) {
    const __m512i values = _mm512_srli_epi32(UpperRounded(x), 16);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), _mm512_cvtepi32_epi16(values));
  }
  /// x rounded to the nearest integer, ties to even, plus zero: at least 0, and 255 where it is more.
  static void StoreBytes(uint8_t* to, Vector x, int32_t zero) {
    const __m512i sum = _mm512_add_epi32(_mm512_cvtps_epi32(x), _mm512_set1_epi32(zero));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_cvtusepi32_epi8(sum));
  }

 private:
  /// The bits of x, the upper half rounded to bfloat16, the lower half anything.
  static __m512i UpperRounded(Vector x) {
    const __m512i bits = _mm512_castps_si512(x);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    return _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
  }
  /// 16 values of 16 bits, each in a lane of 32.
  static __m512i Lanes16(const Bf16* x) {
    return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
  }
  /// The first `count` lanes, all of them from 16 on.
  static __mmask16 First(int count) {
    return static_cast<__mmask16>(count >= kLanes ? 0xFFFFU : (1U << static_cast<unsigned>(count)) - 1U);
  }
};

}  // namespace
}  // namespace pawsight::kernels

#endif
