#include "gateway/backends/inquiry_codec.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

namespace pawsight::gateway {
namespace {

using protocol::Datatype;
using protocol::OutputTensor;

/// The output of that name and type with `count` elements; nullptr when there is none of that name.
Result<const OutputTensor*> Find(const protocol::InferResponse& response, std::string_view name, Datatype datatype,
                                 size_t count) {
  const auto found = std::ranges::find(response.outputs, name, &OutputTensor::name);
  if (found == response.outputs.end()) return nullptr;
  const size_t got = datatype == Datatype::kBytes ? found->elements.size() : found->data.size() / sizeof(float);
  if (found->datatype == datatype && got == count) return &*found;
  return DataLoss("output '" + std::string(name) + "': want " + std::to_string(count) + " of " +
                      std::string(DatatypeName(datatype)),
                  "answer_malformed");
}

double NumberAt(const OutputTensor& output, size_t at) {
  float value = 0;
  std::memcpy(&value, output.data.data() + at * sizeof value, sizeof value);
  return static_cast<double>(value);
}

}  // namespace

Status CheckInquiry(const Inquiry& inquiry) {
  if (inquiry.encoded == nullptr || inquiry.encoded->empty())
    return InvalidArgument("the frame is empty", "image_empty");
  if (inquiry.questions.empty() || inquiry.questions.size() > kMaxQuestions) {
    return InvalidArgument("questions: want 1 to " + std::to_string(kMaxQuestions), "questions_invalid");
  }
  for (const std::string& question : inquiry.questions) {
    if (question.empty() || question.size() > kMaxQuestionBytes) {
      return InvalidArgument("questions: want 1 to " + std::to_string(kMaxQuestionBytes) + " bytes each",
                             "questions_invalid");
    }
  }
  return Ok();
}

std::shared_ptr<const protocol::InferRequest> ToRequest(std::shared_ptr<const Inquiry> inquiry,
                                                        const std::string& model) {
  auto request = std::make_shared<protocol::InferRequest>();
  request->model = model;
  request->id = inquiry->frame_id.substr(0, protocol::InferLimits{}.max_name_bytes);
  request->priority = static_cast<uint64_t>(std::max(inquiry->priority, 0));
  const std::vector<uint8_t>& image = *inquiry->encoded;
  protocol::InputTensor image_input{"image", Datatype::kBytes, {1}, {}, {}, {}};
  image_input.elements.emplace_back(reinterpret_cast<const char*>(image.data()), image.size());
  protocol::InputTensor question_input{
      "question", Datatype::kBytes, {static_cast<int64_t>(inquiry->questions.size())}, {}, {}, {}};
  question_input.elements.assign(inquiry->questions.begin(), inquiry->questions.end());
  request->inputs.push_back(std::move(image_input));
  request->inputs.push_back(std::move(question_input));
  request->binary_outputs = true;  // of all there are: not every model has a score
  request->owners.push_back(std::move(inquiry));
  return request;
}

Result<std::vector<Answer>> ToAnswers(const Inquiry& inquiry, const protocol::InferResponse& response) {
  const size_t count = inquiry.questions.size();
  PAWSIGHT_ASSIGN_OR_RETURN(const OutputTensor* texts, Find(response, "answer", Datatype::kBytes, count));
  PAWSIGHT_ASSIGN_OR_RETURN(const OutputTensor* p_yes, Find(response, "p_yes", Datatype::kFp32, count));
  PAWSIGHT_ASSIGN_OR_RETURN(const OutputTensor* scores, Find(response, "score", Datatype::kFp32, count));
  if (texts == nullptr || p_yes == nullptr) return DataLoss("want outputs answer and p_yes", "answer_malformed");
  std::vector<Answer> answers;
  answers.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    Answer answer{inquiry.questions[i], texts->elements[i], NumberAt(*p_yes, i), std::nullopt};
    if (std::isnan(answer.p_yes)) answer.p_yes = 0.5;
    if (answer.p_yes < 0 || answer.p_yes > 1 || answer.text.size() > kMaxAnswerBytes) {
      return DataLoss("answer " + std::to_string(i) + ": want a p_yes from 0 to 1 and at most " +
                          std::to_string(kMaxAnswerBytes) + " bytes",
                      "answer_malformed");
    }
    if (scores != nullptr) answer.score = NumberAt(*scores, i);
    answers.push_back(std::move(answer));
  }
  return answers;
}

}  // namespace pawsight::gateway
