#include "gateway/path/frame_time.h"

#include <algorithm>

namespace pawsight::gateway {
namespace {

using std::chrono::nanoseconds;

constexpr Time kFirstTime{std::chrono::seconds(1'577'836'800)};  // 2020
constexpr Time kLastTime{std::chrono::seconds(4'102'444'800)};   // 2100

bool IsATime(const std::optional<Time>& time) { return time && *time >= kFirstTime && *time < kLastTime; }

FrameTime At(Time received, nanoseconds lateness) {
  lateness = std::max(lateness, nanoseconds(0));
  const Timeliness timeliness = lateness > kStaleAfter  ? Timeliness::kStale
                                : lateness > kLateAfter ? Timeliness::kLate
                                                        : Timeliness::kFresh;
  return {received - lateness, timeliness, lateness};
}

/// The age has been this for long enough to be the clock's error.
bool IsSteady(ClockView& view, nanoseconds age, Time received) {
  const bool same =
      view.candidate && std::chrono::abs(age - *view.candidate) <= kSteadyWithin && received >= view.candidate_since;
  if (!same) {
    view.candidate = age;
    view.candidate_since = received;
    return false;
  }
  return received - view.candidate_since >= kSteady;
}

}  // namespace

FrameTime JudgeTime(ClockView& view, Time received, std::optional<Time> captured, std::optional<Time> sent) {
  const nanoseconds since_last = std::max(nanoseconds(0), received - view.seen);
  view.seen = received;
  if (!IsATime(captured)) return At(received, nanoseconds(0));
  if (IsATime(sent)) {
    view.skew = received - *sent;
    view.candidate.reset();
    return At(received, *sent - *captured);
  }
  const nanoseconds age = received - *captured;
  if (view.skew) *view.skew += std::min<nanoseconds>(since_last / 1000, kSteadyWithin);  // a clock drifts
  const nanoseconds believed = view.skew.value_or(nanoseconds(0));
  const nanoseconds lateness = age - believed;
  if (lateness <= kLateAfter) {
    view.skew = view.skew ? std::min(*view.skew, age) : age;
    view.candidate.reset();
    return At(received, age - *view.skew);
  }
  FrameTime judged = At(received, lateness);
  if (judged.timeliness == Timeliness::kLate && IsSteady(view, age, received)) {
    view.skew = age;
    view.candidate.reset();
    judged = At(received, nanoseconds(0));
  }
  return judged;
}

}  // namespace pawsight::gateway
