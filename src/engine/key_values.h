// engine/key_values.h: attention keys and values, packed for kernels::attend or narrow_attend: one head's block of
// somebody's memory, and the blocks of several layers and heads. Filled by one thread or by a team on distinct heads;
// read-only afterwards, then shared by any number of threads.
#pragma once

#include <cstddef>
#include <utility>

#include "engine/arena.h"
#include "engine/compute.h"

namespace pawsight::engine {

struct HeadShape {
  bool narrow = false;  // bfloat16, else floats
  int head_dim = 0;
  int capacity = 0;  // positions

  size_t keys_size() const;    // floats of memory
  size_t values_size() const;  // the same
  size_t size() const { return keys_size() + values_size(); }
};

/// Floats of scratch for attention over so many keys.
size_t AttendScratchSize(bool narrow, int num_keys);

/// A view of one head's keys and values; shape.size() floats of memory from `keys` on, aligned to a cache line.
struct HeadBlock {
  HeadShape shape;
  float* memory = nullptr;

  /// Packs all positions. k, v: [capacity, head_dim].
  void FillKeys(const kernels::Kernels& kernels, const Hidden& k) const;
  void FillValues(const kernels::Kernels& kernels, const Hidden& v) const;
  /// Writes the position after those already written, from 0 on, into memory that may hold anything. k, v: head_dim
  /// values.
  void Append(int position, const Hidden& k, const Hidden& v) const;

  /// out [rows, head_dim] = what q [rows, head_dim] finds among the first num_keys positions; scores are divided by the
  /// root of head_dim. scratch: AttendScratchSize(narrow, num_keys) floats, the calling thread's alone.
  void Attend(const kernels::Kernels& kernels, const Hidden& q, int rows, int num_keys, const Hidden& out,
              float* scratch) const;
};

class KeyValues {
 public:
  KeyValues() = default;
  /// `memory` as large as Size says; what it holds does not matter.
  KeyValues(const HeadShape& shape, int num_heads, Floats memory);

  static size_t Size(const HeadShape& shape, int num_layers, int num_heads) {
    return static_cast<size_t>(num_layers) * static_cast<size_t>(num_heads) * shape.size();
  }

  int capacity() const { return shape_.capacity; }
  HeadBlock Block(int layer, int head) const;
  /// A deep copy: beams that part share a past, not its memory.
  KeyValues Clone() const { return {shape_, num_heads_, memory_.Clone()}; }
  /// Gives the memory back; nothing is left.
  Floats Release() { return std::move(memory_); }

 private:
  HeadShape shape_;
  int num_heads_ = 0;
  Floats memory_;
};

}  // namespace pawsight::engine
