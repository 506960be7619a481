#include "engine/compute.h"

#include <algorithm>

#include "base/check.h"

namespace pawsight::engine {
namespace {

// A product below this many multiply-adds costs less than waking the team.
constexpr int64_t kWorthSharing = 256 * 1024;
// Chunks a member: a few, so that a member who loses the core for a while does not hold up the rest.
constexpr int kChunks = 4;
constexpr int kNormRows = 64;

}  // namespace

Linear::Linear(const kernels::Kernels& kernels, std::span<const float> weight, std::span<const float> bias, int in, int out)
    : packed_(kernels::PackedSize(in, out)), bias_(static_cast<size_t>(out)), in_(in), out_(out) {
  CHECK(weight.size() == static_cast<size_t>(in) * static_cast<size_t>(out));
  CHECK(bias.size() == static_cast<size_t>(out));
  kernels.pack_transposed(weight.data(), in, out, in, packed_.data());
  std::copy(bias.begin(), bias.end(), bias_.data());
}

void Linear::Apply(const Compute& compute, const float* x, int rows, float* y, kernels::Tail tail,
                   const float* residual) const {
  const size_t panel_stride = static_cast<size_t>(in_) * kernels::kPanel;
  const auto columns = [&](int first_panel, int last_panel) {
    const int first = first_panel * kernels::kPanel;
    kernels::Gemm gemm{.a = x, .lda = in_, .b = packed_.data() + static_cast<size_t>(first_panel) * panel_stride,
                       .panel_stride = panel_stride, .bias = bias_.data() + first, .c = y + first, .ldc = out_, .rows = rows,
                       .k = in_, .n = std::min(out_, last_panel * kernels::kPanel) - first, .tail = tail};
    if (residual != nullptr) {
      gemm.residual = residual + first;
      gemm.ldr = out_;
    }
    compute.kernels.gemm(gemm);
  };
  const int panels = (out_ + kernels::kPanel - 1) / kernels::kPanel;
  const int64_t work = static_cast<int64_t>(rows) * in_ * out_;
  if (compute.team.size() == 1 || work < kWorthSharing) {
    columns(0, panels);
    return;
  }
  const int chunks = std::min(panels, compute.team.size() * kChunks);
  compute.team.ForEach(chunks, [&](int chunk, int) { columns(chunk * panels / chunks, (chunk + 1) * panels / chunks); });
}

void LayerNorm::Apply(const Compute& compute, const float* x, int rows, float* y) const {
  const int cols = static_cast<int>(gain.size());
  const auto block = [&](int first, int last) {
    const size_t at = static_cast<size_t>(first) * static_cast<size_t>(cols);
    compute.kernels.layer_norm(x + at, cols, gain.data(), bias.data(), eps, y + at, cols, last - first, cols);
  };
  if (compute.team.size() == 1 || rows < 2 * kNormRows) {
    block(0, rows);
    return;
  }
  const int blocks = (rows + kNormRows - 1) / kNormRows;
  compute.team.ForEach(blocks, [&](int i, int) { block(i * kNormRows, std::min(rows, (i + 1) * kNormRows)); });
}

}  // namespace pawsight::engine
