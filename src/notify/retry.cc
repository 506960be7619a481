#include "notify/retry.h"

#include <algorithm>

#include "base/check.h"

namespace pawsight::notify {

using std::chrono::milliseconds;
using std::chrono::seconds;

Outcome Delivered() { return {}; }
Outcome Failed(std::string error) { return {Outcome::Kind::kFailed, std::move(error), std::nullopt}; }

Outcome OutcomeOfHttp(int status, std::optional<seconds> retry_after) {
  if (status >= 200 && status <= 299) return Delivered();
  Outcome outcome = Failed("HTTP status " + std::to_string(status));
  switch (status) {
    case 404:
      outcome.kind = Outcome::Kind::kMissing;
      break;
    case 410:
      outcome.kind = Outcome::Kind::kGone;
      break;
    case 400:
    case 411:
    case 413:
    case 414:
    case 415:
    case 422:
    case 431:
      outcome.kind = Outcome::Kind::kRefused;
      break;
    default:
      if (status >= 300 && status <= 399)
        outcome.error += ", a redirect, which is not followed: set the URL it leads to";
      outcome.retry_after = retry_after;
      break;
  }
  return outcome;
}

milliseconds Backoff(const RetryPolicy& policy, int failures, double uniform) {
  CHECK(failures >= 1);
  const double first = std::chrono::duration<double, std::milli>(policy.first).count();
  const double longest = std::chrono::duration<double, std::milli>(policy.longest).count();
  double wait = first;
  for (int i = 1; i < failures && wait < longest; ++i) wait *= 2;
  wait = std::min(wait, longest) * (1 + policy.jitter * (2 * uniform - 1));
  return milliseconds(static_cast<int64_t>(std::min(wait, longest)));
}

Decision Decide(const RetryPolicy& policy, const Outcome& outcome, const AttemptView& view, double uniform) {
  Decision decision;
  if (outcome.kind == Outcome::Kind::kDelivered) return decision;
  decision.wait = Backoff(policy, view.failures, uniform);
  if (outcome.retry_after.has_value())
    decision.wait = std::clamp<milliseconds>(*outcome.retry_after, decision.wait, policy.longest);
  decision.action = Decision::Action::kRetry;
  switch (outcome.kind) {
    case Outcome::Kind::kDelivered:
    case Outcome::Kind::kFailed:
      break;
    case Outcome::Kind::kRefused:
      if (view.attempts >= policy.refused_attempts) decision.action = Decision::Action::kDead;
      break;
    case Outcome::Kind::kMissing:
      if (view.missing >= policy.missing_attempts) decision.action = Decision::Action::kSwitchOff;
      break;
    case Outcome::Kind::kGone:
      decision.action = Decision::Action::kSwitchOff;
      break;
  }
  if (decision.action == Decision::Action::kRetry && view.age >= policy.give_up)
    decision.action = Decision::Action::kDead;
  return decision;
}

}  // namespace pawsight::notify
