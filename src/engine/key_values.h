// engine/key_values.h: attention keys and values of several layers, packed for kernels::Attend, one block a layer and head.
// Filled by one thread or by a team on distinct heads; read-only afterwards, then shared by any number of threads.
#pragma once

#include <cstddef>

#include "engine/arena.h"
#include "kernels/kernels.h"

namespace pawsight::engine {

/// Floats that one head's packed keys (values) of `capacity` positions take.
constexpr size_t PackedKeysSize(int head_dim, int capacity) { return kernels::PackedSize(head_dim, capacity); }
constexpr size_t PackedValuesSize(int head_dim, int capacity) { return kernels::PackedSize(capacity, head_dim); }

class KeyValues {
 public:
  KeyValues() = default;
  /// Room for `capacity` positions; zeroed.
  KeyValues(int num_layers, int num_heads, int head_dim, int capacity);

  int num_heads() const { return num_heads_; }
  int head_dim() const { return head_dim_; }
  int capacity() const { return capacity_; }
  /// A deep copy: beams that part share a past, not its memory.
  KeyValues Clone() const;

  float* keys(int layer, int head) { return data_.data() + Offset(layer, head); }
  const float* keys(int layer, int head) const { return data_.data() + Offset(layer, head); }
  float* values(int layer, int head) { return keys(layer, head) + keys_size_; }
  const float* values(int layer, int head) const { return keys(layer, head) + keys_size_; }
  size_t value_panel_stride() const { return static_cast<size_t>(capacity_) * kernels::kPanel; }

  /// Packs positions [0, rows) of one layer and head. k, v: [rows, head_dim] with ld floats a row.
  void Fill(const kernels::Kernels& kernels, int layer, int head, const float* k, const float* v, int ld, int rows);
  /// Writes one position of one layer and head. k, v: head_dim floats.
  void Append(int layer, int head, int position, const float* k, const float* v);

 private:
  size_t Offset(int layer, int head) const {
    return (static_cast<size_t>(layer) * static_cast<size_t>(num_heads_) + static_cast<size_t>(head)) *
           (keys_size_ + values_size_);
  }

  int num_heads_ = 0;
  int head_dim_ = 0;
  int capacity_ = 0;
  size_t keys_size_ = 0;
  size_t values_size_ = 0;
  Floats data_;
};

}  // namespace pawsight::engine
