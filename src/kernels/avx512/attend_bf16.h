// kernels/avx512/attend_bf16.h: the attention that needs the instructions of AVX512-BF16. For the tables that have
// them.
#pragma once

#include "kernels/kernels.h"

namespace pawsight::kernels {

void AttendBf16(const NarrowAttend& args);

}  // namespace pawsight::kernels
