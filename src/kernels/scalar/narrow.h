// kernels/scalar/narrow.h: the narrow part of the specification, each function as kernels/kernels.h has it. Tables that
// lack an instruction take single functions from here.
#pragma once

#include "kernels/kernels.h"

namespace pawsight::kernels::scalar {

void NarrowMultiply(const NarrowGemm& args);
void NarrowAttention(const NarrowAttend& args);
void NarrowLayerNorm(const float* x, int ldx, const float* gain, const float* bias, float eps, const NarrowRows& y,
                     int rows, int cols);
void Narrow(const float* x, int ldx, const NarrowRows& y, int rows, int cols);
void Quantize(const Bf16* x, int ldx, const NarrowRows& y, int rows, int cols);
void PackKeys(const Bf16* keys, int ld, int num_keys, int head_dim, void* packed);
void PackValues(const Bf16* values, int ld, int num_keys, int head_dim, void* packed, size_t panel_bytes);

}  // namespace pawsight::kernels::scalar
