#include "server/vqa_model.h"

#include <cmath>
#include <limits>
#include <optional>
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

protocol::ModelConfig VqaConfig(const BatcherOptions& options) {
  const auto delay = std::chrono::duration_cast<std::chrono::microseconds>(options.schedule.max_queue_delay);
  return {.backend = "pawsight", .max_queue_delay = delay};
}

Status BadShape(const std::string& name, const std::string& want) {
  return InvalidArgument("input '" + name + "': shape: want " + want, "shape_invalid");
}

Status ReadQuestions(const InputTensor& input, size_t images, int max_questions,
                     std::vector<std::vector<std::string>>* questions) {
  const bool shared = input.shape.size() == 1;
  const bool own = input.shape.size() == 2 && static_cast<size_t>(input.shape[0]) == images;
  if (!shared && !own) return BadShape("question", "[Q], asked of every image, or [N,Q] with N images");
  const auto each = static_cast<size_t>(input.shape.back());
  if (each > static_cast<size_t>(max_questions)) {
    return BadShape("question", "at most " + std::to_string(max_questions) + " an image");
  }
  for (size_t from = 0; from < input.elements.size(); from += each) {
    const auto first = input.elements.begin() + static_cast<ptrdiff_t>(from);
    questions->emplace_back(first, first + static_cast<ptrdiff_t>(each));
  }
  return Ok();
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

/// The protocol's 0 is the model's default, 1 the first, larger ones later.
Priority ReadPriority(uint64_t priority) {
  if (priority == 1) return Priority::kHigh;
  return priority <= 2 ? Priority::kNormal : Priority::kLow;
}

protocol::InferResponse ToResponse(const protocol::ModelMetadata& metadata, const WorkResult& result) {
  const auto images = static_cast<int64_t>(result.answers.size());
  const auto questions = static_cast<int64_t>(result.answers.front().size());
  std::vector<std::string> words;
  std::vector<float> p_yes, score;
  for (const std::vector<engine::Answer>& of_image : result.answers) {
    for (const engine::Answer& answer : of_image) {
      words.push_back(answer.text);
      p_yes.push_back(answer.p_yes.value_or(std::numeric_limits<float>::quiet_NaN()));
      score.push_back(answer.score);
    }
  }
  protocol::InferResponse response{metadata.name, metadata.versions.front(), {}, {}};
  const std::vector<int64_t> shape{images, questions};
  response.outputs.push_back(protocol::BytesOutput("answer", shape, std::move(words)));
  response.outputs.push_back(protocol::Fp32Output("p_yes", shape, p_yes));
  response.outputs.push_back(protocol::Fp32Output("score", shape, score));
  return response;
}

/// A request under way: lives until it is answered, and passes the client's
/// leaving on.
struct Call {
  Model::Done done;
  std::shared_ptr<CancelToken> cancel;
  std::optional<std::stop_callback<std::function<void()>>> gone;
};

protocol::CountedTime Counted(uint64_t count, uint64_t nanoseconds) {
  return {count, std::chrono::nanoseconds(static_cast<int64_t>(nanoseconds))};
}

}  // namespace

Result<VqaWork> ToWork(std::shared_ptr<const InferRequest> request, const RequestContext& context,
                       const VqaLimits& limits) {
  VqaWork work;
  const InputTensor& image = *request->Find("image");
  if (image.shape.size() != 1 || image.elements.size() > static_cast<size_t>(limits.max_images)) {
    return BadShape("image", "[N] with N of 1.." + std::to_string(limits.max_images));
  }
  for (const std::string_view bytes : image.elements) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as
    // bytes
    work.images.push_back({request, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}});
  }
  PAWSIGHT_RETURN_IF_ERROR(
      ReadQuestions(*request->Find("question"), image.elements.size(), limits.max_questions, &work.questions));
  PAWSIGHT_RETURN_IF_ERROR(ReadMode(*request, &work.ask));
  work.priority = ReadPriority(request->priority);
  work.arrival = context.arrival;
  work.deadline = context.deadline;
  return work;
}

VqaModel::VqaModel(std::string version, Batcher& batcher, std::function<bool()> ready, const VqaLimits& limits)
    : batcher_(batcher),
      ready_(std::move(ready)),
      limits_(limits),
      metadata_(VqaMetadata(std::move(version))),
      config_(VqaConfig(batcher.options())) {}

void VqaModel::Infer(std::shared_ptr<const InferRequest> request, const RequestContext& context, Done done) {
  Result<VqaWork> work = ToWork(std::move(request), context, limits_);
  if (!work.ok()) return done(work.status());
  RequestNotes* const notes = context.notes;
  if (notes != nullptr) {
    notes->images = work->images.size();
    for (size_t image = 0; image < work->images.size(); ++image) notes->questions += work->QuestionsOf(image).size();
  }
  const auto call = std::make_shared<Call>();
  call->done = std::move(done);
  call->cancel = std::make_shared<CancelToken>();
  work->cancel = call->cancel;
  if (context.gone.stop_possible()) call->gone.emplace(context.gone, [token = call->cancel] { token->Cancel(); });
  batcher_.Submit(*std::move(work), [this, call, notes](const WorkResult& result) {
    if (notes != nullptr) {
      notes->outcome = OutcomeName(result.outcome);
      notes->queue = result.times.queue;
    }
    if (result.outcome == Outcome::kOk) {
      call->done(ToResponse(metadata_, result));
    } else {
      call->done(result.status);
    }
  });
}

protocol::ModelStatistics VqaModel::Statistics() const {
  const CountersView counters = batcher_.counters();
  protocol::ModelStatistics out;
  out.name = metadata_.name;
  out.version = metadata_.versions.front();
  out.last_inference_ms = static_cast<uint64_t>(counters.last_ok_unix_ms);
  out.inference_count = counters.frames;
  const auto stage = [&](Stage s) {
    const auto& view = counters.stages[static_cast<size_t>(s)];
    return Counted(view.Count(), view.sum);
  };
  out.success = stage(Stage::kTotal);
  uint64_t failed = 0;
  for (const Outcome outcome :
       {Outcome::kCancelled, Outcome::kExpired, Outcome::kInvalid, Outcome::kFailed, Outcome::kRefused}) {
    failed += counters.requests[static_cast<size_t>(outcome)];
  }
  out.fail = Counted(failed, counters.failed_ns);
  out.queue = stage(Stage::kQueue);
  out.compute_input = stage(Stage::kDecode);
  const protocol::CountedTime encode = stage(Stage::kEncode), ask = stage(Stage::kAsk);
  out.compute_infer = {encode.count, encode.total + ask.total};
  out.compute_output = {encode.count, std::chrono::nanoseconds(0)};
  for (size_t frames = 0; frames < counters.batches.size(); ++frames) {
    const BatchRow& row = counters.batches[frames];
    if (row.count == 0) continue;
    out.execution_count += row.count;
    out.batches.push_back(
        {frames, Counted(row.count, 0), Counted(row.count, row.encode_ns + row.ask_ns), Counted(row.count, 0)});
  }
  return out;
}

}  // namespace pawsight::server
