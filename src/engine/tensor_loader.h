// engine/tensor_loader.h: fetches named tensors as packed layers. The first error sticks, later calls return empty layers:
// a component loads with straight-line code and asks status() once. Used by one thread.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/compute.h"
#include "engine/weights.h"

namespace pawsight::engine {

class TensorLoader {
 public:
  TensorLoader(const Weights& weights, const kernels::Kernels& kernels) : weights_(weights), kernels_(kernels) {}

  const Status& status() const { return status_; }

  /// The tensor `name`, `size` values in all.
  std::vector<float> Vector(const std::string& name, int size);
  /// `name`.weight [out, in] and `name`.bias [out].
  Linear Dense(const std::string& name, int in, int out);
  /// Several such layers over the same input as one product, outputs in order.
  Linear Fused(const std::vector<std::string>& names, int in, int out_each);
  /// `name`.weight and `name`.bias, [size] each.
  LayerNorm Norm(const std::string& name, int size, float eps);
  bool Has(const std::string& name) const;

 private:
  const Weights& weights_;
  const kernels::Kernels& kernels_;
  Status status_;
};

}  // namespace pawsight::engine
