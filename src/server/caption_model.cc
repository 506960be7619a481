#include "server/caption_model.h"

#include <utility>

namespace pawsight::server {
namespace {

protocol::ModelMetadata CaptionMetadata(std::string version) {
  using protocol::Datatype;
  return {"caption",
          {std::move(version)},
          "pawsight_blip",
          {{"image", Datatype::kBytes, {-1}}, {"prompt", Datatype::kBytes, {-1}, true}},
          {{"caption", Datatype::kBytes, {-1}}, {"score", Datatype::kFp32, {-1}}}};
}

}  // namespace

CaptionModel::CaptionModel(std::string version, Batcher& batcher, std::function<bool()> ready,
                           const RequestLimits& limits)
    : BatchedModel(CaptionMetadata(std::move(version)), engine::Head::kCaption, batcher, std::move(ready), limits) {}

Status CaptionModel::ReadWork(const protocol::InferRequest& request, VqaWork* work) const {
  work->ask.mode = engine::Mode::kCaption;
  const protocol::InputTensor* prompt = request.Find("prompt");
  if (prompt == nullptr) {
    work->questions = {{std::string(kDefaultPrompt)}};
    return Ok();
  }
  const size_t count = prompt->elements.size();
  if (prompt->shape.size() != 1 || (count != 1 && count != work->images.size())) {
    return BadShape("prompt", "[1], or [N] with N images");
  }
  for (const std::string_view text : prompt->elements) work->questions.push_back({std::string(text)});
  return Ok();
}

std::vector<protocol::OutputTensor> CaptionModel::Outputs(const WorkResult& result) const {
  std::vector<std::string> captions;
  std::vector<float> scores;
  for (const std::vector<engine::Answer>& of_image : result.answers) {
    captions.push_back(of_image.front().text);
    scores.push_back(of_image.front().score);
  }
  const std::vector<int64_t> shape{static_cast<int64_t>(captions.size())};
  return {protocol::BytesOutput("caption", shape, std::move(captions)), protocol::Fp32Output("score", shape, scores)};
}

}  // namespace pawsight::server
