// kernels/avx512: attention whose products are those of AVX512-BF16, two at once with float sums, twice as many a cycle
// as in float. Its own file, for its flags: not every CPU with AVX-512 has them.
#include "kernels/avx512/attend_bf16.h"

#include "kernels/avx512/vector.h"
#include "kernels/blocked/narrow_attend.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

struct Avx512Bf16 {
  using V = Avx512;
  using Left = Bf16;
  static constexpr int kHalves = 1;
  static __m512bh Columns(const uint8_t* b, int) { return __builtin_bit_cast(__m512bh, _mm512_loadu_si512(b)); }
  static __m512bh Rows(const Left* pair, int) {
    int bits;
    __builtin_memcpy(&bits, pair, sizeof bits);
    return __builtin_bit_cast(__m512bh, _mm512_set1_epi32(bits));
  }
  static __m512 AddProducts(__m512 sums, __m512bh rows, __m512bh columns) {
    return _mm512_dpbf16_ps(sums, rows, columns);
  }
  static void StoreLeft(Left* to, __m512 x) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), __builtin_bit_cast(__m256i, _mm512_cvtneps_pbh(x)));
  }
  static void StoreLeft(Left* to, __m512 x, __m512 next) {
    _mm512_storeu_si512(to, __builtin_bit_cast(__m512i, _mm512_cvtne2ps_pbh(next, x)));
  }
};

}  // namespace

void AttendBf16(const NarrowAttend& args) { NarrowAttendRows<Avx512Bf16>(args); }

}  // namespace pawsight::kernels
