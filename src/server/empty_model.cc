#include "server/empty_model.h"

#include <utility>

namespace pawsight::server {
namespace {

constexpr int64_t kMaxAnswers = 4096;

using protocol::Datatype;
using protocol::InputTensor;

/// [N, Q], or what is wrong with the shapes.
Result<std::vector<int64_t>> AnswerShape(const protocol::InferRequest& request) {
  const InputTensor& image = *request.Find("image");
  const InputTensor& question = *request.Find("question");
  if (image.shape.size() != 1) return InvalidArgument("image: want the shape [N]", "shape_wrong");
  const int64_t num_images = image.shape[0];
  const bool shared = question.shape.size() == 1;
  if (shared && question.shape[0] > kMaxAnswers / num_images) {
    return InvalidArgument("question: want at most " + std::to_string(kMaxAnswers) + " answers", "too_many_answers");
  }
  if (shared) return std::vector<int64_t>{num_images, question.shape[0]};
  if (question.shape.size() == 2 && question.shape[0] == num_images) return question.shape;
  return InvalidArgument("question: want the shape [Q], or [N,Q] with the N of image", "shape_wrong");
}

}  // namespace

EmptyModel::EmptyModel(std::string name)
    : metadata_{std::move(name),
                {"1"},
                "pawsight_empty",
                {{"image", Datatype::kBytes, {-1}}, {"question", Datatype::kBytes, {-1}}},
                {{"answer", Datatype::kBytes, {-1, -1}}, {"p_yes", Datatype::kFp32, {-1, -1}}}},
      config_{.backend = "pawsight"} {}

protocol::ModelStatistics EmptyModel::Statistics() const {
  protocol::ModelStatistics statistics;
  statistics.name = metadata_.name;
  statistics.version = metadata_.versions.front();
  statistics.success.count = num_answered_.load(std::memory_order_relaxed);
  statistics.fail.count = num_failed_.load(std::memory_order_relaxed);
  statistics.inference_count = statistics.success.count;
  statistics.execution_count = statistics.success.count;
  return statistics;
}

void EmptyModel::Infer(std::shared_ptr<const protocol::InferRequest> request, const RequestContext& context,
                       Done done) {
  Result<std::vector<int64_t>> shape = AnswerShape(*request);
  if (!shape.ok()) {
    num_failed_.fetch_add(1, std::memory_order_relaxed);
    return done(shape.status());
  }
  num_answered_.fetch_add(1, std::memory_order_relaxed);
  size_t count = 1;
  for (const int64_t dim : *shape) count *= static_cast<size_t>(dim);
  if (context.notes != nullptr) {
    context.notes->outcome = OutcomeName(Outcome::kOk);
    context.notes->images = static_cast<size_t>(shape->front());
    context.notes->questions = count;
  }
  protocol::InferResponse response{metadata_.name, metadata_.versions.front(), {}, {}};
  if (request->Wants("answer")) {
    response.outputs.push_back(protocol::BytesOutput("answer", *shape, std::vector<std::string>(count, "unsure")));
  }
  if (request->Wants("p_yes")) {
    response.outputs.push_back(protocol::Fp32Output("p_yes", *shape, std::vector<float>(count, 0.5F)));
  }
  done(std::move(response));
}

}  // namespace pawsight::server
