// kernels/avx512: products of bfloat16, with the dot product of pairs, which sums in float.
#include "kernels/avx512/narrow_gemm.h"
#include "kernels/narrow_gemm.h"

namespace pawsight::kernels {
namespace {

struct PairsOfBf16 : NarrowAvx512 {
  static constexpr Precision kPrecision = Precision::kBf16;
  using Sum = __m512;
  using Number = float;

  static __m512 Zero() { return _mm512_setzero_ps(); }
  static __m512 Dot(__m512i row, __m512i columns, __m512 sum) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(row), reinterpret_cast<__m512bh>(columns));
  }
  static void Store(float* to, __m512 sum) { _mm512_store_ps(to, sum); }

  struct Factors {};
  static Factors FactorsOf(const NarrowGemm& /*args*/, int /*column*/) { return {}; }
  static __m512 Value(const float* sums, const Factors& /*factors*/, const NarrowGemm& /*args*/, int /*row*/) {
    return _mm512_load_ps(sums);
  }
};

}  // namespace

void avx512::MultiplyBf16(const NarrowGemm& args) { MultiplyNarrow<PairsOfBf16>(args); }

}  // namespace pawsight::kernels
