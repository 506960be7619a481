#include "gateway/camera_path.h"

#include <algorithm>
#include <utility>

#include "frames/decode.h"

namespace pawsight::gateway {
namespace {

using rules::Reason;
using rules::Sighting;

/// Enough for the gate's grid; a 1080p JPEG is decoded at an eighth.
constexpr int kGateWidth = 160;
constexpr int kGateHeight = 120;

rules::QuestionPlan PlanFor(const std::vector<rules::Rule>& rules) {
  std::vector<rules::Question> wanted;
  for (const rules::Rule& rule : rules) wanted.push_back(rule.question);
  return rules::PlanQuestions(wanted);
}

}  // namespace

CameraPath::CameraPath(std::vector<rules::Rule> rules, Backend& backend, events::Store* store, const Clock& clock,
                       const CameraPathOptions& options)
    : rules_(std::move(rules)),
      clock_(clock),
      options_(options),
      plan_(PlanFor(rules_)),
      backend_(backend, clock),
      gate_(options.change),
      recorder_(store == nullptr ? Recorder::Append()
                                 : [store](const events::Event& event) { return store->Append(event); }),
      states_(rules_.size()) {
  CHECK(!rules_.empty() && rules_.size() <= rules::kMaxRules);
}

Result<bool> CameraPath::WorthAsking(const Frame& frame) {
  const std::chrono::nanoseconds now = frame.time.time_since_epoch();
  bool changed = false;
  if (frame.encoded.empty()) {
    changed = gate_.Look(frame.image, now).worth_asking();
  } else {
    PAWSIGHT_ASSIGN_OR_RETURN(const frames::Decoded small,
                              frames::DecodeScaled(frame.encoded, {}, kGateWidth, kGateHeight));
    changed = gate_.Look(small.image, now).worth_asking();
  }
  const bool undecided = std::any_of(states_.begin(), states_.end(), rules::IsUndecided);
  return changed || undecided || must_ask_ || !options_.gate;
}

Result<const frames::Image*> CameraPath::Pixels(const Frame& frame, frames::Image& decoded) {
  if (frame.encoded.empty()) return &frame.image;
  PAWSIGHT_ASSIGN_OR_RETURN(frames::Decoded whole, frames::Decode(frame.encoded));
  decoded = std::move(whole.image);
  return &decoded;
}

Sighting::Kind CameraPath::Ask(const Frame& frame, FrameReport& report) {
  const std::chrono::nanoseconds start = clock_.Monotonic();
  frames::Image decoded;
  const Result<const frames::Image*> pixels = Pixels(frame, decoded);
  report.look += clock_.Monotonic() - start;
  report.trouble = pixels.status();
  if (!pixels.ok()) return Sighting::Kind::kUndecodable;
  const Result<std::vector<Answer>> answers = backend_.Ask(**pixels, plan_.questions);
  report.ask = backend_.last_duration();
  report.trouble = answers.status();
  if (!answers.ok()) return Sighting::Kind::kUnanswered;
  for (size_t i = 0; i < rules_.size(); ++i) {
    report.outcomes[i].p_yes = (*answers)[plan_.question_idx[i]].p_yes;
    report.outcomes[i].verdict = rules::Judge(rules_[i], *report.outcomes[i].p_yes);
  }
  return Sighting::Kind::kAsked;
}

void CameraPath::Judge(size_t rule_idx, Sighting::Kind kind, FrameReport& report) {
  RuleOutcome& outcome = report.outcomes[rule_idx];
  const Sighting sighting{report.frame->time, kind, outcome.verdict.value_or(rules::Verdict::kFalse)};
  const rules::AlertState before = states_[rule_idx];
  const rules::AlertStep step = rules::Advance(rules_[rule_idx], before, sighting);
  states_[rule_idx] = step.state;
  outcome.reason = step.reason;
  outcome.phase = step.state.phase;
  if (step.reason == Reason::kFired || step.reason == Reason::kResolved) RecordChange(rule_idx, before, report);
}

void CameraPath::RecordChange(size_t rule_idx, const rules::AlertState& before, FrameReport& report) {
  const rules::Rule& rule = rules_[rule_idx];
  const rules::AlertState& state = states_[rule_idx];
  AlertChange change;
  change.rule_idx = rule_idx;
  change.fired = report.outcomes[rule_idx].reason == Reason::kFired;
  change.number = state.num_fired;
  change.event.time = report.frame->time;
  change.event.type = change.fired ? "alert.fired" : "alert.resolved";
  change.event.camera = options_.camera;
  change.event.rule = rule.id;
  const std::optional<double> p_yes = report.outcomes[rule_idx].p_yes;
  change.event.detail = Json(Json::Object{{"question", rule.question.text()},
                                          {"expect", rule.expected ? "yes" : "no"},
                                          {"severity", rules::SeverityName(rule.severity)},
                                          {"alert", state.num_fired},
                                          {"frame", report.frame->number},
                                          {"p_yes", p_yes ? Json(*p_yes) : Json()},
                                          {"threshold", rule.threshold.value()}});
  if (change.fired) {
    change.event.detail.Set("since", FormatTime(before.true_since.value_or(report.frame->time)));
  } else {
    change.event.detail.Set("fired_at", FormatTime(before.fired_at));
  }
  Result<events::Event> stored = recorder_.Record(change.event);
  change.recorded = stored.status();
  if (stored.ok()) change.event = std::move(*stored);
  report.changes.push_back(std::move(change));
}

FrameReport CameraPath::Take(std::shared_ptr<const Frame> frame) {
  FrameReport report;
  report.frame = std::move(frame);
  report.outcomes.resize(rules_.size());
  if (recorder_.num_waiting() > 0) (void)recorder_.Flush();  // what still waits is tried with the next frame

  const std::chrono::nanoseconds start = clock_.Monotonic();
  const Result<bool> worth = WorthAsking(*report.frame);
  report.look = clock_.Monotonic() - start;
  Sighting::Kind kind = Sighting::Kind::kUnchanged;
  if (!worth.ok()) {
    report.trouble = worth.status();
    kind = Sighting::Kind::kUndecodable;
  } else if (*worth) {
    report.asked = true;
    kind = Ask(*report.frame, report);
    must_ask_ = kind != Sighting::Kind::kAsked;
  }
  for (size_t i = 0; i < rules_.size(); ++i) Judge(i, kind, report);
  for (PathObserver* observer : observers_) observer->OnFrame(rules_, report);
  return report;
}

}  // namespace pawsight::gateway
