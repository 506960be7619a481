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

std::vector<std::shared_ptr<const rules::TimeZone>> ZonesOf(const std::vector<rules::Rule>& rules) {
  rules::Zones known;
  std::vector<std::shared_ptr<const rules::TimeZone>> zones;
  for (const rules::Rule& rule : rules) {
    zones.push_back(rule.schedule ? known.Find(rule.schedule->zone).value() : nullptr);
  }
  return zones;
}

}  // namespace

CameraPath::CameraPath(std::vector<rules::Rule> rules, Backend& backend, events::Store* store, const Clock& clock,
                       const CameraPathOptions& options)
    : rules_(std::move(rules)),
      clock_(clock),
      options_(options),
      zones_(ZonesOf(rules_)),
      backend_(backend, clock),
      gate_(options.change),
      recorder_(store == nullptr ? Recorder::Append()
                                 : [store](const events::Event& event) { return store->Append(event); }),
      states_(rules_.size()),
      turns_(rules_.size()) {
  CHECK(!rules_.empty() && rules_.size() <= rules::kMaxRules);
}

std::vector<rules::AlertState> CameraPath::states() const {
  std::vector<rules::AlertState> states;
  for (const RuleState& state : states_) states.push_back(state.alert);
  return states;
}

bool CameraPath::TakeTurns(Time time) {
  bool due = false;
  for (size_t i = 0; i < rules_.size(); ++i) {
    const bool looks = rules_[i].enabled && rules_[i].cameras.Selects(options_.camera, {});
    const bool its_turn = looks && TurnOf(rules_[i], zones_[i].get(), states_[i], false, time) == Turn::kDue;
    turns_[i] = {its_turn ? Sighting::Kind::kAsked : Sighting::Kind::kNotDue, {}};
    due = due || its_turn;
  }
  return due;
}

void CameraPath::SetDue(Sighting::Kind kind) {
  for (RuleTurn& turn : turns_) {
    if (turn.kind == Sighting::Kind::kAsked) turn.kind = kind;
  }
}

Result<bool> CameraPath::WorthAsking(const Frame& frame) {
  const std::chrono::nanoseconds now = frame.time.time_since_epoch();
  bool worth = !options_.gate;
  if (frame.encoded.empty()) {
    worth = gate_.Look(frame.image, now).worth_asking() || worth;
  } else {
    PAWSIGHT_ASSIGN_OR_RETURN(const frames::Decoded small,
                              frames::DecodeScaled(frame.encoded, {}, kGateWidth, kGateHeight));
    worth = gate_.Look(small.image, now).worth_asking() || worth;
  }
  for (size_t i = 0; i < rules_.size() && !worth; ++i) {
    worth = turns_[i].kind == Sighting::Kind::kAsked && (states_[i].must_ask || rules::IsUndecided(states_[i].alert));
  }
  return worth;
}

Result<const frames::Image*> CameraPath::Pixels(const Frame& frame, frames::Image& decoded) {
  if (frame.encoded.empty()) return &frame.image;
  PAWSIGHT_ASSIGN_OR_RETURN(frames::Decoded whole, frames::Decode(frame.encoded));
  decoded = std::move(whole.image);
  return &decoded;
}

std::vector<Answer> CameraPath::Ask(const Frame& frame, FrameReport& report) {
  const std::chrono::nanoseconds start = clock_.Monotonic();
  for (RuleState& state : states_) state.must_ask = true;  // until it has been asked about what this frame shows
  frames::Image decoded;
  const Result<const frames::Image*> pixels = Pixels(frame, decoded);
  report.look += clock_.Monotonic() - start;
  report.trouble = pixels.status();
  if (!pixels.ok()) return SetDue(Sighting::Kind::kUndecodable), std::vector<Answer>();
  std::vector<const rules::Rule*> due;
  std::vector<size_t> idx;
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (turns_[i].kind != Sighting::Kind::kAsked) continue;
    due.push_back(&rules_[i]);
    idx.push_back(i);
  }
  const InquiryPlan plan = PlanInquiry({}, due, std::vector<bool>(due.size(), false));
  for (size_t i = 0; i < idx.size(); ++i) {
    turns_[idx[i]].place = plan.places[i];
    if (plan.places[i].question < 0) turns_[idx[i]].kind = Sighting::Kind::kNotDue;
  }
  Result<std::vector<Answer>> answers = backend_.Ask(**pixels, plan.questions);
  report.ask = backend_.last_duration();
  report.trouble = answers.status();
  if (!answers.ok()) return SetDue(Sighting::Kind::kUnanswered), std::vector<Answer>();
  return std::move(*answers);
}

void CameraPath::Judge(size_t rule_idx, std::span<const Answer> answers, FrameReport& report) {
  Judged judged = JudgeRule(rules_[rule_idx], turns_[rule_idx], answers, report.frame->time, states_[rule_idx]);
  RuleOutcome& outcome = report.outcomes[rule_idx];
  outcome = {judged.outcome.p_yes, judged.outcome.verdict, judged.outcome.reason, judged.outcome.phase};
  if (judged.fired || judged.resolved) RecordChange(rule_idx, judged.before, report);
}

void CameraPath::RecordChange(size_t rule_idx, const rules::AlertState& before, FrameReport& report) {
  const rules::Rule& rule = rules_[rule_idx];
  const rules::AlertState& state = states_[rule_idx].alert;
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

  std::vector<Answer> answers;
  if (TakeTurns(report.frame->time)) {
    const std::chrono::nanoseconds start = clock_.Monotonic();
    const Result<bool> worth = WorthAsking(*report.frame);
    report.look = clock_.Monotonic() - start;
    report.trouble = worth.status();
    report.asked = worth.ok() && *worth;
    if (report.asked) {
      answers = Ask(*report.frame, report);
    } else {
      SetDue(worth.ok() ? Sighting::Kind::kUnchanged : Sighting::Kind::kUndecodable);
    }
  }
  for (size_t i = 0; i < rules_.size(); ++i) Judge(i, answers, report);
  for (PathObserver* observer : observers_) observer->OnFrame(rules_, report);
  return report;
}

}  // namespace pawsight::gateway
