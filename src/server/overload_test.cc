// What the tier promises under overload, on a virtual clock: hours of load in a moment, the same from the same seed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "server/simulated_load.h"

namespace pawsight::server::testing {
namespace {

constexpr Nanos Ms(int64_t ms) { return Nanos(ms * 1'000'000); }
constexpr Nanos Sec(int64_t seconds) { return Ms(seconds * 1000); }

double MsOf(Nanos time) { return Seconds(time) * 1000; }

struct Measured {
  Tally tally;
  double goodput = 0;  // a second
  int longest_queue = 0;
};

/// `factor` times what the engine can do at most (`peak` frames a second), after `warm_up` of the same.
Measured Measure(const EngineRecipe& engine, double peak, double factor, LoadRecipe load, int num_runners = 1,
                 int64_t seconds = 60) {
  SimulatedLoad world({}, num_runners, engine, 7);
  load.per_second = peak * factor;
  world.Run(load, Sec(seconds / 3));
  world.Reset();
  world.Run(load, Sec(seconds));
  Measured measured{world.All(), static_cast<double>(world.All().good) / static_cast<double>(seconds),
                    world.longest_queue()};
  world.Finish();
  std::printf(
      "%4.1fx: goodput %6.1f/s of %6.1f, refused %4.1f%%, expired %3.1f%%, wait p50 %5.1f p99 %6.1f ms, queue %d\n",
      factor, measured.goodput, peak,
      100.0 * static_cast<double>(measured.tally.outcomes[1]) / static_cast<double>(measured.tally.offered),
      100.0 * static_cast<double>(measured.tally.outcomes[3]) / static_cast<double>(measured.tally.offered),
      MsOf(measured.tally.Wait(0.5)), MsOf(measured.tally.Wait(0.99)), measured.longest_queue);
  return measured;
}

class Overload : public ::testing::TestWithParam<double> {};

TEST_P(Overload, ASlowEngineWithoutDeadlinesStaysAtItsPeakAndItsQueueShort) {
  const EngineRecipe blip{.fixed = Ms(2), .per_frame = Ms(34), .jitter = 0.1};
  const Measured m = Measure(blip, 1000.0 / 36, GetParam(), {});
  EXPECT_GE(m.goodput, 0.9 * 1000.0 / 36);
  EXPECT_EQ(m.tally.slowest_refusal, Nanos{0});
  EXPECT_LE(m.tally.Wait(0.99), Ms(250));
}

TEST_P(Overload, AQuickEngineWithoutDeadlinesStaysAtItsPeakAndItsQueueShort) {
  const EngineRecipe mini{
      .fixed = Nanos(300'000), .per_frame = Nanos(500'000), .decode = Nanos(300'000), .jitter = 0.2};
  const double peak = 8 / (0.0003 + 8 * 0.0005);
  const Measured m = Measure(mini, peak, GetParam(), {}, 1, 6);
  EXPECT_GE(m.goodput, 0.9 * peak);
  EXPECT_EQ(m.tally.slowest_refusal, Nanos{0});
  EXPECT_LE(m.tally.Wait(0.99), Ms(60));
}

TEST_P(Overload, DeadlinesAreMetByWhatIsLetIn) {
  const EngineRecipe blip{.fixed = Ms(2), .per_frame = Ms(34), .jitter = 0.1};
  const Measured m = Measure(blip, 1000.0 / 36, GetParam(), {.patience = Ms(250)});
  EXPECT_GE(m.goodput, 0.9 * 1000.0 / 36);
  EXPECT_LE(static_cast<double>(m.tally.outcomes[static_cast<size_t>(Outcome::kExpired)]),
            0.02 * static_cast<double>(m.tally.good));
}

TEST_P(Overload, TwoRunnersAreBothKeptBusy) {
  const EngineRecipe engine{.fixed = Ms(2), .per_frame = Ms(18), .jitter = 0.1};
  const Measured m = Measure(engine, 2 * 1000.0 / 20, GetParam(), {.patience = Ms(500)}, 2);
  EXPECT_GE(m.goodput, 0.9 * 2 * 1000.0 / 20);
}

TEST_P(Overload, NoPriorityStarvesAndTheHigherOnesWaitLess) {
  SimulatedLoad world({}, 1, {.per_frame = Ms(10)}, 11);
  const LoadRecipe load{.per_second = 100 * GetParam(), .mix = {0.4, 0.3, 0.3}};
  world.Run(load, Sec(12));  // what was let in before the overload showed has its turns
  world.Reset();
  world.Run(load, Sec(20));
  const auto& tallies = world.tallies();
  for (size_t level = 0; level < kNumPriorities; ++level) {
    std::printf("%s: good %.1f/s wait p50 %.1f max %.1f ms\n",
                std::string(PriorityName(static_cast<Priority>(level))).c_str(),
                static_cast<double>(tallies[level].good) / 20, MsOf(tallies[level].Wait(0.5)),
                MsOf(tallies[level].longest_wait()));
  }
  // Of every eight frames one is of each lower priority, at the least.
  EXPECT_GE(static_cast<double>(tallies[1].good) / 20, 0.9 * 100 / 9);
  EXPECT_GE(static_cast<double>(tallies[2].good) / 20, 0.9 * 100 / 9);
  EXPECT_GE(static_cast<double>(world.All().good) / 20, 90);
  EXPECT_LT(tallies[0].Wait(0.9), tallies[2].Wait(0.9));
  for (const Tally& tally : tallies) EXPECT_LE(tally.longest_wait(), Sec(2));
  world.Finish();
}

INSTANTIATE_TEST_SUITE_P(Times, Overload, ::testing::Values(2.0, 5.0, 10.0));

TEST(Load, BelowTheCapacityHardlyAnyoneIsRefused) {
  const EngineRecipe blip{.fixed = Ms(2), .per_frame = Ms(34), .jitter = 0.1};
  for (const double factor : {0.5, 0.7, 0.8}) {
    const Measured m = Measure(blip, 1000.0 / 36, factor, {});
    EXPECT_GE(m.goodput, 0.97 * factor * 1000.0 / 36) << factor;
  }
  EXPECT_GE(Measure(blip, 1000.0 / 36, 1.0, {}).goodput, 0.9 * 1000.0 / 36);
}

TEST(Load, ABurstIsTakenInFullWhenItsTimeIsEnough) {
  SimulatedLoad world({}, 1, {.per_frame = Ms(10)}, 3);
  world.Run({.per_second = 50}, Sec(10));
  world.Reset();
  world.Run({.per_second = 2000}, Ms(100));  // some 200 frames, two seconds' work, at once
  world.Finish();
  EXPECT_EQ(world.All().outcomes[static_cast<size_t>(Outcome::kRefused)], 0U);
  EXPECT_GE(world.All().good, world.All().offered);  // some came before the count began
}

TEST(Load, AfterAnOverloadTheTierIsAsBefore) {
  SimulatedLoad world({}, 1, {.per_frame = Ms(10)}, 5);
  world.Run({.per_second = 1000}, Sec(30));
  world.Run({.per_second = 50}, Sec(2));
  world.Reset();
  world.Run({.per_second = 50}, Sec(60));
  world.Finish();
  EXPECT_GE(world.All().good, world.All().offered);  // some came before the count began
  EXPECT_LE(world.All().Wait(0.99), Ms(100));
}

TEST(Load, AnEngineThatBecomesSlowerIsNoticedAndWhatIsLetInIsStillInTime) {
  const LoadRecipe load{.per_second = 80, .patience = Ms(300)};
  SimulatedLoad slow({}, 1, {.per_frame = Ms(40)}, 5);
  for (int i = 0; i < 100; ++i) {
    // It was quick for long.
    const_cast<ServiceEstimate&>(slow.queue().estimate()).encode.Add(1, 0.004);
  }
  slow.Run(load, Sec(10));
  slow.Reset();
  slow.Run(load, Sec(60));
  slow.Finish();
  EXPECT_GE(static_cast<double>(slow.All().good) / 60, 0.9 * 25);
}

TEST(Load, AnEngineThatHungOnceIsTrustedAgain) {
  SimulatedLoad world({}, 1, {.per_frame = Ms(10)}, 5);
  for (int i = 0; i < 100; ++i) const_cast<ServiceEstimate&>(world.queue().estimate()).encode.Add(1, 30.0);
  world.Run({.per_second = 50, .patience = Ms(500)}, Sec(60));
  world.Reset();
  world.Run({.per_second = 50, .patience = Ms(500)}, Sec(60));
  world.Finish();
  EXPECT_GE(world.All().good, world.All().offered);  // some came before the count began
}

TEST(Load, RequestsAboutTheSameFrameShareItsEncoding) {
  SimulatedLoad world({}, 1, {.fixed = Ms(2), .per_frame = Ms(34)}, 5);
  world.Run({.per_second = 100, .same_frame = 0.9}, Sec(60));
  world.Finish();
  const CountersView view = world.counters().View();
  EXPECT_GE(static_cast<double>(world.All().good), 0.95 * static_cast<double>(world.All().offered));
  EXPECT_LT(view.frames_encoded, 2400U) << "of 6000; the engine alone could do 1670";
  EXPECT_LT(view.questions_computed, world.All().good) << "the question is the same too";
}

TEST(Load, TheSameSeedGivesTheSameRun) {
  std::array<uint64_t, 2> good{};
  for (uint64_t& count : good) {
    SimulatedLoad world({}, 1, {.jitter = 0.3}, 42);
    world.Run({.per_second = 300, .mix = {0.2, 0.4, 0.4}, .patience = Ms(200)}, Sec(20));
    world.Finish();
    count = world.All().good;
  }
  EXPECT_EQ(good[0], good[1]);
}

}  // namespace
}  // namespace pawsight::server::testing
