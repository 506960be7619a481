#include "engine/self_attention.h"

#include <algorithm>
#include <cmath>

#include "engine/key_values.h"

namespace pawsight::engine {

void SelfAttend(const Compute& compute, std::span<const SelfAttentionRows> sequences, int num_heads, int width,
                const float* qkv, float* context) {
  const Arena::Scope scope(compute.arena);
  const int head_dim = width / num_heads;
  int longest = 1;
  for (const SelfAttentionRows& s : sequences) longest = std::max(longest, s.num_keys);
  const size_t keys_size = PackedKeysSize(head_dim, longest);
  const size_t values_size = PackedValuesSize(head_dim, longest);
  const size_t member_size = keys_size + values_size + kernels::AttendScratch(longest);
  float* scratch = compute.arena.Take(static_cast<size_t>(compute.team.size()) * member_size);
  compute.team.ForEach(static_cast<int>(sequences.size()) * num_heads, [&](int item, int member) {
    const SelfAttentionRows& s = sequences[static_cast<size_t>(item / num_heads)];
    const int column = item % num_heads * head_dim;
    const float* q = qkv + static_cast<size_t>(s.first) * 3 * static_cast<size_t>(width) + column;
    float* keys = scratch + static_cast<size_t>(member) * member_size;
    float* values = keys + keys_size;
    const size_t value_stride = static_cast<size_t>(s.num_keys) * kernels::kPanel;
    compute.kernels.pack_transposed(q + width, 3 * width, s.num_keys, head_dim, keys);
    compute.kernels.pack(q + 2 * width, 3 * width, s.num_keys, head_dim, values, value_stride);
    compute.kernels.attend({.q = q, .ldq = 3 * width, .keys = keys, .values = values, .value_panel_stride = value_stride,
                            .out = context + static_cast<size_t>(s.first) * static_cast<size_t>(width) + column,
                            .ldo = width, .rows = s.count, .head_dim = head_dim, .num_keys = s.num_keys,
                            .scale = 1.0F / std::sqrt(static_cast<float>(head_dim)), .scratch = values + values_size});
  });
}

}  // namespace pawsight::engine
