#include "engine/match_heads.h"

#include <algorithm>
#include <cmath>

namespace pawsight::engine {
namespace {

std::vector<float> UnitFeature(const Compute& compute, const Linear& projection, const float* state) {
  std::vector<float> feature(static_cast<size_t>(projection.out()));
  projection.Apply(compute, projection.Prepare(compute, state, 1), feature.data());
  double squares = 0;
  for (const float v : feature) squares += static_cast<double>(v) * static_cast<double>(v);
  const auto norm = static_cast<float>(std::max(std::sqrt(squares), 1e-12));  // the reference's floor
  for (float& v : feature) v /= norm;
  return feature;
}

}  // namespace

MatchHeads MatchHeads::Load(LayerSource& source, const BlipConfig& config) {
  MatchHeads heads;
  heads.itm_ = source.Dense("itm_head", config.text.hidden_size, 2);
  heads.vision_ = source.Dense("vision_proj", config.vision.hidden_size, config.image_text_hidden_size);
  heads.text_ = source.Dense("text_proj", config.text.hidden_size, config.image_text_hidden_size);
  return heads;
}

Match MatchHeads::Score(const Compute& compute, const float* image, const float* looking, const float* blind) const {
  Match match;
  itm_.Apply(compute, itm_.Prepare(compute, looking, 1), match.logits.data());
  match.image_feature = UnitFeature(compute, vision_, image);
  match.text_feature = UnitFeature(compute, text_, blind);
  return match;
}

}  // namespace pawsight::engine
