// kernels/avx2/vector.h: the vector operations that kernels/blocked is written over, with AVX2 and FMA: 8 floats at a
// time. What each does is written in avx512/vector.h. Empty where the compiler may not use AVX2.
#pragma once

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

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

 private:
  static __m256i First(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
};

}  // namespace
}  // namespace pawsight::kernels

#endif
