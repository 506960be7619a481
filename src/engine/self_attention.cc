#include "engine/self_attention.h"

#include <algorithm>

#include "engine/key_values.h"

namespace pawsight::engine {

void SelfAttend(const Compute& compute, std::span<const SelfAttentionRows> sequences, int num_heads, int width,
                const Hidden& qkv, const Hidden& context) {
  const Arena::Scope scope(compute.arena);
  const int head_dim = width / num_heads;
  HeadShape largest{qkv.is_narrow(), head_dim, 1};
  for (const SelfAttentionRows& s : sequences) largest.capacity = std::max(largest.capacity, s.num_keys);
  const size_t member_size = largest.size() + AttendScratchSize(largest.narrow, largest.capacity);
  float* memory = compute.arena.Take(static_cast<size_t>(compute.team.size()) * member_size);
  compute.team.ForEach(static_cast<int>(sequences.size()) * num_heads, [&](int item, int member) {
    const SelfAttentionRows& rows = sequences[static_cast<size_t>(item / num_heads)];
    const Hidden q = qkv.From(rows.first, item % num_heads * head_dim);
    float* own = memory + static_cast<size_t>(member) * member_size;
    const HeadBlock head{{largest.narrow, head_dim, rows.num_keys}, own};
    head.FillKeys(compute.kernels, q.From(0, width));
    head.FillValues(compute.kernels, q.From(0, 2 * width));
    head.Attend(compute.kernels, q, rows.count, rows.num_keys, context.From(rows.first, item % num_heads * head_dim),
                own + head.shape.size());
  });
}

}  // namespace pawsight::engine
