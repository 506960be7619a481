#include "engine/counted_target.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "engine/pass_work.h"

namespace pawsight::engine {
namespace {

using std::chrono::seconds;

/// Says yes to everything, or no.
class NoTarget : public Target {
 public:
  explicit NoTarget(Status status) : status_(std::move(status)) {}
  const BlipConfig& config() const override { return config_; }
  bool Has(Head) const override { return true; }
  Result<std::vector<ImageHandle>> Look(std::span<const float>, int num_frames, const Trace&) override {
    if (!status_.ok()) return status_;
    return std::vector<ImageHandle>(static_cast<size_t>(num_frames));
  }
  Result<QuestionHandle> Read(std::span<const ImageHandle>, std::span<const TokenRow>, const Trace&) override {
    if (!status_.ok()) return status_;
    return QuestionHandle();
  }
  Result<std::unique_ptr<AnswerRows>> BeginAnswers(const QuestionHandle&, std::span<const int>, int, Padding) override {
    return std::make_unique<AnswerRows>();
  }
  Result<std::unique_ptr<AnswerRows>> BeginCaptions(std::span<const ImageHandle>, int) override {
    return std::make_unique<AnswerRows>();
  }
  Status Step(AnswerRows&, std::span<const RowToken>, std::span<const int>, std::span<float>) override {
    return status_;
  }
  Status Select(AnswerRows&, std::span<const int>) override { return status_; }
  Result<std::vector<Match>> MatchTexts(std::span<const ImageHandle>, std::span<const TokenRow> texts) override {
    if (!status_.ok()) return status_;
    return std::vector<Match>(texts.size());
  }

 private:
  const BlipConfig config_;  // BLIP base
  const Status status_;
};

/// A pass of two frames with three questions of eight tokens each, as a yes/no answer or word by word.
void Pass(Target& target, int steps, std::span<const int> wanted) {
  (void)target.Look({}, 2, {});
  std::vector<TokenRow> questions(6);
  for (TokenRow& question : questions) question.valid = 8;
  (void)target.Read({}, questions, {});
  AnswerRows rows;
  for (int step = 0; step < steps; ++step) (void)target.Step(rows, std::vector<RowToken>(6), wanted, {});
}

TEST(CountedTarget, CountsWhatAPassComputesToOneInAThousand) {
  OperationCount count;
  const auto target = CountOperations(std::make_unique<NoTarget>(Ok()), count);
  Pass(*target, 1, std::vector<int>{1, 2});
  const double yes_no = WorkOfPass(target->config(), {.frames = 2, .questions = 3, .whole_vocabulary = false}).total();
  EXPECT_NEAR(count.total() / yes_no, 1, 1e-3);
  Pass(*target, 5, {});
  const double words = WorkOfPass(target->config(), {.frames = 2, .questions = 3, .steps = 5}).total();
  EXPECT_NEAR((count.total() - yes_no) / words, 1, 1e-3);
}

TEST(CountedTarget, WhatFailedCountsForNothing) {
  OperationCount count;
  const auto target = CountOperations(std::make_unique<NoTarget>(Internal("no")), count);
  Pass(*target, 2, {});
  EXPECT_FALSE(target->MatchTexts({}, std::vector<TokenRow>(1)).ok());
  EXPECT_EQ(count.total(), 0);
}

TEST(CountedTarget, SeveralThreadsLoseNothing) {
  OperationCount count;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1000; ++n) count.Add(1);
    });
  }
  threads.clear();
  EXPECT_EQ(count.total(), 4000);
}

TEST(PeakShare, IsThatOfTheLastTenSeconds) {
  PeakShare share(100);
  EXPECT_EQ(share.Share(seconds(5), 1000), 0) << "nothing to compare with";
  share.Sample(seconds(100), 0);
  EXPECT_EQ(share.Share(seconds(100), 0), 0);
  EXPECT_DOUBLE_EQ(share.Share(seconds(102), 100), 0.5);
  for (int s = 101; s <= 200; ++s) share.Sample(seconds(s), s <= 150 ? (s - 100) * 25.0 : 1250);
  EXPECT_EQ(share.Share(seconds(200), 1250), 0) << "idle for fifty seconds";
  EXPECT_DOUBLE_EQ(share.Share(seconds(200), 1750), 0.5) << "since 190";
}

TEST(PeakShare, SamplesMoreOftenThanEachSecondAreLeftOut) {
  PeakShare share(1);
  for (int ms = 0; ms <= 10'000; ms += 100) share.Sample(std::chrono::milliseconds(ms), ms * 1e-3);
  EXPECT_DOUBLE_EQ(share.Share(seconds(10), 10), 1);
}

}  // namespace
}  // namespace pawsight::engine
