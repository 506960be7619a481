// gateway/backend.h: what answers questions about a frame. The gateway knows no engine: workers are asked over the
// network (gateway/backends), and for one small box an app hands it a backend that runs inside the process. Not here:
// choosing one (gateway/backends).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace pawsight::gateway {

struct Answer {
  std::string question;         // as asked
  std::string text;             // "yes", "no"
  double p_yes = 0;             // 0..1
  std::optional<double> score;  // what the backend thinks of its answer, in its own measure
};

/// One frame's questions on their way to a backend.
struct Inquiry {
  std::string frame_id, camera, owner;                  // for traces and fairness; never sent as text in logs
  std::shared_ptr<const std::vector<uint8_t>> encoded;  // JPEG or PNG, as it came; never null
  std::vector<std::string> questions;                   // distinct, 1..64
  std::chrono::steady_clock::time_point deadline;
  int priority = 0;  // as the protocol's: 0 is the model's default, 1 goes first
};

/// The answers, in the questions' order, and who gave them.
struct Reply {
  std::vector<Answer> answers;
  std::string pool, endpoint, model_version;
  std::chrono::nanoseconds took{0};  // from Ask to here, retries and waits included
};

/// What answers while the caller goes on. Thread-safe.
class AsyncBackend {
 public:
  virtual ~AsyncBackend() = default;

  /// `done` is called exactly once, from any thread, also inside Ask and when the inquiry is cancelled; it must not
  /// block. Never blocks.
  /// Errors: kInvalidArgument, the frame or a question is unfit: asking again does not help. kResourceExhausted, full:
  /// ask less. kUnavailable, nothing that could answer is there. kDeadlineExceeded, the deadline has passed.
  virtual void Ask(Inquiry inquiry, std::function<void(Result<Reply>)> done) = 0;
};

}  // namespace pawsight::gateway
