// rules/alert_update.h: when whoever was told of an alert is told of it again while it goes on firing: one alert an
// episode, updated, not repeated. Pure. Two things are worth saying: the model has become surer, and that it is still
// on. Both are bounded: an answer can become surer by kUpdateRise nine times in an episode, and never within kUpdateGap
// of what was told before; "still on" comes once in the rule's `update_every`. Not here: who wants to hear it
// (notify/receiver_config.h).
#pragma once

#include <chrono>
#include <string_view>

#include "base/clock.h"
#include "rules/rule.h"

namespace pawsight::rules {

/// An answer that is so much more probable than any that was told is worth telling.
inline constexpr double kUpdateRise = 0.1;
/// No "surer" comes sooner after the change that was told before; "still on" waits for `update_every` alone, which may
/// be shorter.
inline constexpr std::chrono::seconds kUpdateGap{30};

/// What those know who were told of the alert that fires.
struct Told {
  Time at{};     // of the newest change
  double p = 1;  // the greatest probability of the expected answer that was told; 1: nothing is surer
  friend bool operator==(const Told&, const Told&) = default;
};

enum class UpdateCause { kNone, kSurer, kStillOn };
/// "", "surer", "still_on".
std::string_view UpdateCauseName(UpdateCause cause);

/// Of an answered frame at `now` that was true while the alert was firing already; `p`: of the expected answer. A rule
/// with `update_every` 0 tells none, and so does a frame from before what was told (the clock was set back).
UpdateCause CauseOfUpdate(const Rule& rule, const Told& told, double p, Time now);

}  // namespace pawsight::rules
