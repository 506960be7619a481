// kernels/narrow_gemm.h: the products that the tables of x86 put together, one precision and one extension each, for a
// CPU may have AVX-512 and lack some of them. Not here: which CPU gets which (choose.cc).
#pragma once

#include "kernels/kernels.h"

namespace pawsight::kernels {

namespace avx2 {
void MultiplyInt8(const NarrowGemm& args);
void MultiplyBf16(const NarrowGemm& args);
}  // namespace avx2

namespace avx512 {
void MultiplyInt8(const NarrowGemm& args);  // needs VNNI, BW and VL
void MultiplyBf16(const NarrowGemm& args);  // needs BF16, BW and VL
}  // namespace avx512

namespace {

/// narrow_gemm of a table that has a function for each precision. Unnamed: every file has its own copy, for its own
/// CPU.
template <void (*kInt8)(const NarrowGemm&), void (*kBf16)(const NarrowGemm&)>
void ByPrecision(const NarrowGemm& args) {
  args.a.precision == Precision::kInt8 ? kInt8(args) : kBf16(args);
}

}  // namespace
}  // namespace pawsight::kernels
