#include "server/batched_model.h"

#include <optional>
#include <utility>

namespace pawsight::server {
namespace {

using protocol::InferRequest;
using protocol::InputTensor;

protocol::ModelConfig ConfigOf(const BatcherOptions& options) {
  const auto delay = std::chrono::duration_cast<std::chrono::microseconds>(options.schedule.max_queue_delay);
  return {.backend = "pawsight", .max_queue_delay = delay};
}

/// The protocol's 0 is the model's default, 1 the first, larger ones later.
Priority ReadPriority(uint64_t priority) {
  if (priority == 1) return Priority::kHigh;
  return priority <= 2 ? Priority::kNormal : Priority::kLow;
}

/// A request under way: lives until it is answered, and passes the client's leaving on.
struct Call {
  Model::Done done;
  std::shared_ptr<CancelToken> cancel;
  std::optional<std::stop_callback<std::function<void()>>> gone;
};

protocol::CountedTime Counted(uint64_t count, uint64_t nanoseconds) {
  return {count, std::chrono::nanoseconds(static_cast<int64_t>(nanoseconds))};
}

}  // namespace

Status BadShape(const std::string& name, const std::string& want) {
  return InvalidArgument("input '" + name + "': shape: want " + want, "shape_invalid");
}

Result<VqaWork> ImagesAsWork(std::shared_ptr<const InferRequest> request, const RequestContext& context,
                             const RequestLimits& limits) {
  VqaWork work;
  const InputTensor& image = *request->Find("image");
  if (image.shape.size() != 1 || image.elements.size() > static_cast<size_t>(limits.max_images)) {
    return BadShape("image", "[N] with N of 1.." + std::to_string(limits.max_images));
  }
  for (const std::string_view bytes : image.elements) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as bytes
    work.images.push_back({request, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}});
  }
  work.priority = ReadPriority(request->priority);
  work.arrival = context.arrival;
  work.deadline = context.deadline;
  return work;
}

Status ReadTextLists(const InputTensor& input, size_t num_images, const RequestLimits& limits,
                     std::vector<std::vector<std::string>>* lists) {
  const bool shared = input.shape.size() == 1;
  const bool own = input.shape.size() == 2 && static_cast<size_t>(input.shape[0]) == num_images;
  if (!shared && !own) return BadShape(input.name, "[Q], asked of every image, or [N,Q] with N images");
  const auto each = static_cast<size_t>(input.shape.back());
  if (each > static_cast<size_t>(limits.max_questions)) {
    return InvalidArgument("input '" + input.name + "': " + std::to_string(each) + " an image, want at most " +
                               std::to_string(limits.max_questions),
                           "too_many_questions");
  }
  for (size_t from = 0; from < input.elements.size(); from += each) {
    const auto first = input.elements.begin() + static_cast<ptrdiff_t>(from);
    lists->emplace_back(first, first + static_cast<ptrdiff_t>(each));
  }
  return Ok();
}

BatchedModel::BatchedModel(protocol::ModelMetadata metadata, engine::Head head, Batcher& batcher,
                           std::function<bool()> ready, const RequestLimits& limits)
    : metadata_(std::move(metadata)),
      config_(ConfigOf(batcher.options())),
      head_(head),
      batcher_(batcher),
      ready_(std::move(ready)),
      limits_(limits) {}

void BatchedModel::Infer(std::shared_ptr<const InferRequest> request, const RequestContext& context, Done done) {
  Result<VqaWork> work = ImagesAsWork(request, context, limits_);
  if (!work.ok()) return done(work.status());
  if (const Status status = ReadWork(*request, &*work); !status.ok()) return done(status);
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
      call->done(protocol::InferResponse{metadata_.name, metadata_.versions.front(), {}, Outputs(result)});
    } else {
      call->done(result.status);
    }
  });
}

protocol::ModelStatistics BatchedModel::Statistics() const {
  const CountersView counters = batcher_.counters();
  const ModelView& own = counters.models[static_cast<size_t>(head_)];
  protocol::ModelStatistics out;
  out.name = metadata_.name;
  out.version = metadata_.versions.front();
  out.last_inference_ms = static_cast<uint64_t>(own.last_ok_unix_ms);
  out.inference_count = own.frames;
  const auto stage = [&](Stage s) { return Counted(own.ok, own.stage_ns[static_cast<size_t>(s)]); };
  out.success = stage(Stage::kTotal);
  out.fail = Counted(own.not_ok, own.failed_ns);
  out.queue = stage(Stage::kQueue);
  out.compute_input = stage(Stage::kDecode);
  out.compute_infer = {own.ok, stage(Stage::kEncode).total + stage(Stage::kAsk).total};
  out.compute_output = {own.ok, std::chrono::nanoseconds(0)};
  for (size_t frames = 0; frames < own.batches.size(); ++frames) {
    const BatchRow& row = own.batches[frames];
    if (row.count == 0) continue;
    out.execution_count += row.count;
    out.batches.push_back(
        {frames, Counted(row.count, 0), Counted(row.count, row.encode_ns + row.ask_ns), Counted(row.count, 0)});
  }
  return out;
}

}  // namespace pawsight::server
