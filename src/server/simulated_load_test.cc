#include "server/simulated_load.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "server/fingerprint.h"

namespace pawsight::server::testing {
namespace {

class NoEngine : public Engine {
 public:
  Result<std::vector<float>> Preprocess(std::span<const uint8_t>) override { return std::vector<float>(1); }
  Result<std::vector<FrameHandle>> Look(std::span<const std::span<const float>>) override {
    return Internal("simulated");
  }
  Result<std::vector<engine::Answer>> Ask(std::span<const FrameQuestion>, const engine::AskOptions&) override {
    return Internal("simulated");
  }
  Status Check(const std::string&, engine::Mode) const override { return Ok(); }
};

}  // namespace

Nanos Tally::longest_wait() const { return waits.empty() ? Nanos{0} : *std::max_element(waits.begin(), waits.end()); }

Nanos Tally::Wait(double quantile) const {
  if (waits.empty()) return Nanos{0};
  std::vector<Nanos> sorted = waits;
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<size_t>(quantile * static_cast<double>(sorted.size() - 1))];
}

SimulatedLoad::SimulatedLoad(const ScheduleOptions& options, int num_runners, const EngineRecipe& engine, uint64_t seed)
    : options_(options),
      recipe_(engine),
      queue_(options, num_runners, counters_),
      rng_(seed),
      free_runners_(num_runners) {
  queue_.SetEngine(std::make_shared<NoEngine>());
}

SimulatedLoad::~SimulatedLoad() = default;

void SimulatedLoad::At(Nanos when, std::function<void()> what) { events_.emplace(when, std::move(what)); }

void SimulatedLoad::RunUntil(Nanos until) {
  while (true) {
    const Nanos deadline = queue_.NextDeadline();
    const Nanos event = events_.empty() ? kNever : events_.begin()->first;
    const Nanos next = std::min(deadline, event);
    if (next > until || next == kNever) break;
    now_ = std::max(now_, next);
    if (deadline <= event) {
      queue_.Expire(now_);
    } else {
      const auto what = std::move(events_.begin()->second);
      events_.erase(events_.begin());
      what();
    }
    Settle();
  }
  if (until != kNever) now_ = until;
}

void SimulatedLoad::Settle() {
  StartDecode();
  StartBatches();
  longest_queue_ = std::max(longest_queue_, queue_.health(now_).queue_length);
  for (Finished& finished : queue_.TakeFinished()) finished.done(std::move(finished.result));
}

void SimulatedLoad::StartDecode() {
  if (!decoder_free_) return;
  const FramePtr frame = queue_.NextDecode(now_);
  if (frame == nullptr) return;
  decoder_free_ = false;
  At(now_ + recipe_.decode, [this, frame] {
    decoder_free_ = true;
    queue_.Decoded(frame, std::vector<float>(1), recipe_.decode, now_);
  });
}

void SimulatedLoad::StartBatches() {
  while (free_runners_ > 0) {
    Nanos look_again = kNever;
    std::optional<Batch> next = queue_.NextBatch(now_, &look_again);
    if (!next) {
      if (look_again != kNever) At(look_again, [] {});
      return;
    }
    --free_runners_;
    auto batch = std::make_shared<Batch>(*std::move(next));
    std::set<std::pair<uint64_t, std::string>> questions;
    for (const Part& part : batch->parts) {
      EXPECT_GT(part.request->deadline, now_) << "expired work was started";
      EXPECT_FALSE(part.request->ended);
      for (const std::string& question : part.questions()) questions.emplace(part.frame->id, question);
    }
    const double stretch = 1 + recipe_.jitter * rng_.Uniform(-1, 1);
    const Nanos encode =
        FromSeconds(stretch * Seconds(recipe_.per_frame * static_cast<int64_t>(batch->to_encode.size())));
    const Nanos ask =
        FromSeconds(stretch * Seconds(recipe_.fixed + recipe_.per_question * static_cast<int64_t>(questions.size())));
    At(now_ + encode, [this, batch, encode, ask, computed = questions.size()] {
      std::vector<Result<FrameHandle>> handles(batch->to_encode.size(), FrameHandle(std::make_shared<int>(0)));
      (void)queue_.Encoded(*batch, std::move(handles), encode, now_);
      At(now_ + ask, [this, batch, ask, computed] {
        std::vector<Result<std::vector<engine::Answer>>> answers;
        for (const Part& part : batch->parts) answers.push_back(std::vector<engine::Answer>(part.questions().size()));
        ++free_runners_;
        queue_.Answered(*batch, std::move(answers), computed, ask, now_);
      });
    });
  }
}

void SimulatedLoad::Arrive(const LoadRecipe& load) {
  double pick = rng_.Uniform();
  size_t level = 0;
  while (level + 1 < kNumPriorities && pick >= load.mix[level]) pick -= load.mix[level++];
  if (!rng_.Chance(load.same_frame)) ++next_frame_;
  std::vector<uint8_t> bytes(sizeof next_frame_);
  std::memcpy(bytes.data(), &next_frame_, sizeof next_frame_);
  auto request = std::make_shared<Request>();
  request->work.images = {Own(std::move(bytes))};
  request->work.questions.resize(1);
  for (int i = 0; i < load.num_questions; ++i) request->work.questions[0].push_back("question " + std::to_string(i));
  request->work.priority = static_cast<Priority>(level);
  const Nanos patience = load.patience_of[level] != kNever ? load.patience_of[level] : load.patience;
  if (patience != kNever) request->work.deadline = now_ + patience;
  const Nanos arrival = now_;
  const Nanos deadline = request->work.deadline;
  request->done = [this, level, arrival, deadline](const WorkResult& result) {
    Tally& tally = tallies_[level];
    ++tally.outcomes[static_cast<size_t>(result.outcome)];
    if (result.outcome == Outcome::kRefused) {
      tally.slowest_refusal = std::max(tally.slowest_refusal, now_ - arrival);
      EXPECT_GE(result.retry_after, options_.min_retry);
    }
    if (result.outcome != Outcome::kOk) return;
    if (now_ <= deadline) ++tally.good;
    tally.waits.push_back(result.times.queue);
    tally.totals.push_back(result.times.total);
  };
  ++tallies_[level].offered;
  Arrival in{std::make_shared<Frame>(), nullptr};
  in.fresh->bytes = request->work.images[0];
  in.fresh->print = FingerprintOf(in.fresh->bytes.view);
  in.same = queue_.Find(in.fresh->print);
  queue_.Add(request, std::span(&in, 1), now_);
}

void SimulatedLoad::Run(const LoadRecipe& load, Nanos how_long) {
  const Nanos end = now_ + how_long;
  Nanos next = now_;
  while (true) {
    next += FromSeconds(-std::log(1 - rng_.Uniform()) / load.per_second);
    RunUntil(std::min(next, end));
    if (next >= end) return;
    Arrive(load);
    Settle();
  }
}

void SimulatedLoad::Finish() {
  RunUntil(kNever);
  EXPECT_TRUE(queue_.empty());
  const Health health = queue_.health(now_);
  EXPECT_EQ(health.queue_length, 0);
  EXPECT_EQ(health.bytes, 0U);
  EXPECT_EQ(health.num_running, 0);
}

void SimulatedLoad::Reset() {
  tallies_ = {};
  longest_queue_ = 0;
}

Tally SimulatedLoad::All() const {
  Tally all;
  for (const Tally& tally : tallies_) {
    for (size_t i = 0; i < all.outcomes.size(); ++i) all.outcomes[i] += tally.outcomes[i];
    all.offered += tally.offered;
    all.good += tally.good;
    all.slowest_refusal = std::max(all.slowest_refusal, tally.slowest_refusal);
    all.waits.insert(all.waits.end(), tally.waits.begin(), tally.waits.end());
    all.totals.insert(all.totals.end(), tally.totals.begin(), tally.totals.end());
  }
  return all;
}

}  // namespace pawsight::server::testing
