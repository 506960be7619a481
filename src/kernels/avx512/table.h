// kernels/avx512/table.h: the functions of the avx512 table, one file each.
#pragma once

#include <cstddef>

#include "kernels/kernels.h"

namespace pawsight::kernels::avx512 {

void MultiplyMatrices(const Gemm& args);
void AttendRows(const Attend& args);
void LayerNorm(const float* x, int ldx, const float* gain, const float* bias, float eps, float* y, int ldy, int rows,
               int cols);
void PackTransposed(const float* source, int lds, int n, int k, float* packed);
void Pack(const float* source, int lds, int k, int n, float* packed, size_t panel_stride);

}  // namespace pawsight::kernels::avx512
