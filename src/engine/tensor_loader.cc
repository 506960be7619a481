#include "engine/tensor_loader.h"

#include "engine/tensor_view.h"

namespace pawsight::engine {

std::vector<float> TensorLoader::Vector(const std::string& name, int size) {
  std::vector<float> values(static_cast<size_t>(size));
  if (!status_.ok()) return values;
  const TensorView* tensor = weights_.Find(name);
  if (tensor == nullptr || tensor->num_elements() != size) {
    status_ = InvalidArgument(name + ": " + (tensor == nullptr ? "missing" : ShapeText(tensor->shape)) + ", want " +
                              std::to_string(size) + " values", "weights_mismatch");
    return values;
  }
  status_ = weights_.ReadFloats(name, values);
  return values;
}

Linear TensorLoader::Dense(const std::string& name, int in, int out) { return Fused({name}, in, out); }

Linear TensorLoader::Fused(const std::vector<std::string>& names, int in, int out_each) {
  std::vector<float> weight;
  std::vector<float> bias;
  for (const std::string& name : names) {
    const std::vector<float> w = Vector(name + ".weight", in * out_each);
    const std::vector<float> b = Vector(name + ".bias", out_each);
    weight.insert(weight.end(), w.begin(), w.end());
    bias.insert(bias.end(), b.begin(), b.end());
  }
  if (!status_.ok()) return {};
  return {kernels_, weight, bias, in, out_each * static_cast<int>(names.size())};
}

LayerNorm TensorLoader::Norm(const std::string& name, int size, float eps) {
  return {Vector(name + ".weight", size), Vector(name + ".bias", size), eps};
}

bool TensorLoader::Has(const std::string& name) const { return weights_.Find(name) != nullptr; }

}  // namespace pawsight::engine
