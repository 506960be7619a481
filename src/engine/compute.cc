#include "engine/compute.h"

#include <algorithm>
#include <cstring>

namespace pawsight::engine {
namespace {

constexpr int kBlockRows = 64;

}  // namespace

Hidden Hidden::From(int row, int column) const {
  const auto offset = static_cast<ptrdiff_t>(row) * stride + column;
  return {floats == nullptr ? nullptr : floats + offset, narrow == nullptr ? nullptr : narrow + offset, stride};
}

Operand Operand::From(int row) const {
  Operand moved = *this;
  moved.rows -= row;
  if (is_narrow()) {
    moved.narrow = narrow.From(row);
  } else {
    moved.floats += static_cast<ptrdiff_t>(row) * stride;
  }
  return moved;
}

Hidden TakeHidden(Arena& arena, bool narrow, int rows, int width) {
  if (!narrow) {
    return {arena.Take(static_cast<size_t>(rows) * static_cast<size_t>(width)), nullptr, width};
  }
  const kernels::NarrowRows taken = TakeNarrowRows(arena, Precision::kBf16, rows, width);
  const auto stride = static_cast<int>(taken.stride / sizeof(Bf16));
  auto* data = static_cast<Bf16*>(taken.data);
  const auto padded = static_cast<int>(kernels::ChunkedBytes(Precision::kBf16, width) / sizeof(Bf16));
  for (int row = 0; row < rows && padded > width; ++row) {
    std::fill_n(data + static_cast<ptrdiff_t>(row) * stride + width, padded - width, Bf16{0});
  }
  return {nullptr, data, stride};
}

kernels::NarrowRows TakeNarrowRows(Arena& arena, Precision precision, int rows, int width) {
  kernels::NarrowRows taken;
  taken.precision = precision;
  taken.stride = kernels::RowStride(precision, width);
  const auto count = static_cast<size_t>(rows);
  taken.data = arena.Take(count * taken.stride / sizeof(float));
  if (precision == Precision::kInt8) {
    taken.scales = arena.Take(count);
    taken.zeros = reinterpret_cast<int32_t*>(arena.Take(count));
  }
  return taken;
}

void ForRowBlocks(const Compute& compute, int rows, kernels::Work<void(int first, int last)> work) {
  if (compute.team.size() == 1 || rows < 2 * kBlockRows) {
    work(0, rows);
    return;
  }
  const int blocks = (rows + kBlockRows - 1) / kBlockRows;
  compute.team.ForEach(blocks, [&](int i, int) { work(i * kBlockRows, std::min(rows, (i + 1) * kBlockRows)); });
}

}  // namespace pawsight::engine
