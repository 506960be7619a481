// server/fake_engine.h: what tests and benchmarks share: an engine that does what it is told: holds at gates, fails,
// takes its time. A frame is its bytes as text, an answer is "frame: question". Not in the library. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "server/engine.h"
#include "server/work.h"

namespace pawsight::server::testing {

/// Open at first. While it is closed, who passes waits.
class Gate {
 public:
  void Close() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    open_ = false;
  }
  void Open() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    open_ = true;
    changed_.NotifyAll();
  }
  void Pass() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    ++num_came_;
    changed_.NotifyAll();
    while (!open_) changed_.Wait(mu_);
  }
  /// Waits until `count` came since the start, whether they passed or not.
  void Await(int count) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    while (num_came_ < count) changed_.Wait(mu_);
  }
  int num_came() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return num_came_;
  }

 private:
  mutable Mutex mu_;
  CondVar changed_;
  bool open_ GUARDED_BY(mu_) = true;
  int num_came_ GUARDED_BY(mu_) = 0;
};

class FakeEngine : public Engine {
 public:
  explicit FakeEngine(std::string name = "", Nanos per_frame = Nanos{0}, Nanos per_batch = Nanos{0})
      : name_(std::move(name)), per_frame_(per_frame), per_batch_(per_batch) {}

  Gate preprocess, look, ask;

  /// Bytes that start with "garbage" are no image.
  Result<std::vector<float>> Preprocess(std::span<const uint8_t> image) override {
    preprocess.Pass();
    const std::string text(image.begin(), image.end());
    if (text.starts_with("garbage")) return InvalidArgument("not an image", "image_type_unsupported");
    return std::vector<float>(image.begin(), image.end());
  }

  /// A batch with a frame that starts with "unseeable" fails.
  Result<std::vector<FrameHandle>> Look(std::span<const std::span<const float>> frames) override {
    look.Pass();
    std::vector<FrameHandle> handles;
    for (const std::span<const float>& frame : frames) {
      std::string text;
      for (const float letter : frame) text += static_cast<char>(letter);
      if (text.starts_with("unseeable")) return Internal("cannot look at that");
      handles.push_back(std::make_shared<const std::string>(name_ + text));
    }
    num_looked.fetch_add(static_cast<int>(frames.size()));
    Take(per_frame_ * static_cast<int64_t>(frames.size()));
    return handles;
  }

  /// A batch with the question "unanswerable" fails.
  Result<std::vector<engine::Answer>> Ask(std::span<const FrameQuestion> questions,
                                          const engine::AskOptions&) override {
    ask.Pass();
    std::vector<engine::Answer> answers;
    for (const FrameQuestion& q : questions) {
      if (q.question == "unanswerable") return Internal("cannot answer that");
      answers.push_back({.text = *std::static_pointer_cast<const std::string>(q.frame) + ": " + q.question,
                         .p_yes = 0.5F,
                         .score = 0.5F,
                         .cosine = 0.25F});
    }
    num_asked.fetch_add(static_cast<int>(questions.size()));
    Take(per_batch_);
    return answers;
  }

  Status Check(const std::string& question, engine::Mode mode) const override {
    return question.empty() && mode != engine::Mode::kCaption ? InvalidArgument("empty", "question_empty") : Ok();
  }
  bool Can(engine::Mode mode) const override { return heads.contains(engine::HeadOf(mode)); }

  std::set<engine::Head> heads = {engine::Head::kVqa};  // set before others call
  std::atomic<int> num_looked{0};                       // frames
  std::atomic<int> num_asked{0};                        // questions

 private:
  /// As an engine on other cores would: its time passes, this core is free.
  static void Take(Nanos time) {
    if (time.count() > 0) std::this_thread::sleep_for(time);
  }

  const std::string name_;
  const Nanos per_frame_;
  const Nanos per_batch_;
};

/// One piece of work's end. Copies share it.
class Ending {
 public:
  Done done() const {
    return [state = state_](WorkResult result) {
      MutexLock lock(state->mu);
      ++state->times;
      state->result = std::move(result);
      state->changed.NotifyAll();
    };
  }
  /// How often it ended: once, when all is well.
  int times() const {
    MutexLock lock(state_->mu);
    return state_->times;
  }
  WorkResult Await() const {
    MutexLock lock(state_->mu);
    while (state_->times == 0) state_->changed.Wait(state_->mu);
    return state_->result;
  }

 private:
  struct State {
    Mutex mu;
    CondVar changed;
    int times GUARDED_BY(mu) = 0;
    WorkResult result GUARDED_BY(mu);
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

inline SharedBytes Image(const std::string& text) { return Own({text.begin(), text.end()}); }

inline VqaWork Work(std::vector<std::string> images, std::vector<std::string> questions) {
  VqaWork work;
  for (const std::string& image : images) work.images.push_back(Image(image));
  work.questions = {std::move(questions)};
  return work;
}

}  // namespace pawsight::server::testing
