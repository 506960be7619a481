// kernels/avx2: the blocked kernels with 8 lanes.
#include "kernels/avx2/vector.h"
#include "kernels/blocked/attend.h"
#include "kernels/blocked/gemm.h"
#include "kernels/blocked/layer_norm.h"
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
                           .narrow_attend = scalar::NarrowAttention,
                           .narrow_layer_norm = scalar::NarrowLayerNorm,
                           .narrow = scalar::Narrow,
                           .quantize = scalar::Quantize,
                           .pack_keys = scalar::PackKeys,
                           .pack_values = scalar::PackValues};

}  // namespace

const Kernels& Avx2Table() { return kAvx2; }

}  // namespace pawsight::kernels
