// kernels/blocked/math.h: exponential and gelu over the vector operations V of one instruction set (avx512/vector.h
// lists them). Everything in this folder is a template of V, included by the one .cc of each instruction set and by
// nothing else.
#pragma once

namespace pawsight::kernels {
namespace {

/// 2^x for x <= 127; below -126 it is 2^-126, for a denormal result costs the processor 150 cycles. Relative error
/// below 1e-7; not a number stays so. Minimax polynomial of (2^r - 1) / r on [-1/2, 1/2], its own error 4e-9.
template <typename V>
inline typename V::Vector Exp2(typename V::Vector x) {
  x = V::Max(V::Set(-126.0F), x);
  const auto whole = V::Round(x);
  const auto r = V::Sub(x, whole);
  auto p = V::Set(1.540352387e-4F);
  p = V::MulAdd(p, r, V::Set(1.339073557e-3F));
  p = V::MulAdd(p, r, V::Set(9.618237463e-3F));
  p = V::MulAdd(p, r, V::Set(5.550357433e-2F));
  p = V::MulAdd(p, r, V::Set(2.40226498e-1F));
  p = V::MulAdd(p, r, V::Set(6.931471879e-1F));
  p = V::MulAdd(p, r, V::Set(1.0F));
  return V::TimesPowerOf2(p, whole);
}

/// x * (1 + erf(x / sqrt 2)) / 2 = max(x, 0) - |x| / 2 * erfc(|x| / sqrt 2), absolute error below 1e-7 * max(1, |x|).
/// erfc(z) = t P(t) e^(-z^2) with t = 1 / (1 + 0.36 z) (the form of Hastings 1955), P minimax for z up to 4, relative
/// error 1e-7; beyond, the product is below 1e-7 whatever P is. |x| stops at 12, where the second term is below 1e-31.
template <typename V>
inline typename V::Vector Gelu(typename V::Vector x) {
  const auto size = V::Min(V::Set(12.0F), V::Abs(x));
  const auto t = V::Div(V::Set(1.0F), V::MulAdd(size, V::Set(0.36F * 0.70710678F), V::Set(1.0F)));
  auto p = V::Set(-0.1716321753F);
  p = V::MulAdd(p, t, V::Set(0.5980223577F));
  p = V::MulAdd(p, t, V::Set(-0.4139444201F));
  p = V::MulAdd(p, t, V::Set(0.4808667118F));
  p = V::MulAdd(p, t, V::Set(0.08209865234F));
  p = V::MulAdd(p, t, V::Set(0.2230309265F));
  p = V::MulAdd(p, t, V::Set(0.2015578474F));
  // e^(-z^2) = 2^(-x^2 / (2 ln 2)).
  const auto power = Exp2<V>(V::Mul(V::Mul(size, size), V::Set(-0.72134752F)));
  const auto half_tail = V::Mul(V::Mul(p, t), V::Mul(power, V::Set(0.5F)));
  return V::Sub(V::Max(V::Zero(), x), V::Mul(size, half_tail));
}

/// The same in fewer steps, for results that will be rounded to few bits: absolute error below 1.3e-4, 0 at 0. max(x,
/// 0) and a polynomial in |x|, minimax for |x| up to 4; beyond, where the definition is below 1.3e-4, it stays 4e-6.
template <typename V>
inline typename V::Vector NarrowGelu(typename V::Vector x) {
  const auto size = V::Min(V::Set(4.0F), V::Abs(x));
  auto p = V::Set(-4.8690581e-05F);
  p = V::MulAdd(p, size, V::Set(0.00143951701F));
  p = V::MulAdd(p, size, V::Set(-0.0152396087F));
  p = V::MulAdd(p, size, V::Set(0.0761511669F));
  p = V::MulAdd(p, size, V::Set(-0.176185947F));
  p = V::MulAdd(p, size, V::Set(0.0813888665F));
  p = V::MulAdd(p, size, V::Set(0.370625325F));
  p = V::MulAdd(p, size, V::Set(-0.496678271F));
  return V::MulAdd(size, p, V::Max(V::Zero(), x));
}

}  // namespace
}  // namespace pawsight::kernels
