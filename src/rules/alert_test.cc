#include "rules/alert.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/rng.h"

namespace pawsight::rules {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Kind = Sighting::Kind;

Rule MakeRule(int hold_s, int clear_s, int cooldown_s) {
  return Rule{"r",
              Question::Parse("Is it?").value(),
              true,
              Threshold::Parse(0.7).value(),
              0.1,
              seconds(hold_s),
              seconds(clear_s),
              seconds(cooldown_s),
              Severity::kWarning};
}

/// Plays frames one second apart: T true, F false, U unsure, "." unchanged, "-" unanswered, "!" undecodable, " " none.
class Player {
 public:
  explicit Player(Rule rule) : rule_(std::move(rule)) {}

  std::vector<Reason> Play(std::string_view frames) {
    std::vector<Reason> reasons;
    for (const char frame : frames) {
      if (frame != ' ') reasons.push_back(See(frame));
      now_ += seconds(1);
    }
    return reasons;
  }
  Reason Last(std::string_view frames) { return Play(frames).back(); }
  void Wait(seconds by) { now_ += by; }
  const AlertState& state() const { return state_; }

 private:
  Reason See(char frame) {
    Sighting sighting{now_, Kind::kAsked, Verdict::kFalse};
    if (frame == '.') sighting.kind = Kind::kUnchanged;
    if (frame == '-') sighting.kind = Kind::kUnanswered;
    if (frame == '!') sighting.kind = Kind::kUndecodable;
    if (frame == 'T') sighting.verdict = Verdict::kTrue;
    if (frame == 'U') sighting.verdict = Verdict::kUnsure;
    const AlertStep step = Advance(rule_, state_, sighting);
    state_ = step.state;
    return step.reason;
  }

  Rule rule_;
  AlertState state_;
  Time now_{seconds(1000)};
};

using Reasons = std::vector<Reason>;

TEST(AlertTest, WithoutHoldTheFirstTrueFrameFires) {
  Player player(MakeRule(0, 2, 0));
  EXPECT_EQ(player.Play("FT"), (Reasons{Reason::kBelowThreshold, Reason::kFired}));
  EXPECT_EQ(player.state().phase, AlertPhase::kFiring);
  EXPECT_EQ(player.state().num_fired, 1U);
}

TEST(AlertTest, AnAlertIsPendingUntilTheVerdictHasHeld) {
  Player player(MakeRule(3, 2, 0));
  EXPECT_EQ(player.Play("TTTT"), (Reasons{Reason::kPending, Reason::kPending, Reason::kPending, Reason::kFired}));
  EXPECT_EQ(player.Last("T"), Reason::kFiring);
}

TEST(AlertTest, AFalseFrameEndsPending) {
  Player player(MakeRule(3, 2, 0));
  EXPECT_EQ(player.Play("TTFT"),
            (Reasons{Reason::kPending, Reason::kPending, Reason::kBelowThreshold, Reason::kPending}));
  EXPECT_EQ(player.Last("TT"), Reason::kPending) << "hold starts anew";
  EXPECT_EQ(player.Last("T"), Reason::kFired);
}

TEST(AlertTest, AnUnsureFrameMovesNothingAndFiresNothing) {
  Player player(MakeRule(2, 2, 0));
  EXPECT_EQ(player.Play("UTUUU"),
            (Reasons{Reason::kUnsure, Reason::kPending, Reason::kUnsure, Reason::kUnsure, Reason::kUnsure}));
  EXPECT_EQ(player.Last("."), Reason::kUnchanged) << "unchanged since an unsure frame is unsure too";
  EXPECT_EQ(player.Last("T"), Reason::kFired) << "true at the start of hold, never false since";
}

TEST(AlertTest, OneNoisyFrameDoesNotResolve) {
  Player player(MakeRule(0, 0, 0));
  EXPECT_EQ(player.Play("TFT"), (Reasons{Reason::kFired, Reason::kClearing, Reason::kFiring}));
  EXPECT_EQ(player.Play("FF"), (Reasons{Reason::kClearing, Reason::kResolved})) << "two false frames in a row do";
}

TEST(AlertTest, OneNoisyFrameRepeatedByUnchangedOnesDoesNotResolve) {
  Player player(MakeRule(0, 2, 0));
  EXPECT_EQ(player.Play("TF...T"), (Reasons{Reason::kFired, Reason::kClearing, Reason::kClearing, Reason::kClearing,
                                            Reason::kClearing, Reason::kFiring}));
}

TEST(AlertTest, AlertIsResolvedAfterClearWithoutATrueFrame) {
  Player player(MakeRule(0, 3, 0));
  EXPECT_EQ(player.Play("TFFTFUFF"),
            (Reasons{Reason::kFired, Reason::kClearing, Reason::kClearing, Reason::kFiring, Reason::kClearing,
                     Reason::kUnsure, Reason::kClearing, Reason::kResolved}));
  EXPECT_EQ(player.state().phase, AlertPhase::kResolved);
}

TEST(AlertTest, TheCooldownHoldsBackASecondAlertAndThenLetsItFire) {
  Player player(MakeRule(0, 0, 5));
  EXPECT_EQ(player.Last("TFF"), Reason::kResolved);
  EXPECT_EQ(player.Play("TTTTT"),
            (Reasons{Reason::kCooldown, Reason::kCooldown, Reason::kCooldown, Reason::kCooldown, Reason::kFired}));
  EXPECT_EQ(player.state().num_fired, 2U);
}

TEST(AlertTest, ATrueFrameInTheCooldownThatEndsBeforeItNeverFires) {
  Player player(MakeRule(0, 0, 5));
  player.Play("TFFTTF");
  EXPECT_EQ(player.Last("FFFF"), Reason::kBelowThreshold);
  EXPECT_EQ(player.state().phase, AlertPhase::kInactive);
  EXPECT_EQ(player.state().num_fired, 1U);
}

TEST(AlertTest, UnchangedFramesCarryPendingOnToFiring) {
  Player player(MakeRule(3, 2, 0));
  EXPECT_EQ(player.Play("T...."),
            (Reasons{Reason::kPending, Reason::kPending, Reason::kPending, Reason::kFired, Reason::kUnchanged}));
}

TEST(AlertTest, AFrameThatGotNoAnswerChangesNothing) {
  Player player(MakeRule(2, 2, 0));
  player.Play("T");
  const AlertState before = player.state();
  EXPECT_EQ(player.Play("-!"), (Reasons{Reason::kUnanswered, Reason::kUndecodable}));
  EXPECT_EQ(player.state(), before);
}

TEST(AlertTest, AClockThatIsSetBackDoesNotBlindARule) {
  Player player(MakeRule(2, 2, 10));
  EXPECT_EQ(player.Last("FTT"), Reason::kPending);
  player.Wait(seconds(-3600));
  EXPECT_EQ(player.Last("TTT"), Reason::kFired) << "two seconds by the new time";
  player.Wait(seconds(-3600));
  EXPECT_EQ(player.Last("TFFF"), Reason::kResolved);
  player.Wait(seconds(-3600));
  EXPECT_EQ(player.Last("FTTTTTTTTTT"), Reason::kFired) << "the cooldown of ten seconds begins anew";
}

TEST(AlertTest, ALateFrameNeverAlerts) {
  const Rule rule = MakeRule(0, 0, 0);
  AlertState state = Advance(rule, {}, {Time(seconds(100)), Kind::kAsked, Verdict::kFalse}).state;
  const AlertStep step = Advance(rule, state, {Time(seconds(99)), Kind::kAsked, Verdict::kTrue});
  EXPECT_EQ(step.reason, Reason::kLate);
  EXPECT_EQ(step.state, state);
}

TEST(AlertTest, ALongGapStartsHoldAnewButKeepsAFiringAlert) {
  Player pending(MakeRule(5, 2, 0));
  pending.Play("T");
  pending.Wait(seconds(61));
  EXPECT_EQ(pending.Last("T"), Reason::kPending) << "nobody saw what was between";
  Player firing(MakeRule(0, 2, 0));
  firing.Play("T");
  firing.Wait(seconds(3600));
  EXPECT_EQ(firing.Last("T"), Reason::kFiring);
  EXPECT_EQ(firing.state().num_fired, 1U);
}

Rule OfFrames(int needed, int of) {
  Rule rule = MakeRule(0, 0, 0);
  rule.frames = {needed, of};
  return rule;
}

TEST(AlertTest, SoManyOfTheLastFramesFireThoughOneBetweenWasFalse) {
  Player player(OfFrames(3, 5));
  EXPECT_EQ(player.Play("TFTFT"), (Reasons{Reason::kPending, Reason::kBelowThreshold, Reason::kPending,
                                           Reason::kBelowThreshold, Reason::kFired}));
  Player slow(OfFrames(3, 4));
  EXPECT_EQ(slow.Last("TFTFT"), Reason::kPending) << "the first has left the window";
  EXPECT_EQ(slow.state().phase, AlertPhase::kPending);
  EXPECT_EQ(slow.Last("FFFF"), Reason::kBelowThreshold);
  EXPECT_EQ(slow.state().phase, AlertPhase::kInactive) << "none is left";
}

TEST(AlertTest, FramesThatWereNotAskedOrUnsureAreNoneOfThem) {
  Player player(OfFrames(2, 2));
  EXPECT_EQ(player.Play("T..U-T"), (Reasons{Reason::kPending, Reason::kPending, Reason::kPending, Reason::kUnsure,
                                            Reason::kUnanswered, Reason::kFired}));
}

TEST(AlertTest, AfterAGapFramesAreCountedAnew) {
  Player player(OfFrames(2, 3));
  player.Play("T");
  player.Wait(seconds(61));
  EXPECT_EQ(player.Play("FT"), (Reasons{Reason::kBelowThreshold, Reason::kPending}));
}

TEST(AlertTest, ARuleThatIsSampledRarelyMayHaveGapsOfTwoSamples) {
  Rule rule = MakeRule(150, 0, 0);
  rule.sample_every = seconds(60);
  Player player(rule);
  player.Play("T");
  player.Wait(seconds(100));
  EXPECT_EQ(player.Last("T"), Reason::kPending);
  player.Wait(seconds(100));
  EXPECT_EQ(player.Last("T"), Reason::kFired);
}

TEST(AlertTest, AGuardsNoIsFalseWithItsOwnReason) {
  const Rule rule = MakeRule(5, 0, 0);
  AlertState state = Advance(rule, {}, {Time(seconds(100)), Kind::kAsked, Verdict::kTrue}).state;
  const AlertStep step = Advance(rule, state, {Time(seconds(101)), Kind::kAsked, Verdict::kFalse, true});
  EXPECT_EQ(step.reason, Reason::kGuard);
  EXPECT_EQ(step.state.phase, AlertPhase::kInactive) << "it ends pending as any false does";
}

TEST(AlertTest, FramesThatSayNothingLeaveTheStateAndAreTheirOwnReason) {
  const Rule rule = MakeRule(5, 0, 0);
  const AlertState state = Advance(rule, {}, {Time(seconds(100)), Kind::kAsked, Verdict::kTrue}).state;
  std::set<Reason> reasons;
  for (const Kind kind : {Kind::kLate, Kind::kNotDue, Kind::kSnoozed, Kind::kReplaced, Kind::kShed, Kind::kUnanswered,
                          Kind::kUndecodable}) {
    const AlertStep step = Advance(rule, state, {Time(seconds(500)), kind, Verdict::kTrue});
    EXPECT_EQ(step.state, state);
    reasons.insert(step.reason);
  }
  EXPECT_EQ(reasons.size(), 7U);
}

TEST(AlertTest, ARetiredStateKnowsOnlyHowManyAlertsThereWere) {
  Player player(MakeRule(0, 0, 100));
  player.Play("T");
  const Retired retired = Retire(player.state(), Time(seconds(2000)));
  EXPECT_TRUE(retired.ended);
  EXPECT_EQ(retired.state.phase, AlertPhase::kInactive);
  EXPECT_EQ(retired.state.num_fired, 1U);
  const AlertStep next =
      Advance(MakeRule(0, 0, 100), retired.state, {Time(seconds(2001)), Kind::kAsked, Verdict::kTrue});
  EXPECT_EQ(next.reason, Reason::kFired) << "no cooldown";
  EXPECT_FALSE(Retire(AlertState{}, Time(seconds(1))).ended);
}

TEST(AlertTest, UndecidedMeansThatTheNextAnswerMatters) {
  Player player(MakeRule(2, 2, 3));
  EXPECT_FALSE(IsUndecided(player.state()));
  player.Play("T");
  EXPECT_TRUE(IsUndecided(player.state())) << "pending";
  player.Play("TT");
  EXPECT_FALSE(IsUndecided(player.state())) << "firing";
  player.Play("F");
  EXPECT_TRUE(IsUndecided(player.state())) << "clearing";
  player.Play("FF");
  EXPECT_FALSE(IsUndecided(player.state())) << "resolved";
}

TEST(AlertTest, AnAnswerIsWantedOfAnUnchangedFrameWhereItDecidesAndNowAndThenWhileAnAlertIsNear) {
  const Rule rule = MakeRule(10, 5, 60);
  const Time start(seconds(1000));
  const auto wants = [&](const AlertState& state, int asked_s, int now_s) {
    return WantsAnswer(rule, state, start + seconds(asked_s), start + seconds(now_s));
  };
  EXPECT_FALSE(wants(AlertState{}, 0, 100)) << "nothing is near";
  AlertState pending;
  pending.phase = AlertPhase::kPending;
  pending.true_since = start;
  EXPECT_FALSE(wants(pending, 0, 1)) << "asked a second ago";
  EXPECT_TRUE(wants(pending, 0, 2));
  EXPECT_TRUE(wants(pending, 9, 10)) << "this frame would fire";
  AlertState clearing;
  clearing.phase = AlertPhase::kFiring;
  clearing.false_since = start;
  clearing.num_false = 1;
  EXPECT_TRUE(wants(clearing, 0, 1)) << "one false frame ends no alert";
  clearing.num_false = 2;
  EXPECT_FALSE(wants(clearing, 1, 2));
  EXPECT_TRUE(wants(clearing, 4, 5)) << "this frame would end it";
  AlertState cooling;
  cooling.phase = AlertPhase::kResolved;
  cooling.num_fired = 1;
  cooling.resolved_at = start;
  cooling.true_since = start + seconds(2);
  EXPECT_FALSE(wants(cooling, 2, 50)) << "nothing can be decided in cooldown";
  EXPECT_TRUE(wants(cooling, 59, 60)) << "it has held for longer than it must";
}

TEST(AlertTest, OfNOfMFramesEachCounts) {
  Rule rule = MakeRule(0, 5, 0);
  rule.frames = {2, 3};
  AlertState pending;
  pending.true_since = Time(seconds(1000));
  pending.recent = 1;
  EXPECT_TRUE(WantsAnswer(rule, pending, Time(seconds(1000)), Time(seconds(1001))));
}

TEST(AlertTest, EveryReasonHasItsOwnName) {
  std::set<std::string_view> names;
  for (const Reason reason : AllReasons()) names.insert(ReasonName(reason));
  EXPECT_EQ(names.size(), kNumReasons);
}

struct Seen {
  Sighting sighting;
  Reason reason;
};

/// Random frames at random times, in runs so that alerts open and end.
std::vector<Seen> PlayAtRandom(const Rule& rule, uint64_t seed, AlertState* state) {
  Rng rng(seed);
  Time now{seconds(1000)};
  Verdict mood = Verdict::kFalse;
  std::vector<Seen> seen;
  for (int i = 0; i < 400; ++i) {
    now += milliseconds(1 + rng.Below(rng.Chance(0.01) ? 100000 : 2000));
    if (rng.Chance(0.15)) mood = static_cast<Verdict>(rng.Below(3));
    Sighting sighting{now, Kind::kAsked, rng.Chance(0.1) ? static_cast<Verdict>(rng.Below(3)) : mood};
    if (rng.Chance(0.2)) sighting.kind = static_cast<Kind>(1 + rng.Below(3));
    if (rng.Chance(0.03)) sighting.time -= seconds(10);
    const AlertStep step = Advance(rule, *state, sighting);
    EXPECT_EQ(step.state, Advance(rule, *state, sighting).state) << "a pure function";
    EXPECT_EQ(step.state.num_fired - state->num_fired, step.reason == Reason::kFired ? 1U : 0U);
    *state = step.state;
    seen.push_back({sighting, step.reason});
  }
  return seen;
}

bool Asked(const Seen& frame, Verdict verdict) {
  return frame.reason != Reason::kLate && frame.sighting.kind == Kind::kAsked && frame.sighting.verdict == verdict;
}

/// Before the alert of frame `idx`: true seen `hold` ago or more, no false since, and no gap between.
void CheckFired(const Rule& rule, const std::vector<Seen>& seen, size_t idx) {
  const Time fired = seen[idx].sighting.time;
  Time newer = fired;
  for (size_t i = idx + 1; i-- > 0;) {
    const Seen& frame = seen[i];
    if (frame.reason == Reason::kLate || frame.reason == Reason::kUnanswered || frame.reason == Reason::kUndecodable)
      continue;
    ASSERT_LE(newer - frame.sighting.time, kMaxGap);
    ASSERT_FALSE(Asked(frame, Verdict::kFalse)) << "false within hold";
    newer = frame.sighting.time;
    if (fired - newer >= rule.hold && Asked(frame, Verdict::kTrue)) return;
  }
  FAIL() << "no true verdict as old as hold";
}

/// Before the end of frame `idx`: false frames at least `clear` apart, none true between.
void CheckResolved(const Rule& rule, const std::vector<Seen>& seen, size_t idx) {
  int num_false = 0;
  Time oldest = seen[idx].sighting.time;
  for (size_t i = idx + 1; i-- > 0 && seen[i].reason != Reason::kFired && !Asked(seen[i], Verdict::kTrue);) {
    if (!Asked(seen[i], Verdict::kFalse)) continue;
    ++num_false;
    oldest = seen[i].sighting.time;
  }
  EXPECT_GE(num_false, kMinFalseFrames);
  EXPECT_GE(seen[idx].sighting.time - oldest, rule.clear);
}

TEST(AlertPropertyTest, NoSequenceOfFramesBreaksThePromises) {
  int fired = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    Rng rng(seed + 7000);
    const Rule rule = MakeRule(rng.Below(6), rng.Below(6), rng.Below(30));
    AlertState state;
    const std::vector<Seen> seen = PlayAtRandom(rule, seed, &state);
    std::optional<Time> ended;
    bool open = false;
    for (size_t i = 0; i < seen.size(); ++i) {
      SCOPED_TRACE("seed " + std::to_string(seed) + " frame " + std::to_string(i));
      if (seen[i].reason == Reason::kFired) {
        EXPECT_FALSE(open) << "one alert an episode";
        if (ended) {
          EXPECT_GE(seen[i].sighting.time - *ended, rule.cooldown);
        }
        CheckFired(rule, seen, i);
        open = true;
        ++fired;
      }
      if (seen[i].reason == Reason::kResolved) {
        EXPECT_TRUE(open);
        CheckResolved(rule, seen, i);
        open = false;
        ended = seen[i].sighting.time;
      }
      if (HasFatalFailure()) return;
    }
    EXPECT_EQ(open, state.phase == AlertPhase::kFiring);
  }
  EXPECT_GT(fired, 1000) << "the sequences must open alerts to prove anything";
}

TEST(AlertPropertyTest, ATrueThatLastsAlwaysFiresOnceAndItsEndAlwaysResolves) {
  for (int hold = 0; hold < 8; ++hold) {
    for (int clear = 0; clear < 8; ++clear) {
      Player player(MakeRule(hold, clear, 10));
      player.Play("FFF");
      player.Play(std::string(20, 'T'));
      EXPECT_EQ(player.state().phase, AlertPhase::kFiring) << hold;
      player.Play(std::string(20, 'F'));
      EXPECT_EQ(player.state().phase, AlertPhase::kInactive) << clear;
      EXPECT_EQ(player.state().num_fired, 1U);
    }
  }
}

}  // namespace
}  // namespace pawsight::rules
