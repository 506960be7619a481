// kernels/blocked/pack.h: row-major matrices to panels, over the vector operations V of one instruction set.
#pragma once

#include <cstddef>

#include "kernels/blocked/tile.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

/// Columns [0, depth) of `rows` rows of source, each at most V::kLanes, become `depth` rows of the panel, zeros after
/// `rows`.
template <typename V>
void PackSquare(const float* source, int lds, int rows, int depth, float* panel) {
  typename V::Vector square[V::kLanes];
  PAWSIGHT_UNROLL
  for (int i = 0; i < V::kLanes; ++i) {
    square[i] = i < rows ? V::LoadFirst(source + static_cast<ptrdiff_t>(i) * lds, depth) : V::Zero();
  }
  V::Transpose(square);
  PAWSIGHT_UNROLL
  for (int i = 0; i < V::kLanes; ++i) {
    if (i < depth) V::Store(panel + i * kPanel, square[i]);
  }
}

template <typename V>
void PackTransposed(const float* source, int lds, int n, int k, float* packed) {
  for (int first = 0; first < n; first += kPanel, packed += static_cast<ptrdiff_t>(k) * kPanel) {
    for (int r = 0; r < k; r += V::kLanes) {
      const int depth = k - r < V::kLanes ? k - r : V::kLanes;
      for (int j = first; j < first + kPanel; j += V::kLanes) {
        const int rows = n - j < 0 ? 0 : n - j < V::kLanes ? n - j : V::kLanes;
        const float* corner = rows == 0 ? source : source + static_cast<ptrdiff_t>(j) * lds + r;
        PackSquare<V>(corner, lds, rows, depth, packed + static_cast<ptrdiff_t>(r) * kPanel + (j - first));
      }
    }
  }
}

template <typename V>
void Pack(const float* source, int lds, int k, int n, float* packed, size_t panel_stride) {
  for (int first = 0; first < n; first += kPanel, packed += panel_stride) {
    const float* row = source + first;
    float* out = packed;
    for (int r = 0; r < k; ++r, row += lds, out += kPanel) {
      for (int j = 0; j < kPanel; j += V::kLanes) {
        V::Store(out + j, first + j < n ? V::LoadFirst(row + j, n - first - j) : V::Zero());
      }
    }
  }
}

}  // namespace
}  // namespace pawsight::kernels
