#include "engine/key_values.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace pawsight::engine {
namespace {

constexpr auto kWidth = static_cast<size_t>(kernels::kPanel);

/// Positions in a chunk of a panel of values, and the chunk's bytes.
constexpr size_t kChunkPositions = kernels::kChunk / sizeof(Bf16);
constexpr size_t kChunkBytes = static_cast<size_t>(kernels::kChunk) * kWidth;
static_assert(kChunkPositions == kWidth, "a panel of keys and a chunk of values begin together");

/// Value (row r, column j) of a right operand of bfloat16.
Bf16& NarrowAt(float* packed, size_t panel_bytes, size_t r, size_t j) {
  auto* group = reinterpret_cast<uint8_t*>(packed) + j / kWidth * panel_bytes + r / 2 * kWidth * kernels::kGroup +
                j % kWidth * kernels::kGroup;
  return reinterpret_cast<Bf16*>(group)[r % 2];
}

}  // namespace

size_t HeadShape::keys_size() const {
  return narrow ? kernels::NarrowPackedBytes(Precision::kBf16, head_dim, capacity) / sizeof(float)
                : kernels::PackedSize(head_dim, capacity);
}

size_t HeadShape::values_size() const {
  return narrow ? kernels::NarrowPackedBytes(Precision::kBf16, capacity, head_dim) / sizeof(float)
                : kernels::PackedSize(capacity, head_dim);
}

size_t AttendScratchSize(bool narrow, int num_keys) {
  return narrow ? kernels::NarrowAttendScratch(num_keys) / sizeof(float) : kernels::AttendScratch(num_keys);
}

void HeadBlock::FillKeys(const kernels::Kernels& kernels, const Hidden& k) const {
  CHECK(k.is_narrow() == shape.narrow);
  if (shape.narrow) {
    kernels.pack_keys(k.narrow, k.stride, shape.capacity, shape.head_dim, memory);
  } else {
    kernels.pack_transposed(k.floats, k.stride, shape.capacity, shape.head_dim, memory);
  }
}

void HeadBlock::FillValues(const kernels::Kernels& kernels, const Hidden& v) const {
  CHECK(v.is_narrow() == shape.narrow);
  float* values = memory + shape.keys_size();
  if (shape.narrow) {
    kernels.pack_values(v.narrow, v.stride, shape.capacity, shape.head_dim, values,
                        kernels::NarrowPanelBytes(Precision::kBf16, shape.capacity));
  } else {
    kernels.pack(v.floats, v.stride, shape.capacity, shape.head_dim, values,
                 static_cast<size_t>(shape.capacity) * kWidth);
  }
}

void HeadBlock::Append(int position, const Hidden& k, const Hidden& v) const {
  CHECK(position < shape.capacity && k.is_narrow() == shape.narrow);
  const auto at = static_cast<size_t>(position);
  const auto dim = static_cast<size_t>(shape.head_dim);
  float* values = memory + shape.keys_size();
  if (shape.narrow) {
    const size_t key_panel = kernels::NarrowPanelBytes(Precision::kBf16, shape.head_dim);
    const size_t value_panel = kernels::NarrowPanelBytes(Precision::kBf16, shape.capacity);
    if (at % kChunkPositions ==
        0) {  // the first of a panel of keys and of a chunk of values: the rest of both is read with it
      std::memset(reinterpret_cast<uint8_t*>(memory) + at / kWidth * key_panel, 0, key_panel);
      for (size_t d = 0; d < dim; d += kWidth) std::memset(&NarrowAt(values, value_panel, at, d), 0, kChunkBytes);
    }
    for (size_t d = 0; d < dim; ++d) {
      NarrowAt(memory, key_panel, d, at) = k.narrow[d];
      NarrowAt(values, value_panel, at, d) = v.narrow[d];
    }
    return;
  }
  float* key_column = memory + at / kWidth * dim * kWidth + at % kWidth;
  float* value_row = values + at * kWidth;
  const size_t value_panel_stride = static_cast<size_t>(shape.capacity) * kWidth;
  for (size_t d = 0; d < dim; ++d) {
    key_column[d * kWidth] = k.floats[d];
    value_row[d / kWidth * value_panel_stride + d % kWidth] = v.floats[d];
  }
}

void HeadBlock::Attend(const kernels::Kernels& kernels, const Hidden& q, int rows, int num_keys, const Hidden& out,
                       float* scratch) const {
  CHECK(num_keys >= 1 && num_keys <= shape.capacity && q.is_narrow() == shape.narrow);
  const float* values = memory + shape.keys_size();
  const float scale = 1.0F / std::sqrt(static_cast<float>(shape.head_dim));
  if (shape.narrow) {
    kernels.narrow_attend({.q = q.narrow,
                           .ldq = q.stride,
                           .keys = memory,
                           .values = values,
                           .value_panel_bytes = kernels::NarrowPanelBytes(Precision::kBf16, shape.capacity),
                           .out = out.narrow,
                           .ldo = out.stride,
                           .rows = rows,
                           .head_dim = shape.head_dim,
                           .num_keys = num_keys,
                           .scale = scale,
                           .scratch = scratch});
    return;
  }
  kernels.attend({.q = q.floats,
                  .ldq = q.stride,
                  .keys = memory,
                  .values = values,
                  .value_panel_stride = static_cast<size_t>(shape.capacity) * kWidth,
                  .out = out.floats,
                  .ldo = out.stride,
                  .rows = rows,
                  .head_dim = shape.head_dim,
                  .num_keys = num_keys,
                  .scale = scale,
                  .scratch = scratch});
}

KeyValues::KeyValues(const HeadShape& shape, int num_heads, Floats memory)
    : shape_(shape), num_heads_(num_heads), memory_(std::move(memory)) {
  CHECK(memory_.size() % (shape.size() * static_cast<size_t>(num_heads)) == 0);
}

HeadBlock KeyValues::Block(int layer, int head) const {
  const size_t block = static_cast<size_t>(layer) * static_cast<size_t>(num_heads_) + static_cast<size_t>(head);
  // A view like a span's: whoever may see the block may fill it, and only its maker does.
  return {shape_, const_cast<float*>(memory_.data()) + block * shape_.size()};
}

}  // namespace pawsight::engine
