// engine/self_attention.h: bidirectional self-attention of several sequences over a fused query/key/value product; the
// vision encoder's and the text encoder's. Not here: the decoder's causal one with its cache (text_decoder.cc).
#pragma once

#include <span>

#include "engine/compute.h"

namespace pawsight::engine {

/// Rows [first, first + count) attend to the first num_keys of themselves. 1 <= num_keys <= count.
struct SelfAttentionRows {
  int first = 0;
  int count = 0;
  int num_keys = 0;
};

/// qkv [rows, 3 * width]: queries, keys, values; context [rows, width]. The team shares sequences and heads.
void SelfAttend(const Compute& compute, std::span<const SelfAttentionRows> sequences, int num_heads, int width,
                const Hidden& qkv, const Hidden& context);

}  // namespace pawsight::engine
