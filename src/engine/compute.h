// engine/compute.h: what a forward pass runs on, and the layers that all three components are made of. Weights are
// read-only and shared; a Compute belongs to one pass at a time.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "kernels/kernels.h"
#include "kernels/team.h"

namespace pawsight::engine {

struct Compute {
  const kernels::Kernels& kernels;
  kernels::Team& team;
  Arena& arena;
};

/// Told of each stage's result, for checks against a reference: `stage` as in the goldens ("vision.hidden.0",
/// "text.question_states"), values [rows, cols] dense, valid during the call. Empty: nobody listens, nothing is copied.
using Trace = std::function<void(std::string_view stage, const float* values, int rows, int cols)>;

/// y = x . transpose(weight) + bias.
class Linear {
 public:
  Linear() = default;
  /// weight [out, in] row-major, bias [out]; both are packed, the spans may go.
  Linear(const kernels::Kernels& kernels, std::span<const float> weight, std::span<const float> bias, int in, int out);

  int in() const { return in_; }
  int out() const { return out_; }

  /// y [rows, out] = tail(x [rows, in] . w + bias) + residual, dense rows unless the strides say else. The team shares the
  /// columns. Cost: 2 * rows * in * out FLOP; below a few dozen rows, reading 4 * in * out bytes of weights.
  void Apply(const Compute& compute, const float* x, int rows, float* y, kernels::Tail tail = kernels::Tail::kNone,
             const float* residual = nullptr) const;

 private:
  Floats packed_;
  Floats bias_;
  int in_ = 0;
  int out_ = 0;
};

struct LayerNorm {
  std::vector<float> gain;
  std::vector<float> bias;
  float eps = 1e-5F;

  /// x, y [rows, gain.size()] dense; y may be x.
  void Apply(const Compute& compute, const float* x, int rows, float* y) const;
};

}  // namespace pawsight::engine
