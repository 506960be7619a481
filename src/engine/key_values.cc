#include "engine/key_values.h"

#include "base/check.h"

namespace pawsight::engine {

KeyValues::KeyValues(int num_layers, int num_heads, int head_dim, int capacity)
    : num_heads_(num_heads),
      head_dim_(head_dim),
      capacity_(capacity),
      keys_size_(PackedKeysSize(head_dim, capacity)),
      values_size_(PackedValuesSize(head_dim, capacity)),
      data_(static_cast<size_t>(num_layers) * static_cast<size_t>(num_heads) * (keys_size_ + values_size_)) {}

KeyValues KeyValues::Clone() const {
  KeyValues copy;
  copy.num_heads_ = num_heads_;
  copy.head_dim_ = head_dim_;
  copy.capacity_ = capacity_;
  copy.keys_size_ = keys_size_;
  copy.values_size_ = values_size_;
  copy.data_ = data_.Clone();
  return copy;
}

void KeyValues::Fill(const kernels::Kernels& kernels, int layer, int head, const float* k, const float* v, int ld, int rows) {
  CHECK(rows == capacity_);
  kernels.pack_transposed(k, ld, rows, head_dim_, keys(layer, head));
  kernels.pack(v, ld, rows, head_dim_, values(layer, head), value_panel_stride());
}

void KeyValues::Append(int layer, int head, int position, const float* k, const float* v) {
  CHECK(position < capacity_);
  constexpr auto kWidth = static_cast<size_t>(kernels::kPanel);
  const auto at = static_cast<size_t>(position);
  const auto dim = static_cast<size_t>(head_dim_);
  float* key_column = keys(layer, head) + at / kWidth * dim * kWidth + at % kWidth;
  float* value_row = values(layer, head) + at * kWidth;
  for (size_t d = 0; d < dim; ++d) {
    key_column[d * kWidth] = k[d];
    value_row[d / kWidth * value_panel_stride() + d % kWidth] = v[d];
  }
}

}  // namespace pawsight::engine
