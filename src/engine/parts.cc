#include "engine/parts.h"

#include <algorithm>

namespace pawsight::engine {
namespace {

bool Any(const std::vector<Head>& heads, Head a, Head b) {
  return std::ranges::any_of(heads, [&](Head head) { return head == a || head == b; });
}

}  // namespace

bool Parts::Wants(const std::vector<Head>& heads, Component component) {
  switch (component) {
    case Component::kImageEncoder:
      return !heads.empty();
    case Component::kTextEncoder:
      return Any(heads, Head::kVqa, Head::kItm);
    case Component::kTextDecoder:
      return Any(heads, Head::kVqa, Head::kCaption);
  }
  return false;
}

void Parts::Load(LayerSource& source, const BlipConfig& config, const std::vector<Head>& heads, Component component) {
  switch (component) {
    case Component::kImageEncoder:
      image_encoder = ImageEncoder::Load(source, config.vision);
      break;
    case Component::kTextEncoder:
      text_encoder = TextEncoder::Load(source, config.text, config.vision.hidden_size);
      if (Any(heads, Head::kItm, Head::kItm)) match_heads = MatchHeads::Load(source, config);
      break;
    case Component::kTextDecoder:
      text_decoder = TextDecoder::Load(source, config.text, config.vision.hidden_size);
      break;
  }
}

}  // namespace pawsight::engine
