#include "targets/cpu/match_heads.h"

#include <algorithm>
#include <cmath>

#include "engine/tensor_loader.h"

namespace pawsight::targets {
namespace {

std::vector<float> UnitFeature(const engine::Compute& compute, const engine::Linear& projection, const float* state) {
  std::vector<float> feature(static_cast<size_t>(projection.out()));
  projection.Apply(compute, state, 1, feature.data());
  double squares = 0;
  for (const float v : feature) squares += static_cast<double>(v) * static_cast<double>(v);
  const auto norm = static_cast<float>(std::max(std::sqrt(squares), 1e-12));  // the reference's floor
  for (float& v : feature) v /= norm;
  return feature;
}

}  // namespace

Result<MatchHeads> MatchHeads::Load(const engine::BlipConfig& config, const engine::Weights& weights,
                                    const kernels::Kernels& kernels) {
  engine::TensorLoader loader(weights, kernels);
  MatchHeads heads;
  heads.itm_ = loader.Dense("itm_head", config.text.hidden_size, 2);
  heads.vision_ = loader.Dense("vision_proj", config.vision.hidden_size, config.image_text_hidden_size);
  heads.text_ = loader.Dense("text_proj", config.text.hidden_size, config.image_text_hidden_size);
  PAWSIGHT_RETURN_IF_ERROR(loader.status());
  return heads;
}

engine::Match MatchHeads::Score(const engine::Compute& compute, const float* image, const float* looking,
                                const float* blind) const {
  engine::Match match;
  itm_.Apply(compute, looking, 1, match.logits.data());
  match.image_feature = UnitFeature(compute, vision_, image);
  match.text_feature = UnitFeature(compute, text_, blind);
  return match;
}

}  // namespace pawsight::targets
