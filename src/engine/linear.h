// engine/linear.h: a linear layer over packed weights that somebody else owns (an artifact, mapped), and layer norm.
// What precision a layer computes in is its weights' matter: callers prepare the left operand by asking the layer.
// Thread-safe: weights are read-only.
#pragma once

#include "engine/compute.h"

namespace pawsight::engine {

/// Weights [in, out] in panels (kernels/kernels.h for kFp32, kernels/narrow.h for the rest), aligned to 64 bytes.
struct PackedWeights {
  Precision precision = Precision::kFp32;
  int in = 0;
  int out = 0;
  const void* panels = nullptr;
  const float* bias = nullptr;           // [out padded to kPanel]
  const float* column_scales = nullptr;  // the same, kInt8
  const int32_t* column_sums = nullptr;  // the same, kInt8
};

/// y = x . w + bias.
class Linear {
 public:
  Linear() = default;
  explicit Linear(const PackedWeights& weights) : weights_(weights) {}

  int in() const { return weights_.in; }
  int out() const { return weights_.out; }
  Precision precision() const { return weights_.precision; }
  bool is_narrow() const { return weights_.precision != Precision::kFp32; }

  /// The left operand from floats x [rows, in], dense; from activations. Memory of the arena, or a view of what was
  /// given.
  Operand Prepare(const Compute& compute, const float* x, int rows) const;
  Operand Prepare(const Compute& compute, const Hidden& x, int rows) const;

  /// y [x.rows, out] dense = tail(x . w + bias) + residual, which is dense too and may be y. The team shares the
  /// columns. Cost: 2 * rows * in * out FLOP; below a few dozen rows, reading the weights.
  void Apply(const Compute& compute, const Operand& x, float* y, kernels::Tail tail = kernels::Tail::kNone,
             const float* residual = nullptr) const;
  /// The same to what the next layer takes.
  void Apply(const Compute& compute, const Operand& x, const Hidden& y,
             kernels::Tail tail = kernels::Tail::kNone) const;

  /// Columns [first, first + count) on the calling thread alone; first is a multiple of kPanel, count at least 1.
  void ApplyColumns(const kernels::Kernels& kernels, const Operand& x, int first, int count, const Hidden& y,
                    kernels::Tail tail = kernels::Tail::kNone, const float* residual = nullptr) const;

 private:
  void Share(const Compute& compute, const Operand& x, const Hidden& y, kernels::Tail tail,
             const float* residual) const;

  PackedWeights weights_;
};

struct LayerNorm {
  const float* gain = nullptr;  // [width]
  const float* bias = nullptr;  // [width]
  int width = 0;
  float eps = 1e-5F;

  /// x, y [rows, width] dense; y may be x.
  void Apply(const Compute& compute, const float* x, int rows, float* y) const;
  /// The same as the left operand of `next`: one pass over x, narrow or not.
  Operand ApplyFor(const Compute& compute, const Linear& next, const float* x, int rows) const;
};

/// One vector a row, floats or bfloat16.
struct Table {
  const float* floats = nullptr;
  const Bf16* narrow = nullptr;
  int rows = 0;
  int width = 0;

  /// to [width] += row `row`, which exists (CHECKed).
  void AddRow(int row, float* to) const;
};

}  // namespace pawsight::engine
