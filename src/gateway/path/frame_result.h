// gateway/path/frame_result.h: what came of one frame on the asynchronous path, told to whoever waits for it and to
// those who watch its owner. Values; shared as snapshots that nobody changes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "gateway/backend.h"
#include "rules/alert.h"
#include "rules/rule.h"
#include "rules/verdict.h"

namespace pawsight::gateway {

/// What a frame meant to one rule that looks through its camera.
struct Outcome {
  std::string rule;
  std::optional<double> p_yes;            // of the rule's question; absent when it was not asked or not answered
  std::optional<rules::Verdict> verdict;  // likewise
  rules::Reason reason = rules::Reason::kUnchanged;
  rules::AlertPhase phase = rules::AlertPhase::kInactive;  // after the frame
};

enum class AlertChange { kFired, kUpdated, kResolved };
/// "alert.fired", "alert.updated", "alert.resolved".
std::string_view AlertChangeName(AlertChange change);

/// An alert opened, goes on or ended.
struct AlertNotice {
  std::string id;                          // "alr_...", one an episode: the same from when it opens to when it ends
  std::string event;                       // "evt_...", of this change
  std::string owner, camera, rule, frame;  // ids; `frame` is empty when no frame ended it
  AlertChange change = AlertChange::kResolved;
  std::string cause;    // of an end: "" by frames; "rule_edited", "rule_removed", "rule_disabled", "camera_left",
                        // "camera_removed"; of an update: "surer", "still_on"
  uint64_t number = 0;  // of the rule's alerts on this camera: 1, 2...
  Time time{};          // of the change
  Time since{};         // fired: true since then; updated, resolved: when it fired
  Severity severity = Severity::kWarning;
  std::string question;  // for the owner's receivers; never logged
  bool expected = true;
  double threshold = 0;
  std::optional<double> p_yes;
  Status recorded;  // OK once it is on disk; otherwise it was told all the same, and waits to be recorded
};

struct FrameResult {
  std::string frame, owner, camera, device;  // ids; `device` empty when a source brought the frame
  std::optional<uint64_t> sequence;
  Time time{};  // when it was taken, as far as its clock is believed (gateway/path/frame_time.h)
  Time received{};
  bool late = false;  // too old to alert
  bool asked = false;
  Status trouble;                      // why it was not decoded, asked or answered
  std::vector<Answer> answers;         // of all questions asked, each wording once
  std::vector<std::string> questions;  // the submission's own, in its order; their answers: AnswerTo
  std::vector<Outcome> outcomes;       // one a rule
  std::vector<AlertNotice> changes;
  std::string pool, endpoint, model_version;  // who answered
  std::chrono::nanoseconds waited{0};         // in the mailbox
  std::chrono::nanoseconds looked{0};         // in the change gate
  std::chrono::nanoseconds answering{0};      // at the backend
  std::chrono::nanoseconds total{0};          // from Submit to here
};

/// Null when the question was not asked or not answered. Spelling and case do not matter, as in rules::Question.
const Answer* AnswerTo(const FrameResult& result, const std::string& question);

/// [{"rule","p_yes","verdict","reason","phase"}], one a rule.
Json OutcomesToJson(const FrameResult& result);
/// {"type":"frame","frame","camera","time","received","sequence"?,"late"?,"asked","trouble"?:{"code","reason","message"},
///  "answers":[{"question","answer","p_yes"}],"rules":[{"rule","p_yes","verdict","reason","phase"}],"alerts":["alr_.."],
///  "unrecorded"?:["alr_.."],"pool","model_version","total_ms"}; "alerts" has what is on disk, "unrecorded" what waits
///  for room on it
Json ResultToJson(const FrameResult& result);
/// {"type":"alert.fired"|"alert.updated"|"alert.resolved","alert","event","time","since","camera","rule","severity","question","expect",
///  "threshold","p_yes","number","cause"?,"recorded"}
Json NoticeToJson(const AlertNotice& notice);

}  // namespace pawsight::gateway
