// engine/layer_source.h: where a component finds its layers by name. A component's Load is the one description of what
// it consists of; packing a checkpoint and opening an artifact both run it. The first error sticks, later calls return
// empty layers: a component loads with straight-line code and asks status() once. Used by one thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/linear.h"

namespace pawsight::engine {

class LayerSource {
 public:
  virtual ~LayerSource() = default;

  const Status& status() const { return status_; }

  /// Layers over the same input as one product, outputs in order: names[i].weight [out_each, in], names[i].bias
  /// [out_each]. `entry` is its name in an artifact.
  virtual Linear Fused(const std::string& entry, const std::vector<std::string>& names, int in, int out_each) = 0;
  /// The tensors `weight` [out, in] and `bias` [out]: a layer whose parts are named otherwise.
  virtual Linear Parts(const std::string& entry, const std::string& weight, const std::string& bias, int in,
                       int out) = 0;
  /// `size` values in all, in float whatever the precision.
  virtual std::span<const float> Vector(const std::string& name, int size) = 0;
  /// One vector a row; bfloat16 in a narrow component.
  virtual Table Rows(const std::string& name, int rows, int width) = 0;
  virtual bool Has(const std::string& name) const = 0;

  Linear Dense(const std::string& name, int in, int out) { return Fused(name, {name}, in, out); }
  /// `name`.weight and `name`.bias, [size] each.
  LayerNorm Norm(const std::string& name, int size, float eps) {
    return {Vector(name + ".weight", size).data(), Vector(name + ".bias", size).data(), size, eps};
  }

 protected:
  void Fail(Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

 private:
  Status status_;
};

}  // namespace pawsight::engine
