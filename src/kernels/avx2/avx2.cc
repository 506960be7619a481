// kernels/avx2: the blocked kernels with 8 lanes.
#include "kernels/avx2/vector.h"
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

const Kernels& Avx2Table();

namespace {

constexpr Kernels kAvx2 = {.name = "avx2",
                           .gemm = MultiplyMatrices<Avx2>,
                           .attend = AttendRows<Avx2>,
                           .layer_norm = LayerNorm<Avx2>,
                           .pack_transposed = PackTransposed<Avx2>,
                           .pack = Pack<Avx2>,
                           .narrow_gemm = ByPrecision<avx2::MultiplyInt8, avx2::MultiplyBf16>,
                           .narrow_attend = NarrowAttendRows<Widened<Avx2>>,
                           .narrow_layer_norm = NarrowLayerNorm<Avx2>,
                           .narrow = Narrow<Avx2>,
                           .quantize = Quantize<Avx2>,
                           .pack_keys = NarrowPackKeys<Avx2>,
                           .pack_values = NarrowPackValues<Avx2>};

}  // namespace

const Kernels& Avx2Table() { return kAvx2; }

}  // namespace pawsight::kernels
