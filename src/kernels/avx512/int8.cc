// kernels/avx512: products of bytes, with VNNI's dot product of 4 unsigned and 4 signed bytes, which does not saturate.
#include "kernels/avx512/narrow_gemm.h"
#include "kernels/narrow_gemm.h"

namespace pawsight::kernels {
namespace {

struct Vnni : NarrowAvx512 {
  static constexpr Precision kPrecision = Precision::kInt8;
  using Sum = __m512i;
  using Number = int32_t;

  static __m512i Zero() { return _mm512_setzero_si512(); }
  static __m512i Dot(__m512i row, __m512i columns, __m512i sum) { return _mm512_dpbusd_epi32(sum, row, columns); }
  static void Store(int32_t* to, __m512i sum) { _mm512_store_si512(to, sum); }

  struct Factors {
    __m512 scales;
    __m512i sums;
  };
  static Factors FactorsOf(const NarrowGemm& args, int column) {
    return {_mm512_loadu_ps(args.column_scales + column), _mm512_loadu_si512(args.column_sums + column)};
  }
  static __m512 Value(const int32_t* sums, const Factors& factors, const NarrowGemm& args, int row) {
    const __m512i shift = _mm512_mullo_epi32(_mm512_set1_epi32(args.a.zeros[row]), factors.sums);
    const __m512 scale = _mm512_mul_ps(_mm512_set1_ps(args.a.scales[row]), factors.scales);
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_load_si512(sums), shift)), scale);
  }
};

}  // namespace

void avx512::MultiplyInt8(const NarrowGemm& args) { MultiplyNarrow<Vnni>(args); }

}  // namespace pawsight::kernels
