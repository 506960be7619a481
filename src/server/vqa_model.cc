#include "server/vqa_model.h"

#include <limits>
#include <utility>
#include <vector>

namespace pawsight::server {
namespace {

using protocol::InferRequest;
using protocol::InputTensor;

protocol::ModelMetadata VqaMetadata(std::string version) {
  using protocol::Datatype;
  return {"vqa",
          {std::move(version)},
          "pawsight_blip",
          {{"image", Datatype::kBytes, {-1}},
           {"question", Datatype::kBytes, {-1}},
           {"mode", Datatype::kBytes, {1}, true},
           {"choices", Datatype::kBytes, {-1}, true}},
          {{"answer", Datatype::kBytes, {-1, -1}},
           {"p_yes", Datatype::kFp32, {-1, -1}},
           {"score", Datatype::kFp32, {-1, -1}}}};
}

Status ReadMode(const InferRequest& request, engine::AskOptions* ask) {
  if (const InputTensor* mode = request.Find("mode"); mode != nullptr) {
    if (mode->elements.size() != 1) return BadShape("mode", "[1]");
    const std::string_view word = mode->elements.front();
    if (word == "generate") {
      ask->mode = engine::Mode::kGenerate;
    } else if (word == "rank") {
      ask->mode = engine::Mode::kRank;
    } else if (word != "yesno") {
      return InvalidArgument("input 'mode': want yesno, generate or rank", "mode_unknown");
    }
  }
  const InputTensor* choices = request.Find("choices");
  if ((choices != nullptr) != (ask->mode == engine::Mode::kRank)) {
    return InvalidArgument("input 'choices': wanted with mode rank, and with no other", "choices_invalid");
  }
  if (choices != nullptr) ask->choices.assign(choices->elements.begin(), choices->elements.end());
  return Ok();
}

}  // namespace

VqaModel::VqaModel(std::string version, Batcher& batcher, std::function<bool()> ready, const RequestLimits& limits)
    : BatchedModel(VqaMetadata(std::move(version)), engine::Head::kVqa, batcher, std::move(ready), limits) {}

Status VqaModel::ReadWork(const InferRequest& request, VqaWork* work) const {
  PAWSIGHT_RETURN_IF_ERROR(ReadTextLists(*request.Find("question"), work->images.size(), limits(), &work->questions));
  return ReadMode(request, &work->ask);
}

std::vector<protocol::OutputTensor> VqaModel::Outputs(const WorkResult& result) const {
  const std::vector<int64_t> shape{static_cast<int64_t>(result.answers.size()),
                                   static_cast<int64_t>(result.answers.front().size())};
  std::vector<std::string> words;
  std::vector<float> p_yes, score;
  for (const std::vector<engine::Answer>& of_image : result.answers) {
    for (const engine::Answer& answer : of_image) {
      words.push_back(answer.text);
      p_yes.push_back(answer.p_yes.value_or(std::numeric_limits<float>::quiet_NaN()));
      score.push_back(answer.score);
    }
  }
  return {protocol::BytesOutput("answer", shape, std::move(words)), protocol::Fp32Output("p_yes", shape, p_yes),
          protocol::Fp32Output("score", shape, score)};
}

}  // namespace pawsight::server
