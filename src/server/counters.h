// server/counters.h: what the inference tier has done, as numbers: outcomes, how long each stage took, how large
// batches were, how much was shared. Only numbers: no pixels, questions or answers. Not here: writing them for a
// scraper (server/exposition.h). Thread-safe and lock-free; a snapshot taken while others count may be one event apart
// in places.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "server/work.h"

namespace pawsight::server {

/// Counts values in buckets whose upper bounds double: first, 2 first, 4 first..; the last has no bound.
template <int kBuckets>
struct HistogramView {
  uint64_t first = 1;                           // the first bucket's bound, in the unit of what is counted
  std::array<uint64_t, kBuckets + 1> counts{};  // not cumulative
  uint64_t sum = 0;

  uint64_t Count() const {
    uint64_t all = 0;
    for (const uint64_t count : counts) all += count;
    return all;
  }
};

template <int kBuckets>
class Histogram {
 public:
  explicit Histogram(uint64_t first) : first_(first) {}
  void Add(uint64_t value) {
    int bucket = 0;
    for (uint64_t bound = first_; bucket < kBuckets && value > bound; bound *= 2) ++bucket;
    counts_[static_cast<size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }
  HistogramView<kBuckets> View() const {
    HistogramView<kBuckets> view{.first = first_};
    for (size_t i = 0; i < counts_.size(); ++i) view.counts[i] = counts_[i].load(std::memory_order_relaxed);
    view.sum = sum_.load(std::memory_order_relaxed);
    return view;
  }

 private:
  const uint64_t first_;
  std::array<std::atomic<uint64_t>, kBuckets + 1> counts_{};
  std::atomic<uint64_t> sum_{0};
};

enum class Stage : uint8_t { kQueue, kDecode, kEncode, kAsk, kTotal };
inline constexpr int kNumStages = 5;
inline constexpr std::array<std::string_view, kNumStages> kStageNames = {"queue", "decode", "encode", "ask", "total"};

inline constexpr int kTimeBuckets = 21;  // 100 us, 200 us .. 105 s
inline constexpr int kSizeBuckets = 9;   // 1, 2 .. 256
inline constexpr int kMaxCountedBatch = 64;

/// Batches of one size, as Triton's statistics have them.
struct BatchRow {
  uint64_t count = 0;
  uint64_t encode_ns = 0;
  uint64_t ask_ns = 0;
};

/// What the protocol's statistics say of one model, canaries left out. A batch in which several had work counts for
/// each of them, with its own frames and the whole time.
struct ModelView {
  uint64_t ok = 0;
  uint64_t not_ok = 0;
  uint64_t failed_ns = 0;                                // total time of requests that were accepted and did not end ok
  std::array<uint64_t, kNumStages> stage_ns{};           // of those that ended ok
  uint64_t frames = 0;                                   // answered about, each request's counted
  int64_t last_ok_unix_ms = 0;                           // when a request last ended ok; 0: none yet
  std::array<BatchRow, kMaxCountedBatch + 1> batches{};  // by frames; the last: that many or more
};

struct CountersView {
  std::array<uint64_t, kNumOutcomes> requests{};  // canaries not among them
  std::array<uint64_t, kNumRefusals> refusals{};
  std::array<uint64_t, kNumOutcomes> canaries{};
  /// Nanoseconds of requests that ended ok.
  std::array<HistogramView<kTimeBuckets>, kNumStages> stages{};
  HistogramView<kSizeBuckets> batch_frames;
  HistogramView<kSizeBuckets> frame_questions;
  uint64_t frames = 0;              // answered about, each request's counted
  uint64_t frames_encoded = 0;      // that the image encoder saw
  uint64_t questions = 0;           // answered, each request's counted
  uint64_t questions_computed = 0;  // that the engine was asked
  uint64_t engine_ns = 0;  // that batches took in the engine, canaries' too
  uint64_t decodes = 0;
  uint64_t decode_failures = 0;
  std::array<ModelView, engine::kNumHeads> models{};  // by engine::Head

  /// When a request last ended ok; 0: none yet.
  int64_t LastOkUnixMs() const {
    int64_t last = 0;
    for (const ModelView& model : models) last = std::max(last, model.last_ok_unix_ms);
    return last;
  }
  /// Frames answered about for each one encoded; 1: nothing was shared, 0: nothing was encoded.
  double SharingRatio() const {
    return frames_encoded == 0 ? 0 : static_cast<double>(frames) / static_cast<double>(frames_encoded);
  }
};

class Counters {
 public:
  /// `model`: which the work was for.
  void Ended(const WorkResult& result, engine::Head model, bool canary, int64_t unix_ms) {
    auto& outcomes = canary ? canaries_ : requests_;
    Bump(outcomes[static_cast<size_t>(result.outcome)]);
    if (canary) return;
    Model& own = models_[static_cast<size_t>(model)];
    Bump(result.outcome == Outcome::kOk ? own.ok : own.not_ok);
    if (result.outcome == Outcome::kRefused) return Bump(refusals_[static_cast<size_t>(result.refusal)]);
    const StageTimes& t = result.times;
    if (result.outcome != Outcome::kOk) return Bump(own.failed_ns, Ns(t.total));
    const std::array<Nanos, kNumStages> times = {t.queue, t.decode, t.encode, t.ask, t.total};
    for (size_t stage = 0; stage < kNumStages; ++stage) {
      stages_[stage].Add(Ns(times[stage]));
      Bump(own.stage_ns[stage], Ns(times[stage]));
    }
    for (const auto& answers : result.answers) {
      frame_questions_.Add(answers.size());
      Bump(questions_, answers.size());
    }
    Bump(frames_, result.answers.size());
    Bump(own.frames, result.answers.size());
    own.last_ok_unix_ms.store(unix_ms, std::memory_order_relaxed);
  }
  void Decoded(bool ok) {
    Bump(decodes_);
    if (!ok) Bump(decode_failures_);
  }
  /// A batch about `frames` different frames, of which `encoded` were encoded in it for somebody else than a canary.
  void BatchRan(size_t frames, size_t encoded, size_t questions_computed, Nanos encode, Nanos ask) {
    batch_frames_.Add(frames);
    Bump(engine_ns_, Ns(encode) + Ns(ask));
    Bump(frames_encoded_, encoded);
    Bump(questions_computed_, questions_computed);
  }
  /// The same batch, once for each model that had work in it: about `frames` different frames.
  void BatchRanFor(engine::Head model, size_t frames, Nanos encode, Nanos ask) {
    Row& row = models_[static_cast<size_t>(model)].batches[frames < kMaxCountedBatch ? frames : kMaxCountedBatch];
    Bump(row.count);
    Bump(row.encode_ns, Ns(encode));
    Bump(row.ask_ns, Ns(ask));
  }

  CountersView View() const {
    CountersView view;
    Copy(requests_, view.requests);
    Copy(refusals_, view.refusals);
    Copy(canaries_, view.canaries);
    for (size_t i = 0; i < stages_.size(); ++i) view.stages[i] = stages_[i].View();
    view.batch_frames = batch_frames_.View();
    view.frame_questions = frame_questions_.View();
    for (size_t i = 0; i < models_.size(); ++i) view.models[i] = models_[i].View();
    view.frames = Load(frames_);
    view.frames_encoded = Load(frames_encoded_);
    view.questions = Load(questions_);
    view.questions_computed = Load(questions_computed_);
    view.engine_ns = Load(engine_ns_);
    view.decodes = Load(decodes_);
    view.decode_failures = Load(decode_failures_);
    return view;
  }

 private:
  using Count = std::atomic<uint64_t>;
  struct Row {
    Count count{0};
    Count encode_ns{0};
    Count ask_ns{0};
  };
  struct Model {
    ModelView View() const {
      ModelView view{Load(ok), Load(not_ok), Load(failed_ns),
                     {},       Load(frames), last_ok_unix_ms.load(std::memory_order_relaxed)};
      Copy(stage_ns, view.stage_ns);
      for (size_t i = 0; i < batches.size(); ++i) {
        view.batches[i] = {Load(batches[i].count), Load(batches[i].encode_ns), Load(batches[i].ask_ns)};
      }
      return view;
    }
    Count ok{0};
    Count not_ok{0};
    Count failed_ns{0};
    Count frames{0};
    std::array<Count, kNumStages> stage_ns{};
    std::atomic<int64_t> last_ok_unix_ms{0};
    std::array<Row, kMaxCountedBatch + 1> batches{};
  };
  static uint64_t Ns(Nanos time) { return time.count() > 0 ? static_cast<uint64_t>(time.count()) : 0; }
  static void Bump(Count& count, uint64_t by = 1) { count.fetch_add(by, std::memory_order_relaxed); }
  static uint64_t Load(const Count& count) { return count.load(std::memory_order_relaxed); }
  template <size_t n>
  static void Copy(const std::array<Count, n>& from, std::array<uint64_t, n>& to) {
    for (size_t i = 0; i < n; ++i) to[i] = Load(from[i]);
  }
  static Histogram<kTimeBuckets> Times() { return Histogram<kTimeBuckets>(100'000); }

  std::array<Count, kNumOutcomes> requests_{};
  std::array<Count, kNumRefusals> refusals_{};
  std::array<Count, kNumOutcomes> canaries_{};
  std::array<Histogram<kTimeBuckets>, kNumStages> stages_{Times(), Times(), Times(), Times(), Times()};
  Histogram<kSizeBuckets> batch_frames_{1};
  Histogram<kSizeBuckets> frame_questions_{1};
  std::array<Model, engine::kNumHeads> models_{};
  Count frames_{0};
  Count frames_encoded_{0};
  Count questions_{0};
  Count questions_computed_{0};
  Count engine_ns_{0};
  Count decodes_{0};
  Count decode_failures_{0};
};

}  // namespace pawsight::server
