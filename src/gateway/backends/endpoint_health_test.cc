#include "gateway/backends/endpoint_health.h"

#include <gtest/gtest.h>

#include "base/clock.h"

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class EndpointHealthTest : public ::testing::Test {
 protected:
  /// As the books do: a probe is sent when it is due. False: none was.
  bool Probe(bool answered) {
    if (health_.probe_at() > now_) return false;
    health_.ProbeSent();
    EXPECT_EQ(health_.probe_at(), Clock::kForever);
    answered ? health_.ProbeAnswered(now_) : health_.ProbeFailed(now_, false, rng_);
    return true;
  }
  HealthOptions options_;
  EndpointHealth health_{options_};
  Rng rng_{7};
  nanoseconds now_ = seconds(100);
};

TEST_F(EndpointHealthTest, ANewOneIsProbedAtOnceAndThenAsked) {
  EXPECT_EQ(health_.state(), HealthState::kNew);
  EXPECT_TRUE(Probe(true));
  EXPECT_EQ(health_.state(), HealthState::kHealthy);
  EXPECT_FALSE(Probe(true));
  now_ += options_.check_interval;
  EXPECT_TRUE(Probe(true));
}

TEST_F(EndpointHealthTest, OnlyFailuresInARowEject) {
  Probe(true);
  for (int n = 0; n < 10; ++n) {
    EXPECT_FALSE(health_.Failed(now_, rng_));
    EXPECT_FALSE(health_.Failed(now_, rng_));
    health_.Answered();
  }
  EXPECT_FALSE(health_.Failed(now_, rng_));
  EXPECT_FALSE(health_.Failed(now_, rng_));
  EXPECT_TRUE(health_.Failed(now_, rng_));
  EXPECT_EQ(health_.state(), HealthState::kEjected);
  EXPECT_FALSE(health_.Failed(now_, rng_));  // what was on its way
  health_.Answered();
  EXPECT_EQ(health_.state(), HealthState::kEjected);
}

TEST_F(EndpointHealthTest, ThePauseGrowsWithEachFailedProbeAndEndsWithAnAnsweredOne) {
  Probe(true);
  for (int n = 0; n < 3; ++n) health_.Failed(now_, rng_);
  nanoseconds pause = options_.first_pause;
  for (int n = 0; n < 10; ++n) {
    EXPECT_EQ(health_.pause(), pause);
    now_ += pause * 7 / 10;
    EXPECT_FALSE(Probe(false)) << "too soon";
    now_ += pause * 6 / 10;
    EXPECT_TRUE(Probe(false));
    pause = std::min<nanoseconds>(pause * 2, options_.max_pause);
  }
  EXPECT_EQ(health_.pause(), options_.max_pause);
  now_ += options_.max_pause * 2;
  health_.ProbeSent();
  EXPECT_TRUE(health_.half_open());
  EXPECT_TRUE(health_.ProbeAnswered(now_));
  EXPECT_EQ(health_.state(), HealthState::kHealthy);
}

TEST_F(EndpointHealthTest, WhatComesAndGoesIsLeftAloneForLongerAndWhatWasWellForLongIsForgiven) {
  const auto fail = [&] {
    for (int n = 0; n < 3; ++n) health_.Failed(now_, rng_);
  };
  Probe(true);
  fail();
  now_ += seconds(2);
  Probe(true);
  fail();
  EXPECT_EQ(health_.pause(), options_.first_pause * 2);
  now_ += seconds(3);
  Probe(true);
  now_ += options_.max_pause;
  fail();
  EXPECT_EQ(health_.pause(), options_.first_pause);
}

TEST_F(EndpointHealthTest, WhoOnlySaysThatItIsReadyIsEjectedAllTheSame) {
  Probe(true);
  health_.Failed(now_, rng_);
  health_.Failed(now_, rng_);
  now_ += options_.check_interval;
  EXPECT_TRUE(Probe(true));
  EXPECT_TRUE(health_.Failed(now_, rng_));
}

TEST_F(EndpointHealthTest, AWrongAnswerToACanaryEjectsAtOnce) {
  Probe(true);
  now_ += options_.check_interval;
  health_.ProbeSent();
  EXPECT_TRUE(health_.ProbeFailed(now_, true, rng_));
  EXPECT_EQ(health_.state(), HealthState::kEjected);
}

TEST_F(EndpointHealthTest, AHealthyOneThatFailsAProbeIsProbedAgainSoon) {
  Probe(true);
  now_ += options_.check_interval;
  EXPECT_TRUE(Probe(false));
  EXPECT_EQ(health_.state(), HealthState::kHealthy);
  EXPECT_LE(health_.probe_at() - now_, seconds(1));
}

}  // namespace
}  // namespace pawsight::gateway
