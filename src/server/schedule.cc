#include "server/schedule.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <tuple>

namespace pawsight::server {
namespace {

using Level = size_t;  // a priority as an index

Level LevelOf(Priority priority) { return static_cast<Level>(priority); }

Nanos OrderDeadline(const Waiting& w, const ScheduleOptions& options) {
  return std::min(w.deadline, w.arrival + options.order_horizon);
}

/// What waits and may be chosen, a list a priority, each in its order.
struct Candidates {
  std::array<std::vector<int>, kNumPriorities> levels;
  std::array<size_t, kNumPriorities> next{};

  bool Has(Level level) const { return next[level] < levels[level].size(); }
  bool Any() const { return Has(0) || Has(1) || Has(2); }
};

/// Canaries go to the front of the first list. `late`: whether work cannot make its deadline any more.
template <typename Late>
void Sort(Candidates& candidates, std::span<const Waiting> waiting, const ScheduleOptions& options, const Late& late) {
  const auto key = [&](int i) {
    const Waiting& w = waiting[static_cast<size_t>(i)];
    return std::tuple(!w.canary, late(w), OrderDeadline(w, options), w.order);
  };
  for (std::vector<int>& level : candidates.levels) {
    std::sort(level.begin(), level.end(), [&](int a, int b) { return key(a) < key(b); });
  }
}

/// The priority whose turn it is; some list is not empty.
Level TurnOf(const Candidates& candidates, const Turns& turns, const ScheduleOptions& options) {
  Level turn = 0;
  while (!candidates.Has(turn)) ++turn;
  const Level first = turn;
  for (Level level = first + 1; level < kNumPriorities; ++level) {
    if (candidates.Has(level) && turns[level] >= options.turn_every - 1 &&
        (turn == first || turns[level] > turns[turn]))
      turn = level;
  }
  return turn;
}

void TakeTurn(Turns& turns, const Candidates& candidates, Level taken) {
  turns[taken] = 0;
  for (Level level = 1; level < kNumPriorities; ++level) {
    if (level != taken && candidates.Has(level)) ++turns[level];
    if (!candidates.Has(level)) turns[level] = 0;
  }
}

bool Contains(const std::vector<uint64_t>& frames, uint64_t frame) {
  return std::find(frames.begin(), frames.end(), frame) != frames.end();
}

/// A batch as it is put together.
struct Draft {
  std::vector<uint64_t> frames;
  int64_t questions = 0;
  Nanos tightest = kNever;  // of deadlines that can be met
  Nanos oldest_ready = kNever;
  Nanos newest_ready{0};
  bool canary = false;
};

/// How long a batch that could run now had better wait for company; in the past: not at all.
Nanos WorthWaiting(const Draft& draft, int num_coming, const ServiceEstimate& estimate, const ScheduleOptions& options,
                   Nanos now) {
  const double saved = estimate.Fixed();
  if (saved <= 0 || draft.canary) return Nanos{0};
  if (num_coming == 0 && !estimate.interval.known()) return Nanos{0};
  const double expected = estimate.decode.mean() + (num_coming > 0 ? 0.0 : estimate.interval.mean());
  if (expected > saved) return Nanos{0};
  const Nanos until =
      std::min(draft.oldest_ready + options.max_queue_delay, draft.newest_ready + FromSeconds(2 * expected));
  const Nanos then = estimate.Batch(static_cast<int>(draft.frames.size()) + 1, draft.questions + 1);
  if (draft.tightest != kNever && until + then > draft.tightest) return Nanos{0};
  return until > now ? until : Nanos{0};
}

/// Fills the draft with different frames, in order and by turns.
void PickFrames(std::span<const Waiting> waiting, Candidates& candidates, const ServiceEstimate& estimate,
                const ScheduleOptions& options, Nanos now, Draft& draft, BatchChoice& choice) {
  const auto most = static_cast<size_t>(estimate.UsefulBatch(options.max_batch));
  uint64_t model = 0;
  while (candidates.Any() && draft.frames.size() < most) {
    const Level level = TurnOf(candidates, choice.turns, options);
    const int index = candidates.levels[level][candidates.next[level]++];
    const Waiting& w = waiting[static_cast<size_t>(index)];
    if (Contains(draft.frames, w.frame)) continue;  // comes along as company
    if (!draft.frames.empty()) {
      if (w.model != model) continue;
      const int64_t questions = draft.questions + w.num_questions;
      if (questions > options.max_batch_questions) continue;
      const Nanos end = now + estimate.Batch(static_cast<int>(draft.frames.size()) + 1, questions);
      if (draft.tightest != kNever && end > draft.tightest) break;
    }
    model = w.model;
    TakeTurn(choice.turns, candidates, level);
    draft.frames.push_back(w.frame);
    draft.questions += w.num_questions;
    if (now + estimate.Batch(1, w.num_questions) <= w.deadline) draft.tightest = std::min(draft.tightest, w.deadline);
    draft.oldest_ready = std::min(draft.oldest_ready, w.ready_since);
    draft.newest_ready = std::max(draft.newest_ready, w.ready_since);
    draft.canary = draft.canary || w.canary;
    choice.chosen.push_back(index);
  }
}

}  // namespace

Status CheckOptions(const ScheduleOptions& o) {
  const auto wrong = [](const char* what, const char* want) {
    return InvalidArgument(std::string(what) + ": want " + want, "option_out_of_range");
  };
  if (o.queue_limit < 32 || o.queue_limit > 65536) return wrong("queue_limit", "32..65536");
  if (o.request_limit < 1 || o.request_limit > 65536) return wrong("request_limit", "1..65536");
  if (o.bytes_limit < 1) return wrong("bytes_limit", "at least 1");
  if (o.max_batch < 1 || o.max_batch > 64) return wrong("max_batch", "1..64");
  if (o.max_batch_questions < 1) return wrong("max_batch_questions", "at least 1");
  if (o.turn_every < 2) return wrong("turn_every", "at least 2");
  if (o.max_queue_delay.count() < 0) return wrong("max_queue_delay", "0 or more");
  if (o.max_wait < o.shed_target) return wrong("max_wait", "at least shed_target");
  if (o.shed_target.count() <= 0 || o.shed_interval < o.shed_target) {
    return wrong("shed_target", "above 0 and at most shed_interval");
  }
  if (o.order_horizon.count() <= 0) return wrong("order_horizon", "above 0");
  if (o.default_timeout.count() <= 0 || o.max_timeout < o.default_timeout) {
    return wrong("default_timeout", "above 0 and at most max_timeout");
  }
  if (o.wedge_limit.count() <= 0) return wrong("wedge_limit", "above 0");
  if (o.min_retry.count() <= 0 || o.max_retry < o.min_retry) return wrong("min_retry", "above 0 and at most max_retry");
  return Ok();
}

BatchChoice ChooseBatch(std::span<const Waiting> waiting, const Turns& turns, const ServiceEstimate& estimate,
                        const ScheduleOptions& options, Nanos now) {
  Candidates candidates;
  int num_coming = 0;
  for (size_t i = 0; i < waiting.size(); ++i) {
    const Waiting& w = waiting[i];
    if (w.state == FrameState::kDecoding) ++num_coming;
    if (w.state != FrameState::kReady || w.deadline <= now) continue;
    candidates.levels[w.canary ? 0 : LevelOf(w.priority)].push_back(static_cast<int>(i));
  }
  BatchChoice choice{.turns = turns};
  if (!candidates.Any()) return choice;
  Sort(candidates, waiting, options,
       [&](const Waiting& w) { return now + estimate.Batch(1, w.num_questions) > w.deadline; });
  Draft draft;
  PickFrames(waiting, candidates, estimate, options, now, draft, choice);
  for (const std::vector<int>& level : candidates.levels) {
    for (const int index : level) {
      const Waiting& w = waiting[static_cast<size_t>(index)];
      if (!Contains(draft.frames, w.frame)) continue;
      if (std::find(choice.chosen.begin(), choice.chosen.end(), index) != choice.chosen.end()) continue;
      if (draft.questions + w.num_questions > options.max_batch_questions) continue;
      draft.questions += w.num_questions;
      choice.chosen.push_back(index);
    }
  }
  choice.num_frames = static_cast<int>(draft.frames.size());
  if (choice.num_frames < estimate.UsefulBatch(options.max_batch)) {
    const Nanos until = WorthWaiting(draft, num_coming, estimate, options, now);
    if (until > now) return {.turns = turns, .look_again = until};
  }
  return choice;
}

DecodeChoice ChooseDecode(std::span<const Waiting> waiting, const Turns& turns, int ahead,
                          const ScheduleOptions& options, Nanos now) {
  Candidates candidates;
  std::array<std::vector<uint64_t>, kNumPriorities> decoded;
  for (size_t i = 0; i < waiting.size(); ++i) {
    const Waiting& w = waiting[i];
    const Level level = w.canary ? 0 : LevelOf(w.priority);
    if (w.state == FrameState::kUndecoded) {
      if (w.deadline > now) candidates.levels[level].push_back(static_cast<int>(i));
    } else if (!w.canary && !Contains(decoded[level], w.frame)) {
      decoded[level].push_back(w.frame);
    }
  }
  int num_decoded = 0;
  for (Level level = 0; level < kNumPriorities; ++level) {
    num_decoded += static_cast<int>(decoded[level].size());
    if (num_decoded < ahead) continue;
    std::erase_if(candidates.levels[level], [&](int i) { return !waiting[static_cast<size_t>(i)].canary; });
  }
  DecodeChoice choice{.turns = turns};
  if (!candidates.Any()) return choice;
  Sort(candidates, waiting, options, [](const Waiting&) { return false; });
  const Level level = TurnOf(candidates, turns, options);
  choice.chosen = candidates.levels[level][candidates.next[level]++];
  TakeTurn(choice.turns, candidates, level);
  return choice;
}

Nanos ShedTarget(const ServiceEstimate& estimate, const ScheduleOptions& options) {
  const int frames = estimate.UsefulBatch(options.max_batch);
  const auto questions = static_cast<int64_t>(std::llround(frames * estimate.questions.mean()));
  return std::max(options.shed_target, 2 * estimate.Batch(frames, questions));
}

Nanos ShedInterval(const ServiceEstimate& estimate, const ScheduleOptions& options) {
  return std::max(options.shed_interval, 5 * ShedTarget(estimate, options));
}

ShedState AfterStart(ShedState state, Nanos waited, const ServiceEstimate& estimate, const ScheduleOptions& options,
                     Nanos now) {
  if (waited <= ShedTarget(estimate, options)) {
    state.above_since = kNever;
  } else if (state.above_since == kNever) {
    state.above_since = now;
  } else if (!state.shedding && now - state.above_since >= ShedInterval(estimate, options)) {
    state.shedding = true;
    state.last_refusal = now;
  }
  return state;
}

Nanos ExpectedWait(const LoadView& load, Priority priority, const ServiceEstimate& estimate,
                   const ScheduleOptions& options, Nanos now) {
  int frames = 0;
  int64_t questions = 0;
  for (Level level = 0; level <= LevelOf(priority); ++level) {
    frames += load.frames[level];
    questions += load.questions[level];
  }
  const int batch = estimate.UsefulBatch(options.max_batch);
  const int batches = (frames + batch - 1) / batch;
  const Nanos work = estimate.Batch(frames, questions) + FromSeconds(estimate.Fixed()) * std::max(batches - 1, 0);
  const Nanos busy = load.num_running < load.num_runners ? Nanos{0} : std::max(load.next_free - now, Nanos{0});
  Nanos wait = frames == 0 ? Nanos{0} : work / load.num_runners;
  for (Level level = 0; level < LevelOf(priority); ++level) {
    if (load.shed[level].above_since == kNever && !load.shed[level].shedding) continue;
    const int turns = load.frames[LevelOf(priority)] * options.turn_every;
    wait = std::max(wait, estimate.Batch(1, 1) * turns / load.num_runners);
  }
  return busy + wait;
}

Nanos RetryAfter(const LoadView& load, const ServiceEstimate& estimate, const ScheduleOptions& options, Nanos now) {
  const Nanos all = ExpectedWait(load, Priority::kLow, estimate, options, now);
  const Nanos least = std::clamp(all, options.min_retry, options.max_retry);
  return least + least * static_cast<int64_t>(load.salt % 64) / 64;
}

Admission Admit(const LoadView& load, const Newcomer& newcomer, const ServiceEstimate& estimate,
                const ScheduleOptions& options, Nanos now) {
  Admission admission{.expected_wait = ExpectedWait(load, newcomer.priority, estimate, options, now)};
  const auto refuse = [&](Refusal why) {
    admission.refusal = why;
    admission.retry_after = RetryAfter(load, estimate, options, now);
    return admission;
  };
  if (load.draining) return refuse(Refusal::kDraining);
  if (newcomer.canary) return admission;
  if (load.wedged) return refuse(Refusal::kWedged);
  if (load.num_requests >= options.request_limit) return refuse(Refusal::kRequestLimit);
  const int waiting = std::accumulate(load.parts.begin(), load.parts.end(), 0);
  const int eighths = 8 - static_cast<int>(LevelOf(newcomer.priority));
  if (waiting + newcomer.frames > options.queue_limit * eighths / 8) return refuse(Refusal::kQueueFull);
  if (load.bytes + newcomer.bytes > options.bytes_limit) return refuse(Refusal::kBytesFull);
  const ShedState& shed = load.shed[LevelOf(newcomer.priority)];
  const bool idle = waiting == 0 && load.num_running < load.num_runners;
  admission.found_idle = idle;
  if (!idle && newcomer.deadline != kNever) {
    const Nanos service = FromSeconds(estimate.decode.mean()) + estimate.Batch(newcomer.frames, newcomer.questions);
    if (now + admission.expected_wait + service > newcomer.deadline) return refuse(Refusal::kDeadline);
  }
  if (!idle && admission.expected_wait > options.max_wait) return refuse(Refusal::kOverloaded);
  if (shed.shedding) {
    admission.leave_shedding = now - shed.last_refusal >= ShedInterval(estimate, options);
    const bool soon = admission.expected_wait <= ShedTarget(estimate, options) ||
                      load.parts[LevelOf(newcomer.priority)] < load.num_runners;
    if (!idle && !soon && !admission.leave_shedding) return refuse(Refusal::kOverloaded);
  }
  return admission;
}

}  // namespace pawsight::server
