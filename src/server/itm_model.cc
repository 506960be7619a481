#include "server/itm_model.h"

#include <limits>
#include <utility>

namespace pawsight::server {
namespace {

protocol::ModelMetadata ItmMetadata(std::string version) {
  using protocol::Datatype;
  return {"itm",
          {std::move(version)},
          "pawsight_blip",
          {{"image", Datatype::kBytes, {-1}}, {"text", Datatype::kBytes, {-1}}},
          {{"p_match", Datatype::kFp32, {-1, -1}}, {"cosine", Datatype::kFp32, {-1, -1}}}};
}

}  // namespace

ItmModel::ItmModel(std::string version, Batcher& batcher, std::function<bool()> ready, const RequestLimits& limits)
    : BatchedModel(ItmMetadata(std::move(version)), engine::Head::kItm, batcher, std::move(ready), limits) {}

Status ItmModel::ReadWork(const protocol::InferRequest& request, VqaWork* work) const {
  work->ask.mode = engine::Mode::kMatch;
  return ReadTextLists(*request.Find("text"), work->images.size(), limits(), &work->questions);
}

std::vector<protocol::OutputTensor> ItmModel::Outputs(const WorkResult& result) const {
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> p_match, cosine;
  for (const std::vector<engine::Answer>& of_image : result.answers) {
    for (const engine::Answer& answer : of_image) {
      p_match.push_back(answer.p_yes.value_or(kNone));
      cosine.push_back(answer.cosine.value_or(kNone));
    }
  }
  const std::vector<int64_t> shape{static_cast<int64_t>(result.answers.size()),
                                   static_cast<int64_t>(result.answers.front().size())};
  return {protocol::Fp32Output("p_match", shape, p_match), protocol::Fp32Output("cosine", shape, cosine)};
}

}  // namespace pawsight::server
