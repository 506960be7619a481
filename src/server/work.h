// server/work.h: the unit of work of the inference tier: images with questions in, answers out, by when, for whom it
// may be given up, and what became of it. Knows no wire format. Not here: when it runs (server/schedule.h). Values;
// thread-compatible, but CancelToken, which is thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "engine/vqa.h"

namespace pawsight::server {

using Nanos = std::chrono::nanoseconds;

/// No deadline, no time. Times are Clock::Monotonic's.
inline constexpr Nanos kNever = Clock::kForever;

/// Bytes that somebody owns: `owner` keeps them; nothing is copied. They must not change.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::span<const uint8_t> view;
};

/// Bytes that live as long as the view of them.
inline SharedBytes Own(std::vector<uint8_t> bytes) {
  auto owner = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  return {owner, *owner};
}

enum class Priority : uint8_t { kHigh, kNormal, kLow };
inline constexpr int kNumPriorities = 3;

/// Says that nobody wants the answer any more. Whoever may give up keeps one and puts it into the work, one token for
/// each piece of work. Thread-safe.
class CancelToken {
 public:
  /// From any thread, any number of times. Work that waits is completed as cancelled on this thread, before this
  /// returns.
  void Cancel() EXCLUDES(mu_) {
    std::function<void()> hook;
    {
      MutexLock lock(mu_);
      cancelled_ = true;
      hook.swap(hook_);
    }
    if (hook) hook();
  }
  bool cancelled() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return cancelled_;
  }

  /// For the batcher: what Cancel does, once; false, and not kept, when it was called already. An empty function
  /// forgets.
  bool OnCancel(std::function<void()> hook) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (cancelled_) return false;
    hook_.swap(hook);  // what was there dies after the lock
    return true;
  }

 private:
  mutable Mutex mu_;
  bool cancelled_ GUARDED_BY(mu_) = false;
  std::function<void()> hook_ GUARDED_BY(mu_);
};

inline constexpr int kMaxImages = 16;             // of one piece of work
inline constexpr int kMaxQuestionsAnImage = 256;  // of one image of it; more than 64 are asked in several calls

struct VqaWork {
  std::vector<SharedBytes> images;  // JPEG or PNG, 1..kMaxImages
  /// One list, asked of every image, or one list an image.
  std::vector<std::vector<std::string>> questions;
  engine::AskOptions ask;  // mode, choices, how words are generated
  Priority priority = Priority::kNormal;
  Nanos arrival{0};                     // when it came in; 0: when it is submitted
  Nanos deadline = kNever;              // the answer is worth nothing from here on
  std::shared_ptr<CancelToken> cancel;  // may be null
  /// A question about our own health: it passes every limit, goes before everything and shares nothing.
  bool canary = false;

  const std::vector<std::string>& QuestionsOf(size_t image) const {
    return questions.size() == 1 ? questions.front() : questions[image];
  }
};

/// What became of it. Everything but kRefused was accepted.
enum class Outcome : uint8_t {
  kOk,
  kRefused,    // at once, at the door: WorkResult::refusal says why; nothing was executed
  kCancelled,  // its token said so
  kExpired,    // its deadline passed
  kInvalid,    // its own fault: an image or a question that cannot be taken; asking again is in vain
  kFailed,     // our fault: the engine failed, or the process is stopping
};
inline constexpr int kNumOutcomes = 6;

enum class Refusal : uint8_t {
  kNone,
  kRequestLimit,  // as many requests are under way as may: the concurrency cap
  kQueueFull,     // as many frames wait as may
  kBytesFull,     // as many bytes are held as may
  kDeadline,      // it would not be ready in time
  kOverloaded,    // work has waited too long for too long (server/schedule.h)
  kWedged,        // every runner's batch has run for longer than it can
  kDraining,      // stopping
};
inline constexpr int kNumRefusals = 8;

/// Words for metrics: "ok", "refused"..; "queue_full"..
inline std::string_view OutcomeName(Outcome outcome) {
  static constexpr std::array<std::string_view, kNumOutcomes> kNames = {"ok",      "refused", "cancelled",
                                                                        "expired", "invalid", "failed"};
  return kNames[static_cast<size_t>(outcome)];
}
inline std::string_view RefusalName(Refusal refusal) {
  static constexpr std::array<std::string_view, kNumRefusals> kNames = {
      "none", "request_limit", "queue_full", "bytes_full", "deadline", "overloaded", "wedged", "draining"};
  return kNames[static_cast<size_t>(refusal)];
}
inline std::string_view PriorityName(Priority priority) {
  static constexpr std::array<std::string_view, kNumPriorities> kNames = {"high", "normal", "low"};
  return kNames[static_cast<size_t>(priority)];
}

/// Where the time went. Of work with several images, the sums of decode, encode and ask may exceed the total: they
/// overlap. Frames and questions that are shared count in full for each who shares them.
struct StageTimes {
  Nanos queue{0};   // waiting, for its last frame to start, less that frame's decode
  Nanos decode{0};  // decode, resize, normalise
  Nanos encode{0};  // the image encoder
  Nanos ask{0};     // the questions
  Nanos total{0};   // arrival to completion
};

struct WorkResult {
  Outcome outcome = Outcome::kFailed;
  /// OK for kOk alone. kResourceExhausted or kUnavailable for kRefused, kCancelled, kDeadlineExceeded, kInvalidArgument
  /// with the image's or question's index, or whatever the engine said.
  Status status;
  Refusal refusal = Refusal::kNone;
  Nanos retry_after{0};                              // refused: not before
  std::vector<std::vector<engine::Answer>> answers;  // [image][question]
  StageTimes times;
};

/// Called exactly once for each piece of work, under no lock, on whatever thread completed it: the submitter's, a
/// canceller's, one of the batcher's. It must be quick; it may submit and cancel, but not drain or destroy the batcher.
using Done = std::function<void(WorkResult)>;

}  // namespace pawsight::server
