#include "notify/retry.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"

namespace pawsight::notify {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Action = Decision::Action;
using Kind = Outcome::Kind;

TEST(Retry, TheWaitDoublesFromFiveSecondsToADay) {
  const RetryPolicy policy;
  EXPECT_EQ(Backoff(policy, 1, 0.5), seconds(5));
  EXPECT_EQ(Backoff(policy, 2, 0.5), seconds(10));
  EXPECT_EQ(Backoff(policy, 10, 0.5), seconds(2560));
  EXPECT_EQ(Backoff(policy, 15, 0.5), seconds(81920));
  EXPECT_EQ(Backoff(policy, 16, 0.5), hours(24));
  EXPECT_EQ(Backoff(policy, 1000000, 0.5), hours(24));
}

TEST(Retry, TheDiceMoveTheWaitByAFifthAndNeverPastTheLongest) {
  const RetryPolicy policy;
  EXPECT_EQ(Backoff(policy, 1, 0), seconds(4));
  Rng rng(1);
  for (int failures = 1; failures < 40; ++failures) {
    const milliseconds middle = Backoff(policy, failures, 0.5);
    const milliseconds wait = Backoff(policy, failures, rng.Uniform());
    EXPECT_GE(wait, middle * 8 / 10);
    EXPECT_LE(wait, std::min<milliseconds>(middle * 12 / 10, policy.longest));
  }
}

TEST(Retry, EachStatusHasItsOutcome) {
  for (const int status : {200, 201, 202, 204, 299})
    EXPECT_EQ(OutcomeOfHttp(status, {}).kind, Kind::kDelivered) << status;
  for (const int status :
       {100, 301, 302, 307, 308, 401, 403, 405, 408, 409, 418, 425, 429, 500, 502, 503, 504, 599, 999})
    EXPECT_EQ(OutcomeOfHttp(status, {}).kind, Kind::kFailed) << status;
  for (const int status : {400, 411, 413, 414, 415, 422, 431})
    EXPECT_EQ(OutcomeOfHttp(status, {}).kind, Kind::kRefused) << status;
  EXPECT_EQ(OutcomeOfHttp(404, {}).kind, Kind::kMissing);
  EXPECT_EQ(OutcomeOfHttp(410, {}).kind, Kind::kGone);
  EXPECT_EQ(OutcomeOfHttp(429, seconds(7)).retry_after, seconds(7));
}

TEST(Retry, WhatAReceiverAsksForIsHonouredWithinBounds) {
  const RetryPolicy policy;
  EXPECT_EQ(Decide(policy, OutcomeOfHttp(429, seconds(120)), {}, 0.5).wait, seconds(120));
  EXPECT_EQ(Decide(policy, OutcomeOfHttp(503, seconds(0)), {}, 0.5).wait, seconds(5));
  EXPECT_EQ(Decide(policy, OutcomeOfHttp(503, seconds(1000000000)), {}, 0.5).wait, hours(24));
  EXPECT_EQ(Decide(policy, OutcomeOfHttp(429, seconds(120)), {}, 0.5).action, Action::kRetry);
}

TEST(Retry, GoneSwitchesOffAtOnceAndMissingAfterSomeInARow) {
  const RetryPolicy policy;
  EXPECT_EQ(Decide(policy, OutcomeOfHttp(410, {}), {}, 0.5).action, Action::kSwitchOff);
  EXPECT_EQ(Decide(policy, OutcomeOfHttp(404, {}), {.missing = 7}, 0.5).action, Action::kRetry);
  EXPECT_EQ(Decide(policy, OutcomeOfHttp(404, {}), {.missing = 8}, 0.5).action, Action::kSwitchOff);
}

TEST(Retry, ARefusedMessageDiesSoonAndAFailedOneOfAge) {
  const RetryPolicy policy;
  EXPECT_EQ(Decide(policy, OutcomeOfHttp(422, {}), {.attempts = 7}, 0.5).action, Action::kRetry);
  EXPECT_EQ(Decide(policy, OutcomeOfHttp(422, {}), {.attempts = 8}, 0.5).action, Action::kDead);
  EXPECT_EQ(Decide(policy, Failed("no connection"), {.attempts = 1000, .age = hours(71)}, 0.5).action, Action::kRetry);
  EXPECT_EQ(Decide(policy, Failed("no connection"), {.attempts = 1, .age = hours(72)}, 0.5).action, Action::kDead);
  EXPECT_EQ(Decide(policy, Delivered(), {.age = hours(1000)}, 0.5).action, Action::kDone);
}

TEST(Retry, AReceiverThatIsDownForADayCostsFewAttempts) {
  const RetryPolicy policy;
  Rng rng(7);
  milliseconds time{0};
  int attempts = 0;
  while (time < hours(24)) time += Decide(policy, Failed("down"), {.failures = ++attempts}, rng.Uniform()).wait;
  EXPECT_GE(attempts, 13);
  EXPECT_LE(attempts, 17);
}

}  // namespace
}  // namespace pawsight::notify
