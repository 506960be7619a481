#include "server/queue.h"

#include <algorithm>
#include <string>

namespace pawsight::server {
namespace {

size_t LevelOf(Priority priority) { return static_cast<size_t>(priority); }

Status RefusalStatus(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone:
      break;
    case Refusal::kRequestLimit:
      return ResourceExhausted("full: as many requests are under way as may", "request_limit");
    case Refusal::kQueueFull:
      return ResourceExhausted("full: as many frames wait as may", "queue_full");
    case Refusal::kBytesFull:
      return ResourceExhausted("full: as many bytes are held as may", "bytes_full");
    case Refusal::kDeadline:
      return ResourceExhausted("busy: would not be answered by its deadline", "deadline");
    case Refusal::kOverloaded:
      return ResourceExhausted("busy: work waits too long", "overloaded");
    case Refusal::kWedged:
      return Unavailable("the engine does not come back", "wedged");
    case Refusal::kDraining:
      return Unavailable("stopping: takes no more work", "draining");
  }
  CHECK(false);
}

}  // namespace

Queue::Queue(const ScheduleOptions& options, int num_runners, Counters& counters)
    : options_(options), num_runners_(num_runners), counters_(counters) {
  CHECK(CheckOptions(options).ok() && num_runners >= 1);
}

void Queue::SetEngine(std::shared_ptr<Engine> engine) {
  engine_ = std::move(engine);
  ++model_;
}

FramePtr Queue::Find(const Fingerprint& print) const {
  const auto found = listed_.find(print);
  return found == listed_.end() ? nullptr : found->second;
}

LoadView Queue::Load(Nanos now) const {
  LoadView load = load_;
  load.num_requests = static_cast<int>(live_.size());
  load.num_runners = num_runners_;
  load.num_running = static_cast<int>(running_.size());
  load.next_free = kNever;
  load.wedged = load.num_running == num_runners_;
  for (const Running& running : running_) {
    load.next_free = std::min(load.next_free, running.expected_end);
    load.wedged = load.wedged && now - running.started > options_.wedge_limit;
  }
  load.draining = draining_;
  load.salt = next_id_ * 0x9E3779B97F4A7C15ULL >> 32U;
  return load;
}

void Queue::Add(const RequestPtr& request, std::span<const Arrival> arrivals, Nanos now) {
  const VqaWork& work = request->work;
  request->id = next_id_++;
  request->arrival = work.arrival.count() == 0 ? now : std::min(work.arrival, now);
  request->deadline = work.deadline == kNever ? request->arrival + options_.default_timeout
                                              : std::min(work.deadline, request->arrival + options_.max_timeout);
  int questions = 0;
  for (size_t image = 0; image < work.images.size(); ++image) {
    request->bytes += work.images[image].view.size();
    questions += static_cast<int>(work.QuestionsOf(image).size());
  }
  const int frames = static_cast<int>(work.images.size());
  if (!work.canary) {
    if (last_arrival_ != kNever) {
      estimate_.interval.Add(std::min(Seconds(now - last_arrival_), 10.0) / frames);
    }
    last_arrival_ = now;
    estimate_.questions.Add(static_cast<double>(questions) / frames);
  }
  if (request->deadline <= now)
    return End(*request, Outcome::kExpired, DeadlineExceeded("deadline: passed already"), now);
  const Newcomer newcomer{frames, questions, request->bytes, work.priority, request->deadline, work.canary};
  const Admission admission = Admit(Load(now), newcomer, estimate_, options_, now);
  ShedState& shed = load_.shed[LevelOf(work.priority)];
  if (admission.refusal == Refusal::kOverloaded) shed.last_refusal = now;
  if (admission.leave_shedding) shed = {};
  if (admission.found_idle) shed.above_since = kNever;
  if (admission.refusal != Refusal::kNone) {
    request->result.refusal = admission.refusal;
    request->result.retry_after = admission.retry_after;
    return End(*request, Outcome::kRefused, RefusalStatus(admission.refusal), now);
  }
  Accept(request, arrivals, now);
}

void Queue::Reject(const RequestPtr& request, Outcome outcome, const Status& status, Nanos now) {
  request->arrival = request->work.arrival.count() == 0 ? now : std::min(request->work.arrival, now);
  End(*request, outcome, status, now);
}

void Queue::Accept(const RequestPtr& request, std::span<const Arrival> arrivals, Nanos now) {
  live_.emplace(request->id, request);
  deadlines_.emplace(request->deadline, request->id);
  load_.bytes += request->bytes;
  request->parts_left = static_cast<int>(arrivals.size());
  request->result.answers.resize(arrivals.size());
  std::vector<FramePtr> frames;
  for (size_t image = 0; image < arrivals.size(); ++image) {
    frames.push_back(FrameFor(arrivals[image], frames, request->work.canary));
    PushWaiting(request, image, frames.back(), now);
  }
}

FramePtr Queue::FrameFor(const Arrival& arrival, const std::vector<FramePtr>& earlier, bool canary) {
  arrival.fresh->id = next_id_++;
  if (canary) return arrival.fresh;
  const auto [place, first] = listed_.emplace(arrival.fresh->print, arrival.fresh);
  if (first) {
    arrival.fresh->listed = true;
    return arrival.fresh;
  }
  FramePtr& there = place->second;
  if (there->model != 0 && there->model != model_) {  // decoded for a model that was replaced: that one is to end
    there->listed = false;
    there = arrival.fresh;
    there->listed = true;
    return there;
  }
  if (there == arrival.same) return there;
  if (arrival.twin >= 0) return earlier[static_cast<size_t>(arrival.twin)];
  return arrival.fresh;  // nobody compared the bytes, or they differ: it stays alone
}

void Queue::PushWaiting(const RequestPtr& request, size_t image, const FramePtr& frame, Nanos now) {
  const VqaWork& work = request->work;
  Waiting waiting{.order = next_id_++,
                  .frame = frame->id,
                  .model = frame->model,
                  .arrival = request->arrival,
                  .deadline = request->deadline,
                  .ready_since = frame->state == FrameState::kReady ? now : Nanos{0},
                  .num_questions = static_cast<int>(work.QuestionsOf(image).size()),
                  .priority = work.priority,
                  .state = frame->state,
                  .canary = work.canary};
  waiting_.push_back(waiting);
  parts_.push_back({request, image, frame});
  ++request->num_waiting;
  ++frame->users;
  if (frame->num_waiting++ == 0) {
    frame->counted_as = work.priority;
    ++load_.frames[LevelOf(work.priority)];
  }
  ++load_.parts[LevelOf(work.priority)];
  load_.questions[LevelOf(work.priority)] += waiting.num_questions;
}

Part Queue::TakeWaiting(size_t index) {
  const Waiting waiting = waiting_[index];
  Part part = std::move(parts_[index]);
  waiting_[index] = waiting_.back();
  waiting_.pop_back();
  if (index + 1 < parts_.size()) parts_[index] = std::move(parts_.back());
  parts_.pop_back();
  --part.request->num_waiting;
  if (--part.frame->num_waiting == 0) --load_.frames[LevelOf(part.frame->counted_as)];
  --load_.parts[LevelOf(waiting.priority)];
  load_.questions[LevelOf(waiting.priority)] -= waiting.num_questions;
  return part;
}

void Queue::SetState(Frame& frame, FrameState state, Nanos now) {
  frame.state = state;
  if (frame.num_waiting == 0) return;
  for (Waiting& waiting : waiting_) {
    if (waiting.frame != frame.id) continue;
    waiting.state = state;
    waiting.model = frame.model;
    if (state == FrameState::kReady) waiting.ready_since = now;
  }
}

FramePtr Queue::NextDecode(Nanos now) {
  if (engine_ == nullptr) return nullptr;
  const int ahead = (num_runners_ + 1) * options_.max_batch;
  const DecodeChoice choice = ChooseDecode(waiting_, decode_turns_, ahead, options_, now);
  decode_turns_ = choice.turns;
  if (choice.chosen < 0) return nullptr;
  FramePtr frame = parts_[static_cast<size_t>(choice.chosen)].frame;
  frame->engine = engine_;
  frame->model = model_;
  SetState(*frame, FrameState::kDecoding, now);
  return frame;
}

void Queue::Decoded(const FramePtr& frame, Result<std::vector<float>> pixels, Nanos took, Nanos now) {
  counters_.Decoded(pixels.ok());
  estimate_.decode.Add(Seconds(took));
  frame->decode = took;
  if (pixels.ok()) {
    frame->pixels = std::move(pixels).value();
    return SetState(*frame, FrameState::kReady, now);
  }
  std::vector<Part> failed;
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].frame == frame) failed.push_back(parts_[i]);
  }
  for (const Part& part : failed) {
    const std::string where = "images[" + std::to_string(part.image) + "]";
    EndWithFault(*part.request, Annotate(pixels.status(), where), now);
  }
}

void Queue::NoteStarts(std::span<const Part> parts, Nanos now) {
  std::array<Nanos, kNumPriorities> least;
  least.fill(kNever);
  for (const Part& part : parts) {
    if (part.request->work.canary) continue;
    Nanos& least_here = least[LevelOf(part.request->work.priority)];
    least_here = std::min(least_here, now - part.request->arrival - part.frame->decode);
  }
  for (size_t level = 0; level < least.size(); ++level) {
    if (least[level] == kNever) continue;
    load_.shed[level] = AfterStart(load_.shed[level], least[level], estimate_, options_, now);
  }
}

std::optional<Batch> Queue::NextBatch(Nanos now, Nanos* look_again) {
  BatchChoice choice = ChooseBatch(waiting_, batch_turns_, estimate_, options_, now);
  *look_again = choice.look_again;
  batch_turns_ = choice.turns;
  if (choice.chosen.empty()) return std::nullopt;
  Batch batch{.id = next_id_++, .started = now, .num_frames = static_cast<size_t>(choice.num_frames)};
  int64_t questions = 0;
  // From the back, so that the entry that moves into a gap is never one that is still to be taken.
  std::sort(choice.chosen.begin(), choice.chosen.end(), std::greater<>());
  for (const int index : choice.chosen) {
    questions += waiting_[static_cast<size_t>(index)].num_questions;
    batch.parts.push_back(TakeWaiting(static_cast<size_t>(index)));
  }
  // Requests in the order in which they came.
  std::sort(batch.parts.begin(), batch.parts.end(), [](const Part& a, const Part& b) {
    return std::pair(a.request->id, a.image) < std::pair(b.request->id, b.image);
  });
  batch.engine = batch.parts.front().frame->engine;
  NoteStarts(batch.parts, now);
  for (const Part& part : batch.parts) {
    StageTimes& times = part.request->result.times;
    times.queue = std::max(now - part.request->arrival - part.frame->decode, Nanos{0});
    times.decode += part.frame->decode;
    if (part.frame->handle != nullptr || part.frame->state == FrameState::kEncoding) continue;
    SetState(*part.frame, FrameState::kEncoding, now);
    batch.to_encode.push_back(part.frame);
  }
  running_.push_back({batch.id, now, now + estimate_.Batch(static_cast<int>(batch.to_encode.size()), questions)});
  return batch;
}

std::vector<std::vector<float>> Queue::Encoded(Batch& batch, std::vector<Result<FrameHandle>> handles, Nanos took,
                                               Nanos now) {
  CHECK(handles.size() == batch.to_encode.size());
  std::vector<std::vector<float>> pixels;
  batch.encode = took;
  if (!handles.empty()) estimate_.encode.Add(static_cast<double>(handles.size()), Seconds(took));
  for (size_t i = 0; i < handles.size(); ++i) {
    Frame& frame = *batch.to_encode[i];
    SetState(frame, FrameState::kReady, now);
    if (handles[i].ok()) {
      frame.handle = std::move(handles[i]).value();
      frame.encode = took / static_cast<int64_t>(handles.size());
      pixels.push_back(std::move(frame.pixels));
      frame.pixels = {};
      continue;
    }
    for (const Part& part : batch.parts) {
      if (part.frame.get() != &frame) continue;
      EndWithFault(*part.request, Annotate(handles[i].status(), "images[" + std::to_string(part.image) + "]"), now);
    }
  }
  return pixels;
}

std::vector<bool> Queue::Wanted(const Batch& batch) const {
  std::vector<bool> wanted;
  for (const Part& part : batch.parts) wanted.push_back(!part.request->ended);
  return wanted;
}

void Queue::Answered(const Batch& batch, std::vector<Result<std::vector<engine::Answer>>> answers, size_t num_computed,
                     Nanos took, Nanos now) {
  CHECK(answers.size() == batch.parts.size());
  if (num_computed > 0) estimate_.ask.Add(static_cast<double>(num_computed), Seconds(took));
  const auto for_a_client = [&](const FramePtr& frame) {  // canaries are not what sharing is about
    return std::ranges::any_of(batch.parts,
                               [&](const Part& part) { return part.frame == frame && !part.request->work.canary; });
  };
  const auto encoded = static_cast<size_t>(std::ranges::count_if(batch.to_encode, for_a_client));
  counters_.BatchRan(batch.num_frames, encoded, num_computed, batch.encode, took);
  std::array<std::set<const Frame*>, engine::kNumHeads> frames_of;
  for (const Part& part : batch.parts) frames_of[static_cast<size_t>(part.model())].insert(part.frame.get());
  for (size_t model = 0; model < frames_of.size(); ++model) {
    if (frames_of[model].empty()) continue;
    counters_.BatchRanFor(static_cast<engine::Head>(model), frames_of[model].size(), batch.encode, took);
  }
  std::erase_if(running_, [&](const Running& running) { return running.id == batch.id; });
  for (size_t i = 0; i < answers.size(); ++i) {
    const Part& part = batch.parts[i];
    Request& request = *part.request;
    if (!request.ended && !answers[i].ok()) EndWithFault(request, answers[i].status(), now);
    if (!request.ended) {
      request.result.times.encode += part.frame->encode;
      request.result.times.ask += took;
      request.result.answers[part.image] = std::move(answers[i]).value();
      if (--request.parts_left == 0) End(request, Outcome::kOk, Ok(), now);
    }
    Release(part.frame);
  }
}

void Queue::Release(const FramePtr& frame) {
  if (--frame->users == 0 && frame->listed) listed_.erase(frame->print);
}

void Queue::End(Request& request, Outcome outcome, Status status, Nanos now) {
  if (request.ended) return;
  request.ended = true;
  for (size_t i = 0; request.num_waiting > 0 && i < parts_.size();) {
    if (parts_[i].request.get() != &request) {
      ++i;
      continue;
    }
    Release(TakeWaiting(i).frame);
  }
  WorkResult& result = request.result;
  result.outcome = outcome;
  result.status = std::move(status);
  result.times.total = now - request.arrival;
  if (outcome != Outcome::kOk) result.answers.clear();
  if (request.work.cancel != nullptr) (void)request.work.cancel->OnCancel(nullptr);
  finished_.push_back(
      {std::move(request.done), std::move(result), engine::HeadOf(request.work.ask.mode), request.work.canary});
  const auto live = live_.find(request.id);
  if (live == live_.end()) return;  // was never let in
  load_.bytes -= request.bytes;
  deadlines_.erase({request.deadline, request.id});
  live_.erase(live);  // last: `request` may die here
}

void Queue::EndWithFault(Request& request, Status status, Nanos now) {
  const bool own = status.code() == StatusCode::kInvalidArgument;
  End(request, own ? Outcome::kInvalid : Outcome::kFailed, std::move(status), now);
}

void Queue::Cancel(uint64_t id, Nanos now) {
  const auto live = live_.find(id);
  if (live == live_.end()) return;
  const RequestPtr request = live->second;
  End(*request, Outcome::kCancelled, Cancelled("cancelled by who asked"), now);
}

void Queue::Expire(Nanos now) {
  while (!deadlines_.empty() && NextDeadline() <= now) {
    const RequestPtr request = live_.at(deadlines_.begin()->second);
    End(*request, Outcome::kExpired, DeadlineExceeded("deadline: passed before it was answered"), now);
  }
}

void Queue::Abandon(const std::string& why, Nanos now) {
  while (!live_.empty()) {
    const RequestPtr request = live_.begin()->second;
    End(*request, Outcome::kFailed, Unavailable(why), now);
  }
}

Health Queue::health(Nanos now) const {
  Health health{.queue_length = static_cast<int>(waiting_.size()),
                .queue_limit = options_.queue_limit,
                .bytes = load_.bytes,
                .bytes_limit = options_.bytes_limit,
                .num_requests = static_cast<int>(live_.size()),
                .num_running = static_cast<int>(running_.size()),
                .num_runners = num_runners_,
                .draining = draining_};
  for (const Waiting& waiting : waiting_)
    health.oldest_waiting_age = std::max(health.oldest_waiting_age, now - waiting.arrival);
  for (const Running& running : running_)
    health.oldest_running_age = std::max(health.oldest_running_age, now - running.started);
  health.wedged = health.oldest_running_age > options_.wedge_limit;
  for (size_t level = 0; level < health.shedding.size(); ++level) health.shedding[level] = load_.shed[level].shedding;
  return health;
}

}  // namespace pawsight::server
