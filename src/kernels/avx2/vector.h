// kernels/avx2/vector.h: the vector operations that kernels/blocked is written over, with AVX2 and FMA: 8 floats at a
// time. What each does is written in avx512/vector.h. Empty where the compiler may not use AVX2.
#pragma once

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "kernels/narrow.h"

namespace pawsight::kernels {
namespace {

struct Avx2 {
  using Vector = __m256;
  using Doubles = __m256d;
  static constexpr int kLanes = 8;

  // 6 x 16 sums are 12 of the 16 registers, b takes two, a one: 12 multiply-adds for 8 loads.
  static constexpr int kTileRows = 6;
  static constexpr int kTileVectors = 2;
  static constexpr int StripsTogether(int rows) { return rows == 1 ? 4 : rows == 2 ? 2 : 1; }
  static constexpr size_t kGroupBytes = 384 << 10;  // of the 512 KB or more that most such cores have

  static Vector Zero() { return _mm256_setzero_ps(); }
  static Vector Set(float x) { return _mm256_set1_ps(x); }
  static Vector Load(const float* x) { return _mm256_loadu_ps(x); }
  static void Store(float* to, Vector x) { _mm256_storeu_ps(to, x); }
  static Vector LoadFirst(const float* x, int count) { return _mm256_maskload_ps(x, First(count)); }
  static void StoreFirst(float* to, int count, Vector x) { _mm256_maskstore_ps(to, First(count), x); }
  static Vector FirstOr(int count, Vector x, Vector other) {
    return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(First(count)));
  }

  static Vector Add(Vector x, Vector y) { return _mm256_add_ps(x, y); }
  static Vector Sub(Vector x, Vector y) { return _mm256_sub_ps(x, y); }
  static Vector Mul(Vector x, Vector y) { return _mm256_mul_ps(x, y); }
  static Vector Div(Vector x, Vector y) { return _mm256_div_ps(x, y); }
  static Vector MulAdd(Vector x, Vector y, Vector z) { return _mm256_fmadd_ps(x, y, z); }
  static Vector Max(Vector x, Vector y) { return _mm256_max_ps(x, y); }
  static Vector Min(Vector x, Vector y) { return _mm256_min_ps(x, y); }
  static Vector Abs(Vector x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), x); }
  static Vector Round(Vector x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  /// Adds to the exponent, so the result must be neither denormal nor infinite.
  static Vector TimesPowerOf2(Vector x, Vector whole) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(whole), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), exponent));
  }
  static Vector AddToExponent(Vector x, Vector whole) {
    const __m256i exponent = _mm256_slli_epi32(_mm256_castps_si256(whole), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(x), exponent));
  }
  static float SumOfLanes(Vector x) {
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float LargestLane(Vector x) {
    const __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
  }
  static float SmallestLane(Vector x) { return -LargestLane(Sub(Zero(), x)); }

  static Doubles Widened(double x) { return _mm256_set1_pd(x); }
  static Doubles Low(Vector x) { return _mm256_cvtps_pd(_mm256_castps256_ps128(x)); }
  static Doubles High(Vector x) { return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)); }
  static Vector Narrowed(Doubles low, Doubles high) {
    return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
  }
  static Doubles Add(Doubles x, Doubles y) { return _mm256_add_pd(x, y); }
  static Doubles Sub(Doubles x, Doubles y) { return _mm256_sub_pd(x, y); }
  static Doubles Mul(Doubles x, Doubles y) { return _mm256_mul_pd(x, y); }
  static double SumOfLanes(Doubles x) {
    const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
    return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
  }
  static double SquareRoot(double x) { return _mm_cvtsd_f64(_mm_sqrt_pd(_mm_set1_pd(x))); }

  static void Transpose(Vector (&m)[8]) {
    Vector t[8];
    for (int i = 0; i < 4; ++i) {
      t[2 * i] = _mm256_unpacklo_ps(m[2 * i], m[2 * i + 1]);
      t[2 * i + 1] = _mm256_unpackhi_ps(m[2 * i], m[2 * i + 1]);
    }
    for (int i = 0; i < 8; i += 4) {
      m[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
      m[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xEE);
      m[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
      m[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xEE);
    }
    for (int i = 0; i < 4; ++i) {
      t[i] = _mm256_permute2f128_ps(m[i], m[i + 4], 0x20);
      t[i + 4] = _mm256_permute2f128_ps(m[i], m[i + 4], 0x31);
    }
    for (int i = 0; i < 8; ++i) m[i] = t[i];
  }

  static Vector LoadBits(const void* x) { return _mm256_castsi256_ps(Integers(x)); }
  static void StoreBits(void* to, Vector x) { _mm256_storeu_si256(static_cast<__m256i*>(to), _mm256_castps_si256(x)); }
  static Vector LoadBf16(const Bf16* x) { return _mm256_castsi256_ps(_mm256_slli_epi32(Lanes16(x), 16)); }
  static Vector LoadFirstOfPairs(const void* pairs) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(Integers(pairs), 16));
  }
  static Vector LoadSecondOfPairs(const void* pairs) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_srli_epi32(Integers(pairs), 16), 16));
  }
  static Vector Paired(const Bf16* x, const Bf16* y) {
    return _mm256_castsi256_ps(_mm256_or_si256(Lanes16(x), _mm256_slli_epi32(Lanes16(y), 16)));
  }
  static Vector RoundedToBf16(Vector x) {
    return _mm256_castsi256_ps(_mm256_and_si256(UpperRounded(x), _mm256_set1_epi32(-0x10000)));
  }
  static void StoreBf16(Bf16* to, Vector x) {
    const __m256i values = _mm256_srli_epi32(UpperRounded(x), 16);
    const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(values), _mm256_extracti128_si256(values, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), packed);
  }
  static void StoreBytes(uint8_t* to, Vector x, int32_t zero) {
    const __m256i sum = _mm256_add_epi32(_mm256_cvtps_epi32(x), _mm256_set1_epi32(zero));
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(words, words));
  }

 private:
  static __m256i UpperRounded(Vector x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7FFF)), odd);
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    return _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
  }
  static __m256i Integers(const void* x) { return _mm256_loadu_si256(static_cast<const __m256i*>(x)); }
  static __m256i Lanes16(const Bf16* x) {
    return _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(x)));
  }
  static __m256i First(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace
}  // namespace pawsight::kernels

#endif
