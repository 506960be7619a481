// A frame's travel, from its camera's turn to its end.

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/log.h"
#include "gateway/path/path_state.h"

namespace pawsight::gateway {
namespace {

using Kind = rules::Sighting::Kind;
using std::chrono::nanoseconds;

const rules::Rule& RuleAt(const Camera::InTurn& turn, size_t i) { return turn.view->setup.rules[turn.rules[i]]; }

std::string TextOf(const RuleState& state) {
  return rules::EncodeState({state.alert, state.meaning, state.alert_id, state.told});
}

PathNumbers::Count& CountOf(PathNumbers& numbers, AlertChange change) {
  switch (change) {
    case AlertChange::kFired:
      return numbers.fired;
    case AlertChange::kUpdated:
      return numbers.updated;
    case AlertChange::kResolved:
      return numbers.resolved;
  }
  CHECK(false);
}

void SetAll(Trip& trip, Kind kind) {
  for (RuleTurn& turn : trip.turns) turn.kind = kind;
}

/// Errors: kInternal, the backend broke its word.
Status CheckReply(const Reply& reply, size_t num_questions) {
  if (reply.answers.size() != num_questions) {
    return Internal("backend: " + std::to_string(reply.answers.size()) + " answers to " +
                    std::to_string(num_questions) + " questions");
  }
  const bool fit = std::all_of(reply.answers.begin(), reply.answers.end(),
                               [](const Answer& answer) { return answer.p_yes >= 0 && answer.p_yes <= 1; });
  return fit ? Ok() : Internal("backend: p_yes outside 0..1");
}

Kind KindOf(const Status& failure) {
  if (failure.code() == StatusCode::kResourceExhausted) return Kind::kShed;
  const bool image = failure.code() == StatusCode::kInvalidArgument && failure.reason().rfind("image_", 0) == 0;
  return image ? Kind::kUndecodable : Kind::kUnanswered;
}

}  // namespace

bool FramePath::State::Step() {
  std::optional<Mailbox::Taken> taken;
  std::vector<RuleState> restored;
  const std::shared_ptr<Trip> trip = std::make_shared<Trip>();
  {
    MutexLock lock(mu);
    if (!MayStep()) return false;
    taken = mailbox.Take();
    if (!taken) {
      idle.NotifyAll();
      return false;
    }
    trip->gate_pressed = IsGatePressed();
    ++outstanding;
    ++turns;
    restored = std::move(taken->camera->restored);
    taken->camera->restored.clear();
  }
  trip->camera = std::move(taken->camera);
  trip->frame = std::move(taken->frame);
  Camera& camera = *trip->camera;
  if (taken->came_back) {
    ReconcileTurn(camera, taken->view, std::exchange(restored, {}), true);
    camera.turn = {};  // what looks through it now begins anew
  }
  if (camera.turn.view != taken->view || !restored.empty()) {
    ReconcileTurn(camera, taken->view, std::move(restored), !taken->view->camera_idx.contains(camera.id));
  }
  if (trip->frame == nullptr) {
    ReleaseSlot(*trip, Ok());
    FinishTurn(trip->camera, nullptr, nullptr);
    return true;
  }
  Plan(*trip);
  if (WantsAsking(*trip)) {
    Ask(trip);
  } else {
    ReleaseSlot(*trip, Ok());
    Conclude(trip);
  }
  return true;
}

void FramePath::State::ReconcileTurn(Camera& camera, const std::shared_ptr<const OwnerView>& view,
                                     std::vector<RuleState> restored, bool removed) {
  PathNumbers::Bump(numbers.reconciled);
  Reconciled made = Reconcile(camera.turn, std::move(restored), view, camera.id, removed, clock.Now());
  made.turn.gate = std::move(camera.turn.gate);
  made.turn.gate_used = camera.turn.gate_used;
  made.turn.newest = camera.turn.newest;
  const Camera::InTurn before = std::exchange(camera.turn, std::move(made.turn));  // the closings' rules are its view's
  TellClosings(camera, made);
  std::vector<RecordEntry> entries;
  for (const size_t i : made.changed) {
    const RuleState& state = camera.turn.states[i];
    entries.push_back({camera.owner, camera.id, state.rule, TextOf(state), std::nullopt, {}, nullptr});
  }
  if (!entries.empty()) record->Write(std::move(entries), [](const Result<std::vector<std::string>>&) {});
}

void FramePath::State::TellClosings(const Camera& camera, const Reconciled& made) {
  for (const Closing& closing : made.closings) {
    AlertNotice notice;
    notice.id = closing.after.alert_id;
    notice.owner = camera.owner;
    notice.camera = camera.id;
    notice.rule = closing.after.rule;
    notice.cause = closing.cause;
    notice.number = closing.before.num_fired;
    notice.time = clock.Now();
    notice.since = closing.before.fired_at;
    std::vector<std::string> receivers;
    if (closing.rule != nullptr) {
      notice.severity = closing.rule->severity;
      notice.question = closing.rule->question.text();
      notice.expected = closing.rule->expected;
      notice.threshold = closing.rule->threshold.value();
      receivers = closing.rule->receivers;
    }
    if (receivers.empty()) receivers = camera.turn.view->setup.receivers;
    TellEnd(std::move(notice), TextOf(closing.after), std::move(receivers));
  }
}

void FramePath::State::TellEnd(AlertNotice notice, std::optional<std::string> state,
                               std::vector<std::string> receivers) {
  PathNumbers::Bump(numbers.resolved);
  std::vector<RecordEntry> entries;
  entries.push_back(
      {notice.owner, notice.camera, notice.rule, std::move(state), notice, std::move(receivers), nullptr});
  record->Write(std::move(entries), [self = shared_from_this(), notice](const Result<std::vector<std::string>>& ids) {
    AlertNotice told = notice;
    told.recorded = ids.status();
    if (ids.ok() && !ids->empty()) told.event = (*ids)[0];
    if (!ids.ok()) PathNumbers::Bump(self->numbers.not_recorded);
    self->observers.TellAlert(told);
  });
}

void FramePath::State::Plan(Trip& trip) {
  const PendingFrame& frame = *trip.frame;
  Camera::InTurn& turn = trip.camera->turn;
  FrameResult& result = *trip.result;
  result.frame = frame.id;
  result.owner = trip.camera->owner;
  result.camera = trip.camera->id;
  result.device = frame.submission.device;
  result.sequence = frame.submission.sequence;
  result.questions = frame.submission.questions;
  result.time = frame.time.time;
  result.received = frame.received;
  // Out of order: a newer one has been judged. (By more than kMaxGap our own clock was set back.)
  const bool earlier = result.time < turn.newest && turn.newest - result.time <= rules::kMaxGap;
  result.late = frame.time.timeliness != Timeliness::kFresh || earlier;
  if (!result.late) turn.newest = result.time;
  const nanoseconds now = clock.Monotonic();
  result.waited = now - frame.arrived;
  numbers.waited.Add(result.waited);
  trip.stage_began = now;

  trip.turns.resize(turn.rules.size());
  for (size_t i = 0; i < turn.rules.size(); ++i) {
    const rules::Rule& rule = RuleAt(turn, i);
    const bool snoozed = IsSnoozed(turn.view->snoozes, rule.id, trip.camera->id, result.time);
    switch (TurnOf(rule, turn.view->zones[turn.rules[i]].get(), turn.states[i], snoozed, result.time)) {
      case Turn::kDue:
        trip.turns[i].kind = result.late ? Kind::kLate : Kind::kAsked;
        break;
      case Turn::kNotDue:
        trip.turns[i].kind = result.late ? Kind::kLate : Kind::kNotDue;
        break;
      case Turn::kSnoozed:
        trip.turns[i].kind = result.late ? Kind::kLate : Kind::kSnoozed;
        break;
    }
  }
}

bool FramePath::State::WantsAsking(Trip& trip) {
  const PendingFrame& frame = *trip.frame;
  Camera::InTurn& turn = trip.camera->turn;
  if (clock.Monotonic() - frame.arrived >= options.answer_within) {
    PathNumbers::Bump(numbers.expired);
    trip.result->trouble = DeadlineExceeded("frame: waited past its deadline", "deadline");
    SetAll(trip, Kind::kShed);
    return false;
  }
  const CameraSetup& setup = turn.view->setup.cameras[turn.view->camera_idx.at(trip.camera->id)];
  const bool forced = frame.submission.must_ask || !frame.own.empty();
  const Need need = NeedOf(trip);
  if (!forced && need == Need::kNone) return false;
  if (!setup.gate || forced || need == Need::kMust || trip.gate_pressed) {
    if (turn.gate != nullptr) {
      turn.gate->Skip();
      PathNumbers::Bump(numbers.looks_skipped);
    }
  } else if (!PassesGate(trip, setup, need)) {
    return false;
  }
  std::vector<const rules::Rule*> chosen;
  std::vector<bool> must_ask;
  std::vector<size_t> idx;
  for (size_t i = 0; i < trip.turns.size(); ++i) {
    if (trip.turns[i].kind != Kind::kAsked && !frame.submission.must_ask) {
      turn.states[i].must_ask = true;  // what this frame shows it has not been asked about
      continue;
    }
    chosen.push_back(&RuleAt(turn, i));
    must_ask.push_back(turn.states[i].must_ask);
    idx.push_back(i);
  }
  trip.plan = PlanInquiry(frame.own, chosen, must_ask);
  for (size_t i = 0; i < idx.size(); ++i) {
    RuleTurn& of_rule = trip.turns[idx[i]];
    of_rule.place = trip.plan.places[i];
    turn.states[idx[i]].must_ask = true;  // until it is answered
    if (of_rule.place.question < 0 && of_rule.kind == Kind::kAsked) of_rule.kind = Kind::kNotDue;
  }
  return !trip.plan.questions.empty();
}

FramePath::State::Need FramePath::State::NeedOf(const Trip& trip) {
  const Camera::InTurn& turn = trip.camera->turn;
  Need need = Need::kNone;
  for (size_t i = 0; i < trip.turns.size(); ++i) {
    if (trip.turns[i].kind != Kind::kAsked) continue;
    const RuleState& state = turn.states[i];
    const Time time = trip.result->time;
    const bool answer =
        WantsAgain(state, time) || rules::WantsAnswer(RuleAt(turn, i), state.alert, state.asked_at, time);
    need = std::max(need, state.must_ask ? Need::kMust : answer ? Need::kAnswer : Need::kIfChanged);
  }
  return need;
}

bool FramePath::State::PassesGate(Trip& trip, const CameraSetup& setup, Need need) {
  Camera::InTurn& turn = trip.camera->turn;
  const auto set_due = [&](Kind kind) {
    for (RuleTurn& of_rule : trip.turns) {
      if (of_rule.kind == Kind::kAsked) of_rule.kind = kind;
    }
  };
  if (turn.gate == nullptr) {
    frames::ChangeOptions change = options.change;
    change.refresh = setup.refresh;
    turn.gate = std::make_unique<Gate>(change);
  }
  turn.gate_used = clock.Now();
  if (need == Need::kIfChanged && turn.gate->HoldsBack(trip.result->time)) {
    PathNumbers::Bump(numbers.held_back);
    set_due(Kind::kNotDue);
    return false;
  }
  const Result<bool> ask = turn.gate->Look(*trip.frame->submission.encoded, trip.result->time, need == Need::kAnswer);
  const nanoseconds now = clock.Monotonic();
  trip.result->looked = now - std::exchange(trip.stage_began, now);
  numbers.looked.Add(trip.result->looked);
  PathNumbers::Bump(numbers.looks);
  if (!ask.ok()) {
    trip.result->trouble = ask.status();
    SetAll(trip, Kind::kUndecodable);
    return false;
  }
  if (*ask) return true;
  PathNumbers::Bump(numbers.unchanged);
  set_due(Kind::kUnchanged);
  return false;
}

void FramePath::State::Ask(const std::shared_ptr<Trip>& trip) {
  const PendingFrame& frame = *trip->frame;
  Inquiry inquiry;
  inquiry.frame_id = frame.id;
  inquiry.camera = trip->camera->id;
  inquiry.owner = trip->camera->owner;
  inquiry.encoded = frame.submission.encoded;
  inquiry.questions = trip->plan.questions;
  const nanoseconds now = clock.Monotonic();
  trip->stage_began = now;
  const nanoseconds left = options.answer_within - (now - frame.arrived);
  inquiry.deadline = std::chrono::steady_clock::now() + std::max(left, nanoseconds(0));
  trip->result->asked = true;
  PathNumbers::Bump(numbers.asked);
  PathNumbers::Bump(numbers.questions, inquiry.questions.size());
  backend.Ask(std::move(inquiry),
              [self = shared_from_this(), trip](Result<Reply> reply) { self->OnReply(trip, std::move(reply)); });
}

void FramePath::State::OnReply(const std::shared_ptr<Trip>& trip, Result<Reply> reply) {
  FrameResult& result = *trip->result;
  result.answering = clock.Monotonic() - trip->stage_began;
  numbers.answering.Add(result.answering);
  Status status = reply.ok() ? CheckReply(*reply, trip->plan.questions.size()) : reply.status();
  ReleaseSlot(*trip, status);
  if (status.ok()) {
    PathNumbers::Bump(numbers.answered);
    result.answers = std::move(reply->answers);
    result.pool = std::move(reply->pool);
    result.endpoint = std::move(reply->endpoint);
    result.model_version = std::move(reply->model_version);
    std::vector<std::string_view> asking;
    for (size_t i = 0; i < trip->turns.size(); ++i) {
      if (trip->turns[i].place.question >= 0) asking.push_back(trip->camera->turn.states[i].rule);
    }
    cost.Answered(result.pool, result.owner, asking, result.answers.size());
  } else {
    const Kind kind = KindOf(status);
    PathNumbers::Bump(kind == Kind::kShed ? numbers.shed : numbers.unanswered);
    for (RuleTurn& turn : trip->turns) {
      if (turn.kind == Kind::kAsked) turn.kind = kind;
    }
    result.trouble = std::move(status);
  }
  Conclude(trip);
}

AlertNotice FramePath::State::NoticeOf(const Trip& trip, const rules::Rule& rule, const RuleState& state,
                                       const Judged& judged) {
  AlertNotice notice;
  notice.id = state.alert_id;
  notice.owner = trip.camera->owner;
  notice.camera = trip.camera->id;
  notice.rule = rule.id;
  notice.frame = trip.result->frame;
  notice.change = *judged.change;
  notice.cause = rules::UpdateCauseName(judged.cause);
  notice.number = state.alert.num_fired;
  notice.time = trip.result->time;
  notice.since =
      judged.change == AlertChange::kFired ? judged.before.true_since.value_or(notice.time) : judged.before.fired_at;
  notice.severity = rule.severity;
  notice.question = rule.question.text();
  notice.expected = rule.expected;
  notice.threshold = rule.threshold.value();
  notice.p_yes = judged.outcome.p_yes;
  return notice;
}

void FramePath::State::Conclude(const std::shared_ptr<Trip>& trip) {
  FrameResult& result = *trip->result;
  Camera::InTurn& turn = trip->camera->turn;
  std::vector<RecordEntry> entries;
  std::vector<size_t> notice_at;  // entries that have one
  for (size_t i = 0; i < trip->turns.size(); ++i) {
    const rules::Rule& rule = RuleAt(turn, i);
    RuleState& state = turn.states[i];
    Judged judged = JudgeRule(rule, trip->turns[i], result.answers, result.time, state);
    if (judged.change == AlertChange::kFired) {
      state.alert_id = NewId("alr_", clock.Now());
      cost.Alerted(result.owner, rule.id);
    }
    if (judged.write_state) {
      RecordEntry entry{result.owner, result.camera, rule.id, TextOf(state), std::nullopt, {}, nullptr};
      if (judged.change) {
        PathNumbers::Bump(CountOf(numbers, *judged.change));
        result.changes.push_back(NoticeOf(*trip, rule, state, judged));
        entry.notice = result.changes.back();
        entry.receivers = rule.receivers.empty() ? turn.view->setup.receivers : rule.receivers;
        if (judged.change == AlertChange::kFired) entry.picture = trip->frame->submission.encoded;
        notice_at.push_back(entries.size());
      }
      entries.push_back(std::move(entry));
    }
    result.outcomes.push_back(std::move(judged.outcome));
  }
  if (result.changes.empty()) {
    if (!entries.empty()) record->Write(std::move(entries), [](const Result<std::vector<std::string>>&) {});
    return End(trip);
  }
  trip->stage_began = clock.Monotonic();
  record->Write(std::move(entries),
                [self = shared_from_this(), trip, notice_at](const Result<std::vector<std::string>>& events) {
                  self->numbers.recording.Add(self->clock.Monotonic() - trip->stage_began);
                  for (size_t i = 0; i < notice_at.size(); ++i) {
                    AlertNotice& notice = trip->result->changes[i];
                    notice.recorded = events.status();
                    if (events.ok() && notice_at[i] < events->size()) notice.event = (*events)[notice_at[i]];
                    if (!events.ok()) PathNumbers::Bump(self->numbers.not_recorded);
                  }
                  self->End(trip);
                });
}

void FramePath::State::End(const std::shared_ptr<Trip>& trip) {
  trip->result->total = clock.Monotonic() - trip->frame->arrived;
  numbers.total.Add(trip->result->total);
  if (!trip->result->outcomes.empty() && trip->result->outcomes[0].reason == rules::Reason::kUndecodable) {
    PathNumbers::Bump(numbers.undecodable);
  }
  Deliver(trip->result, trip->frame->done);
  trip->frame->done = nullptr;  // what it holds dies before the camera's next turn
  FinishTurn(trip->camera, trip->frame.get(), trip->result);
}

void FramePath::State::Deliver(const std::shared_ptr<const FrameResult>& result, const Done& done) {
  why.Add(*result);
  observers.TellFrame(result);
  for (const AlertNotice& notice : result->changes) observers.TellAlert(notice);
  if (done) done(result);
}

void FramePath::State::ReleaseSlot(Trip& trip, const Status& reply) {
  MutexLock lock(mu);
  CHECK(std::exchange(trip.holds_slot, false));
  if (trip.result->asked) {
    if (reply.ok()) window.OnAnswered();
    if (reply.code() == StatusCode::kResourceExhausted) window.OnFull(outstanding);
  }
  --outstanding;
  if (MayStep()) work.NotifyOne();
}

void FramePath::State::FinishTurn(const std::shared_ptr<Camera>& camera, const PendingFrame* frame,
                                  const std::shared_ptr<const FrameResult>& result) {
  MutexLock lock(mu);
  camera->has_states = !camera->turn.states.empty();
  // What ends now may have begun before it was removed and there again.
  CameraCounts before;
  CameraCounts& counts = camera->came_back ? before : camera->counts;
  if (frame != nullptr) {
    const nanoseconds now = clock.Monotonic();
    const bool expired = result->trouble.reason() == "deadline" && !result->asked;
    (expired ? shed : ended).Add(now);
    if (result->asked) {
      ++counts.asked;
      asked.Add(now);
    }
    counts.alerts += static_cast<uint64_t>(
        std::count_if(result->changes.begin(), result->changes.end(),
                      [](const AlertNotice& notice) { return notice.change == AlertChange::kFired; }));
    if (camera->recent != nullptr && frame->submission.sequence) camera->recent->SetResult(frame->id, result);
    mailbox.Release(camera->owner, frame->submission.encoded->size());
  }
  bool same = camera->phases != nullptr && camera->phases->size() == camera->turn.rules.size();
  for (size_t i = 0; same && i < camera->phases->size(); ++i) {
    const RuleState& state = camera->turn.states[i];
    same = (*camera->phases)[i].second == state.alert.phase && (*camera->phases)[i].first == state.rule;
  }
  if (!same && !camera->came_back) {
    std::vector<std::pair<std::string, rules::AlertPhase>> phases;
    for (size_t i = 0; i < camera->turn.rules.size(); ++i) {
      phases.emplace_back(camera->turn.states[i].rule, camera->turn.states[i].alert.phase);
    }
    camera->phases = std::make_shared<const decltype(phases)>(std::move(phases));
  }
  mailbox.Finish(camera);
  --turns;
  if (MayStep()) work.NotifyOne();
  idle.NotifyAll();
}

void FramePath::State::EndUntravelled(
    std::unique_ptr<PendingFrame> frame, const std::shared_ptr<const OwnerView>& view,
    const std::shared_ptr<const std::vector<std::pair<std::string, rules::AlertPhase>>>& phases, rules::Reason reason,
    Status trouble) {
  const auto result = std::make_shared<FrameResult>();
  result->frame = frame->id;
  result->owner = frame->submission.owner;
  result->camera = frame->submission.camera;
  result->device = frame->submission.device;
  result->sequence = frame->submission.sequence;
  result->questions = frame->submission.questions;
  result->time = frame->time.time;
  result->received = frame->received;
  result->late = frame->time.timeliness != Timeliness::kFresh;
  result->trouble = std::move(trouble);
  result->waited = result->total = clock.Monotonic() - frame->arrived;
  const auto add = [&](const std::string& rule, rules::AlertPhase phase) {
    result->outcomes.push_back({rule, std::nullopt, std::nullopt, reason, phase});
  };
  if (phases != nullptr) {
    for (const auto& [rule, phase] : *phases) add(rule, phase);
  } else {
    for (const size_t idx : view->RulesOf(frame->submission.camera)) {
      add(view->setup.rules[idx].id, rules::AlertPhase::kInactive);
    }
  }
  Deliver(result, frame->done);
  frame->done = nullptr;
  MutexLock lock(mu);
  mailbox.Release(frame->submission.owner, frame->submission.encoded->size());
  idle.NotifyAll();
}

}  // namespace pawsight::gateway
