// kernels/avx512: the blocked kernels with 16 lanes.
#include "kernels/avx512/attend_bf16.h"
#include "kernels/avx512/vector.h"
#include "kernels/blocked/attend.h"
#include "kernels/blocked/gemm.h"
#include "kernels/blocked/layer_norm.h"
#include "kernels/blocked/narrow_attend.h"
#include "kernels/blocked/narrow_layer_norm.h"
#include "kernels/blocked/narrow_pack.h"
#include "kernels/blocked/narrow_rows.h"
#include "kernels/blocked/pack.h"
#include "kernels/kernels.h"
#include "kernels/narrow_gemm.h"
#include "kernels/scalar/narrow.h"

namespace pawsight::kernels {

const Kernels& Avx512Table();
const Kernels& Avx512Bf16Table();

namespace {

constexpr Kernels kAvx512 = {.name = "avx512",
                             .gemm = MultiplyMatrices<Avx512>,
                             .attend = AttendRows<Avx512>,
                             .layer_norm = LayerNorm<Avx512>,
                             .pack_transposed = PackTransposed<Avx512>,
                             .pack = Pack<Avx512>,
                             .narrow_gemm = ByPrecision<avx512::MultiplyInt8, avx512::MultiplyBf16>,
                             .narrow_attend = NarrowAttendRows<Widened<Avx512>>,
                             .narrow_layer_norm = NarrowLayerNorm<Avx512>,
                             .narrow = Narrow<Avx512>,
                             .quantize = Quantize<Avx512>,
                             .pack_keys = NarrowPackKeys<Avx512>,
                             .pack_values = NarrowPackValues<Avx512>};

/// The same for a CPU that also has AVX512-BF16.
constexpr Kernels kAvx512Bf16 = [] {
  Kernels table = kAvx512;
  table.narrow_attend = AttendBf16;
  return table;
}();

}  // namespace

const Kernels& Avx512Table() { return kAvx512; }
const Kernels& Avx512Bf16Table() { return kAvx512Bf16; }

}  // namespace pawsight::kernels
