// kernels/avx512: the blocked kernels with 16 lanes.
#include "kernels/avx512/vector.h"
#include "kernels/blocked/attend.h"
#include "kernels/blocked/gemm.h"
#include "kernels/blocked/layer_norm.h"
#include "kernels/blocked/pack.h"
#include "kernels/kernels.h"
#include "kernels/narrow_gemm.h"
#include "kernels/scalar/narrow.h"

namespace pawsight::kernels {

const Kernels& Avx512Table();

namespace {

constexpr Kernels kAvx512 = {.name = "avx512",
                             .gemm = MultiplyMatrices<Avx512>,
                             .attend = AttendRows<Avx512>,
                             .layer_norm = LayerNorm<Avx512>,
                             .pack_transposed = PackTransposed<Avx512>,
                             .pack = Pack<Avx512>,
                             .narrow_gemm = ByPrecision<avx512::MultiplyInt8, avx512::MultiplyBf16>,
                             .narrow_attend = scalar::NarrowAttention,
                             .narrow_layer_norm = scalar::NarrowLayerNorm,
                             .narrow = scalar::Narrow,
                             .quantize = scalar::Quantize,
                             .pack_keys = scalar::PackKeys,
                             .pack_values = scalar::PackValues};

}  // namespace

const Kernels& Avx512Table() { return kAvx512; }

}  // namespace pawsight::kernels
