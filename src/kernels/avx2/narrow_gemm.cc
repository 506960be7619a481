// kernels/avx2: products of bytes and of bfloat16 without dot products of them. Bytes are widened to 16 bits, even and
// odd ones apart, for the sums of byte products saturate; bfloat16 to float.
#include "kernels/narrow_gemm.h"

#include "kernels/avx2/vector.h"
#include "kernels/blocked/narrow_gemm.h"

namespace pawsight::kernels {
namespace {

struct NarrowAvx2 {
  using V = Avx2;

  // 6 x 16 sums are 12 of the 16 registers, one pass of b takes two, of a one.
  static constexpr int kTileRows = 6;
  static constexpr int kTileVectors = 2;
  static constexpr int StripsTogether(int rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }
  static constexpr int kPasses = 2;

  static __m256i LoadColumns(const uint8_t* b) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b)); }

  /// As ToBf16 does.
  static void StoreNarrow(Bf16* to, __m256 x) {
    const __m256i bits = _mm256_castps_si256(x);
    const __m256i upper = _mm256_srli_epi32(bits, 16);
    const __m256i odd = _mm256_and_si256(upper, _mm256_set1_epi32(1));
    const __m256i rounded =
        _mm256_srli_epi32(_mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF))), 16);
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m256i quiet = _mm256_or_si256(upper, _mm256_set1_epi32(0x40));
    const __m256i result = _mm256_blendv_epi8(rounded, quiet, nan);
    const __m128i packed = _mm_packus_epi32(_mm256_castsi256_si128(result), _mm256_extracti128_si256(result, 1));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), packed);
  }
};

/// A pass multiplies the even bytes of every group, then the odd ones.
struct Bytes : NarrowAvx2 {
  static constexpr Precision kPrecision = Precision::kInt8;
  using Sum = __m256i;
  using Number = int32_t;
  using Operand = __m256i;

  template <int kPass>
  static __m256i Columns(const uint8_t* b) {
    const __m256i bytes = LoadColumns(b);
    return _mm256_srai_epi16(kPass == 0 ? _mm256_slli_epi16(bytes, 8) : bytes, 8);
  }
  template <int kPass>
  static __m256i Row(int32_t group) {
    const __m256i bytes = _mm256_set1_epi32(group);
    return kPass == 0 ? _mm256_and_si256(bytes, _mm256_set1_epi16(0xFF)) : _mm256_srli_epi16(bytes, 8);
  }
  static __m256i Zero() { return _mm256_setzero_si256(); }
  static __m256i Dot(__m256i row, __m256i columns, __m256i sum) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(row, columns));
  }
  static void Store(int32_t* to, __m256i sum) { _mm256_store_si256(reinterpret_cast<__m256i*>(to), sum); }

  struct Factors {
    __m256 scales;
    __m256i sums;
  };
  static Factors FactorsOf(const NarrowGemm& args, int column) {
    return {_mm256_loadu_ps(args.column_scales + column),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(args.column_sums + column))};
  }
  static __m256 Value(const int32_t* sums, const Factors& factors, const NarrowGemm& args, int row) {
    const __m256i sum = _mm256_load_si256(reinterpret_cast<const __m256i*>(sums));
    const __m256i shift = _mm256_mullo_epi32(_mm256_set1_epi32(args.a.zeros[row]), factors.sums);
    const __m256 scale = _mm256_mul_ps(_mm256_set1_ps(args.a.scales[row]), factors.scales);
    return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(sum, shift)), scale);
  }
};

/// A pass multiplies the first value of every pair, then the second.
struct Widened : NarrowAvx2 {
  static constexpr Precision kPrecision = Precision::kBf16;
  using Sum = __m256;
  using Number = float;
  using Operand = __m256;

  template <int kPass>
  static __m256 Widen(__m256i pairs) {
    if constexpr (kPass == 0) return _mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16));
    return _mm256_castsi256_ps(_mm256_and_si256(pairs, _mm256_set1_epi32(~0xFFFF)));
  }
  template <int kPass>
  static __m256 Columns(const uint8_t* b) {
    return Widen<kPass>(LoadColumns(b));
  }
  template <int kPass>
  static __m256 Row(int32_t group) {
    return Widen<kPass>(_mm256_set1_epi32(group));
  }
  static __m256 Zero() { return _mm256_setzero_ps(); }
  static __m256 Dot(__m256 row, __m256 columns, __m256 sum) { return _mm256_fmadd_ps(row, columns, sum); }
  static void Store(float* to, __m256 sum) { _mm256_store_ps(to, sum); }

  struct Factors {};
  static Factors FactorsOf(const NarrowGemm& /*args*/, int /*column*/) { return {}; }
  static __m256 Value(const float* sums, const Factors& /*factors*/, const NarrowGemm& /*args*/, int /*row*/) {
    return _mm256_load_ps(sums);
  }
};

}  // namespace

void avx2::MultiplyInt8(const NarrowGemm& args) { MultiplyNarrow<Bytes>(args); }
void avx2::MultiplyBf16(const NarrowGemm& args) { MultiplyNarrow<Widened>(args); }

}  // namespace pawsight::kernels
