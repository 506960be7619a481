#include "engine/linear.h"

#include <algorithm>

#include "base/check.h"

namespace pawsight::engine {
namespace {

// A product below this many multiply-adds costs less than waking the team.
constexpr int64_t kWorthSharing = 256 * 1024;
// Chunks a member: a few, so that a member who loses the core for a while does not hold up the rest.
constexpr int kChunks = 4;

}  // namespace

Operand Linear::Prepare(const Compute& compute, const float* x, int rows) const {
  if (!is_narrow()) return {.floats = x, .stride = in(), .rows = rows};
  const kernels::NarrowRows taken = TakeNarrowRows(compute.arena, precision(), rows, in());
  ForRowBlocks(compute, rows, [&](int first, int last) {
    compute.kernels.narrow(x + static_cast<ptrdiff_t>(first) * in(), in(), taken.From(first), last - first, in());
  });
  return {.narrow = taken, .rows = rows};
}

Operand Linear::Prepare(const Compute& compute, const Hidden& x, int rows) const {
  CHECK(is_narrow() == x.is_narrow());
  if (!is_narrow()) return {.floats = x.floats, .stride = x.stride, .rows = rows};
  if (precision() == Precision::kBf16) {
    return {
        .narrow = {.precision = precision(), .data = x.narrow, .stride = static_cast<size_t>(x.stride) * sizeof(Bf16)},
        .rows = rows};
  }
  const kernels::NarrowRows taken = TakeNarrowRows(compute.arena, precision(), rows, in());
  ForRowBlocks(compute, rows, [&](int first, int last) {
    compute.kernels.quantize(x.narrow + static_cast<ptrdiff_t>(first) * x.stride, x.stride, taken.From(first),
                             last - first, in());
  });
  return {.narrow = taken, .rows = rows};
}

void Linear::ApplyColumns(const kernels::Kernels& kernels, const Operand& x, int first, int count, const Hidden& y,
                          kernels::Tail tail, const float* residual) const {
  const auto panel = static_cast<size_t>(first / kernels::kPanel);
  CHECK(first % kernels::kPanel == 0 && x.is_narrow() == is_narrow());
  const float* bias = weights_.bias + first;
  if (!is_narrow()) {
    const size_t stride = static_cast<size_t>(in()) * kernels::kPanel;
    kernels.gemm({.a = x.floats,
                  .lda = x.stride,
                  .b = static_cast<const float*>(weights_.panels) + panel * stride,
                  .panel_stride = stride,
                  .bias = bias,
                  .residual = residual,
                  .ldr = out(),
                  .c = y.floats,
                  .ldc = y.stride,
                  .rows = x.rows,
                  .k = in(),
                  .n = count,
                  .tail = tail});
    return;
  }
  const bool bytes = precision() == Precision::kInt8;
  kernels.narrow_gemm(
      {.a = x.narrow,
       .b = static_cast<const uint8_t*>(weights_.panels) + panel * kernels::NarrowPanelBytes(precision(), in()),
       .column_scales = bytes ? weights_.column_scales + first : nullptr,
       .column_sums = bytes ? weights_.column_sums + first : nullptr,
       .bias = bias,
       .residual = residual,
       .ldr = out(),
       .c = y.floats,
       .narrow_c = y.narrow,
       .ldc = y.stride,
       .rows = x.rows,
       .k = in(),
       .n = count,
       .tail = tail});
}

void Linear::Share(const Compute& compute, const Operand& x, const Hidden& y, kernels::Tail tail,
                   const float* residual) const {
  const auto columns = [&](int first_panel, int last_panel) {
    const int first = first_panel * kernels::kPanel;
    const int count = std::min(out(), last_panel * kernels::kPanel) - first;
    ApplyColumns(compute.kernels, x, first, count, y.From(0, first), tail,
                 residual == nullptr ? nullptr : residual + first);
  };
  const int panels = kernels::NumPanels(out());
  const int64_t work = static_cast<int64_t>(x.rows) * in() * out();
  if (compute.team.size() == 1 || work < kWorthSharing) {
    columns(0, panels);
    return;
  }
  const int chunks = std::min(panels, compute.team.size() * kChunks);
  compute.team.ForEach(chunks,
                       [&](int chunk, int) { columns(chunk * panels / chunks, (chunk + 1) * panels / chunks); });
}

void Linear::Apply(const Compute& compute, const Operand& x, float* y, kernels::Tail tail,
                   const float* residual) const {
  Share(compute, x, {.floats = y, .stride = out()}, tail, residual);
}

void Linear::Apply(const Compute& compute, const Operand& x, const Hidden& y, kernels::Tail tail) const {
  Share(compute, x, y, tail, nullptr);
}

void LayerNorm::Apply(const Compute& compute, const float* x, int rows, float* y) const {
  ForRowBlocks(compute, rows, [&](int first, int last) {
    const auto at = static_cast<ptrdiff_t>(first) * width;
    compute.kernels.layer_norm(x + at, width, gain, bias, eps, y + at, width, last - first, width);
  });
}

Operand LayerNorm::ApplyFor(const Compute& compute, const Linear& next, const float* x, int rows) const {
  if (!next.is_narrow()) {
    float* normed = compute.arena.Take(static_cast<size_t>(rows) * static_cast<size_t>(width));
    Apply(compute, x, rows, normed);
    return {.floats = normed, .stride = width, .rows = rows};
  }
  const kernels::NarrowRows taken = TakeNarrowRows(compute.arena, next.precision(), rows, width);
  ForRowBlocks(compute, rows, [&](int first, int last) {
    compute.kernels.narrow_layer_norm(x + static_cast<ptrdiff_t>(first) * width, width, gain, bias, eps,
                                      taken.From(first), last - first, width);
  });
  return {.narrow = taken, .rows = rows};
}

void Table::AddRow(int row, float* to) const {
  CHECK(row >= 0 && row < rows);
  const auto at = static_cast<ptrdiff_t>(row) * width;
  for (int i = 0; i < width; ++i) to[i] += floats != nullptr ? floats[at + i] : kernels::FromBf16(narrow[at + i]);
}

}  // namespace pawsight::engine
