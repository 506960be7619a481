// kernels/avx512/vector.h: sixteen floats at a time: exponential, gelu, sums of lanes, masks. For this folder only.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace pawsight::kernels {
namespace {

constexpr int kLanes = 16;

/// The first `count` lanes; all of them from 16 on, none from 0 down.
inline __mmask16 FirstLanes(int count) {
  if (count >= kLanes) return 0xFFFF;
  return count <= 0 ? static_cast<__mmask16>(0) : static_cast<__mmask16>((1U << static_cast<unsigned>(count)) - 1U);
}

/// 2^x for x <= 127; below -126 it is 2^-126, for a denormal result costs the processor 150 cycles. Relative error below
/// 1e-7; not a number stays so. Minimax polynomial of (2^r - 1) / r on [-1/2, 1/2], its own error 4e-9.
inline __m512 Exp2(__m512 x) {
  x = _mm512_max_ps(_mm512_set1_ps(-126.0F), x);  // in this order a NaN in x passes
  const __m512 whole = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 r = _mm512_sub_ps(x, whole);
  __m512 p = _mm512_set1_ps(1.540352387e-4F);
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.339073557e-3F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(9.618237463e-3F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.550357433e-2F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.40226498e-1F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.931471879e-1F));
  p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(p, whole);
}

/// x * (1 + erf(x / sqrt 2)) / 2 = max(x, 0) - |x| / 2 * erfc(|x| / sqrt 2), absolute error below 1e-7 * max(1, |x|).
/// erfc(z) = t P(t) e^(-z^2) with t = 1 / (1 + 0.36 z) (the form of Hastings 1955), P minimax for z up to 4, relative
/// error 1e-7; beyond, the product is below 1e-7 whatever P is. |x| stops at 12, where the second term is below 1e-31.
inline __m512 Gelu(__m512 x) {
  const __m512 size = _mm512_min_ps(_mm512_set1_ps(12.0F), _mm512_abs_ps(x));  // in this order a NaN in x passes
  const __m512 t = _mm512_div_ps(_mm512_set1_ps(1.0F),
                                 _mm512_fmadd_ps(size, _mm512_set1_ps(0.36F * 0.70710678F), _mm512_set1_ps(1.0F)));
  __m512 p = _mm512_set1_ps(-0.1716321753F);
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.5980223577F));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(-0.4139444201F));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.4808667118F));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.08209865234F));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.2230309265F));
  p = _mm512_fmadd_ps(p, t, _mm512_set1_ps(0.2015578474F));
  // e^(-z^2) = 2^(-x^2 / (2 ln 2)).
  const __m512 power = Exp2(_mm512_mul_ps(_mm512_mul_ps(size, size), _mm512_set1_ps(-0.72134752F)));
  const __m512 half_tail = _mm512_mul_ps(_mm512_mul_ps(p, t), _mm512_mul_ps(power, _mm512_set1_ps(0.5F)));
  return _mm512_fnmadd_ps(size, half_tail, _mm512_max_ps(_mm512_setzero_ps(), x));
}

}  // namespace
}  // namespace pawsight::kernels
