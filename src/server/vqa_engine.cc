#include "server/vqa_engine.h"

#include <utility>

namespace pawsight::server {
namespace {

class VqaEngine : public Engine {
 public:
  VqaEngine(engine::Vqa vqa, const frames::DecodeLimits& limits, frames::Fidelity fidelity)
      : vqa_(std::move(vqa)),
        limits_(limits),
        fidelity_(fidelity),
        normalization_(NormalizationOf(vqa_.preprocess())) {}

  Result<std::vector<float>> Preprocess(std::span<const uint8_t> image) override {
    const engine::PreprocessConfig& config = vqa_.preprocess();
    PAWSIGHT_ASSIGN_OR_RETURN(const frames::Decoded decoded,
                              frames::DecodeResized(image, limits_, config.width, config.height, fidelity_));
    std::vector<float> pixels(decoded.image.rgb.size());
    frames::Normalize(decoded.image, normalization_, pixels);
    return pixels;
  }

  Result<std::vector<FrameHandle>> Look(std::span<const std::span<const float>> frames) override {
    std::vector<FrameHandle> handles;
    for (const std::span<const float>& frame : frames) {
      PAWSIGHT_ASSIGN_OR_RETURN(engine::ImageHandle handle, vqa_.Look(frame));
      handles.push_back(std::move(handle));
    }
    return handles;
  }

  Result<std::vector<engine::Answer>> Ask(std::span<const FrameQuestion> questions,
                                          const engine::AskOptions& options) override {
    std::vector<engine::ImageHandle> images;
    std::vector<std::string> texts;
    for (const FrameQuestion& question : questions) {
      images.push_back(std::static_pointer_cast<const engine::ImageState>(question.frame));
      texts.push_back(question.question);
    }
    return vqa_.Ask(images, texts, options);
  }

  Status Check(const std::string& question, engine::Mode mode) const override {
    return engine::CheckText(mode, question);
  }
  bool Can(engine::Mode mode) const override { return vqa_.Can(mode); }

 private:
  const engine::Vqa vqa_;
  const frames::DecodeLimits limits_;
  const frames::Fidelity fidelity_;
  const frames::Normalization normalization_;
};

}  // namespace

frames::Normalization NormalizationOf(const engine::PreprocessConfig& config) {
  frames::Normalization normalization{config.do_rescale ? config.rescale_factor : 1.0, config.mean, config.std};
  if (!config.do_normalize) {
    normalization.mean = {0.0F, 0.0F, 0.0F};
    normalization.std = {1.0F, 1.0F, 1.0F};
  }
  return normalization;
}

std::unique_ptr<Engine> MakeVqaEngine(engine::Vqa vqa, const frames::DecodeLimits& limits, frames::Fidelity fidelity) {
  return std::make_unique<VqaEngine>(std::move(vqa), limits, fidelity);
}

}  // namespace pawsight::server
