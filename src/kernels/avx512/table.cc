#include "kernels/avx512/table.h"

#include "kernels/kernels.h"

namespace pawsight::kernels {

const Kernels& Avx512();

namespace {

constexpr Kernels kAvx512 = {.name = "avx512",
                             .gemm = avx512::MultiplyMatrices,
                             .attend = avx512::AttendRows,
                             .layer_norm = avx512::LayerNorm,
                             .pack_transposed = avx512::PackTransposed,
                             .pack = avx512::Pack};

}  // namespace

const Kernels& Avx512() { return kAvx512; }

}  // namespace pawsight::kernels
