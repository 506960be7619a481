#include "engine/counted_target.h"

#include <utility>

#include "base/check.h"
#include "engine/pass_work.h"

namespace pawsight::engine {
namespace {

class CountedTarget : public Target {
 public:
  CountedTarget(std::unique_ptr<Target> target, OperationCount& count) : target_(std::move(target)), count_(count) {
    const PassWork one = WorkOfPass(config(), {});
    frame_ = one.image_encoder + one.image_kv;
    const PassShape step{.tokens = 0, .steps = 1, .whole_vocabulary = false};
    step_without_words_ = WorkOfPass(config(), step).decoder - 2 * Word();
  }

  const BlipConfig& config() const override { return target_->config(); }
  bool Has(Head head) const override { return target_->Has(head); }

  Result<std::vector<ImageHandle>> Look(std::span<const float> pixels, int num_frames, const Trace& trace) override {
    auto images = target_->Look(pixels, num_frames, trace);
    if (images.ok()) count_.Add(frame_ * num_frames);
    return images;
  }

  Result<QuestionHandle> Read(std::span<const ImageHandle> images, std::span<const TokenRow> questions,
                              const Trace& trace) override {
    auto read = target_->Read(images, questions, trace);
    if (read.ok()) count_.Add(Reading(questions, true));
    return read;
  }

  Result<std::unique_ptr<AnswerRows>> BeginAnswers(const QuestionHandle& questions,
                                                   std::span<const int> questions_of_rows, int capacity,
                                                   Padding padding) override {
    return target_->BeginAnswers(questions, questions_of_rows, capacity, padding);
  }
  Result<std::unique_ptr<AnswerRows>> BeginCaptions(std::span<const ImageHandle> images, int capacity) override {
    return target_->BeginCaptions(images, capacity);
  }

  Status Step(AnswerRows& rows, std::span<const RowToken> tokens, std::span<const int> wanted,
              std::span<float> logits) override {
    const Status stepped = target_->Step(rows, tokens, wanted, logits);
    const double words = wanted.empty() ? config().text.vocab_size : static_cast<double>(wanted.size());
    if (stepped.ok()) count_.Add(static_cast<double>(tokens.size()) * (step_without_words_ + words * Word()));
    return stepped;
  }
  Status Select(AnswerRows& rows, std::span<const int> from) override { return target_->Select(rows, from); }

  Result<std::vector<Match>> MatchTexts(std::span<const ImageHandle> images, std::span<const TokenRow> texts) override {
    auto matches = target_->MatchTexts(images, texts);
    if (matches.ok()) count_.Add(Reading(texts, false));
    return matches;
  }

 private:
  /// What one more word to be scored costs.
  double Word() const { return 2.0 * config().text.hidden_size; }
  /// Texts read beside their images, with the decoder's keys and values of them when it is to answer.
  double Reading(std::span<const TokenRow> texts, bool answered) const {
    double sum = 0;
    for (const TokenRow& text : texts) {
      const PassWork work = WorkOfPass(config(), {.tokens = text.valid, .steps = 0});
      sum += work.text_encoder + (answered ? work.decoder : 0);
    }
    return sum;
  }

  const std::unique_ptr<Target> target_;
  OperationCount& count_;
  double frame_ = 0;
  double step_without_words_ = 0;
};

}  // namespace

std::unique_ptr<Target> CountOperations(std::unique_ptr<Target> target, OperationCount& count) {
  return std::make_unique<CountedTarget>(std::move(target), count);
}

PeakShare::PeakShare(double peak) : peak_(peak) { CHECK(peak > 0); }

void PeakShare::Sample(std::chrono::nanoseconds now, double operations) {
  MutexLock lock(mu_);
  if (!seen_.empty() && now - seen_.back().time < kEvery) return;
  seen_.push_back({now, operations});
  while (seen_.size() > 1 && now - seen_[1].time >= kWindow) seen_.pop_front();
}

double PeakShare::Share(std::chrono::nanoseconds now, double operations) const {
  MutexLock lock(mu_);
  if (seen_.empty() || now <= seen_.front().time) return 0;
  const std::chrono::duration<double> seconds = now - seen_.front().time;
  return (operations - seen_.front().operations) / seconds.count() / peak_;
}

}  // namespace pawsight::engine
