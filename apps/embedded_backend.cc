#include "apps/embedded_backend.h"

#include <filesystem>
#include <utility>

namespace pawsight {
namespace {

class EmbeddedBackend : public gateway::Backend {
 public:
  EmbeddedBackend(engine::Vqa vqa, std::string name) : vqa_(std::move(vqa)), name_(std::move(name)) {}

  Result<std::vector<gateway::Answer>> Ask(const frames::Image& image, std::span<const std::string> questions) override {
    PAWSIGHT_ASSIGN_OR_RETURN(const engine::ImageHandle look, vqa_.Look(ToPixels(vqa_.preprocess(), image)));
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::Answer> answers, vqa_.Ask(look, questions));
    std::vector<gateway::Answer> out;
    for (size_t i = 0; i < answers.size(); ++i) {
      out.push_back({questions[i], answers[i].text, static_cast<double>(answers[i].p_yes.value_or(0.5F)),
                     static_cast<double>(answers[i].score)});
    }
    return out;
  }

  std::string name() const override { return name_; }

 private:
  engine::Vqa vqa_;
  std::string name_;
};

}  // namespace

Result<std::unique_ptr<gateway::Backend>> OpenEmbeddedBackend(const ModelOptions& options) {
  ModelOptions found = options;
  if (found.model.empty() && found.artifacts.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(found.model, DefaultModelDir());
  }
  PAWSIGHT_ASSIGN_OR_RETURN(engine::Vqa vqa, OpenModel(found));
  const std::string name = std::filesystem::path(found.artifacts.empty() ? found.model : found.artifacts).lexically_normal().filename().string() + " on this CPU";
  return std::unique_ptr<gateway::Backend>(std::make_unique<EmbeddedBackend>(std::move(vqa), name));
}

}  // namespace pawsight
