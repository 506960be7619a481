// notify/retry.h: what follows from an attempt to deliver: done, again and when, never, or the receiver is switched
// off. Pure functions of what was seen. Not here: doing it (notify/notifier.h). Values; thread-compatible.
//
// What is waited for is the receiver, not the message: after a failure nothing is sent to that receiver until the wait
// is over, then the oldest message first. So a receiver that is down costs one attempt a wait however many messages it
// has, and its messages come in the order in which they happened.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace pawsight::notify {

/// What an attempt came to. Texts are for the owner: the receiver's answer is not in them, only its status.
struct Outcome {
  enum class Kind {
    kDelivered,
    kFailed,   // no connection, too slow, an answer that may be another next time
    kRefused,  // an answer about this very message: 400, 413, 422 and so on
    kMissing,  // 404: there is nothing at that place
    kGone,     // 410: do not send any more
  };
  Kind kind = Kind::kDelivered;
  std::string error;                                // "HTTP status 503"; empty when delivered
  std::optional<std::chrono::seconds> retry_after;  // as the receiver asked for
};
Outcome Delivered();
Outcome Failed(std::string error);

/// The outcome of an HTTP status. 2xx is delivered; redirects are failures, for none is followed.
Outcome OutcomeOfHttp(int status, std::optional<std::chrono::seconds> retry_after);

struct RetryPolicy {
  std::chrono::seconds first{5};  // after the first failure in a row; then doubled each time
  std::chrono::seconds longest = std::chrono::hours(24);
  double jitter = 0.2;                                    // each wait is longer or shorter by up to this part
  std::chrono::seconds give_up = std::chrono::hours(72);  // a message older than this that fails again is dead
  int refused_attempts = 8;  // a message refused so often is dead, so that others get past it
  int missing_attempts = 8;  // a receiver missing so often in a row is switched off
};

/// The wait after `failures` (1 or more) in a row; `uniform` in [0, 1) is the dice. Never more than `longest`.
std::chrono::milliseconds Backoff(const RetryPolicy& policy, int failures, double uniform);

/// What is known when an attempt has ended; the attempt is counted in.
struct AttemptView {
  int attempts = 1;             // of this message
  std::chrono::seconds age{0};  // of this message
  int failures = 1;             // of this receiver in a row; any kind but delivered
  int missing = 0;              // kMissing of this receiver in a row
};

struct Decision {
  enum class Action {
    kDone,       // the next message at once
    kRetry,      // the same again after `wait`
    kDead,       // never again; the next message after `wait`
    kSwitchOff,  // the receiver is switched off; its messages stay
  };
  Action action = Action::kDone;
  std::chrono::milliseconds wait{0};
};
Decision Decide(const RetryPolicy& policy, const Outcome& outcome, const AttemptView& view, double uniform);

}  // namespace pawsight::notify
