#include "server/served_vqa.h"

#include <gtest/gtest.h>

#include "server/fake_engine.h"

namespace pawsight::server::testing {
namespace {

using Opened = Result<std::shared_ptr<Engine>>;

ServedVqaOptions Options() {
  ServedVqaOptions options;
  options.canary_image = {'o', 'k'};
  return options;
}

/// Advances until `done` says so: what is waited for happens on another thread.
template <typename Condition>
void AdvanceUntil(ManualClock& clock, Condition done) {
  while (!done()) {
    clock.Advance(std::chrono::milliseconds(5));  // little, so that what it waits for is not expired at once
    std::this_thread::yield();
  }
}

TEST(ServedVqa, AModelThatAnswersNoCanaryIsNotServed) {
  const ManualClock clock;
  ServedVqaOptions options = Options();
  const std::string bad = "unseeable";
  options.canary_image.assign(bad.begin(), bad.end());
  const auto served = ServedVqa::Start(
      options, [] { return Opened(std::make_shared<FakeEngine>()); }, clock);
  ASSERT_FALSE(served.ok());
  EXPECT_EQ(served.status().reason(), "canary_failed");
  EXPECT_EQ(ServedVqa::Start(
                Options(), [] { return Opened(NotFound("no model")); }, clock)
                .status()
                .code(),
            StatusCode::kNotFound);
}

TEST(ServedVqa, AHangingEngineMakesItNotReadyAndItsReturnReadyAgain) {
  ManualClock clock;
  const auto engine = std::make_shared<FakeEngine>();
  auto served = ServedVqa::Start(
      Options(), [&] { return Opened(engine); }, clock);
  ASSERT_TRUE(served.ok()) << served.status().ToString();
  EXPECT_TRUE((*served)->Ready());
  engine->look.Close();
  const int came = engine->look.num_came();
  AdvanceUntil(clock, [&] { return engine->look.num_came() > came; });  // a canary hangs, as would a batch
  clock.Advance(Options().canary_limit);
  while ((*served)->Ready()) std::this_thread::yield();
  engine->look.Open();
  AdvanceUntil(clock, [&] { return (*served)->Ready(); });
}

TEST(ServedVqa, ANewModelTakesTheOldOnesPlaceAndABadOneDoesNot) {
  const ManualClock clock;
  Opened next(std::make_shared<FakeEngine>("old "));
  auto served = ServedVqa::Start(
      Options(), [&] { return next; }, clock);
  ASSERT_TRUE(served.ok());
  const auto answer = [&] {
    const Ending ending;
    (*served)->batcher().Submit(Work({"x"}, {"q"}), ending.done());
    return ending.Await().answers.at(0).at(0).text;
  };
  EXPECT_EQ(answer(), "old x: q");
  next = DataLoss("text_encoder: checksum differs");
  EXPECT_EQ((*served)->Reload().code(), StatusCode::kDataLoss);
  EXPECT_EQ(answer(), "old x: q");
  next = std::shared_ptr<Engine>(std::make_shared<FakeEngine>("new "));
  EXPECT_TRUE((*served)->Reload().ok());
  EXPECT_EQ(answer(), "new x: q");
}

TEST(ServedVqa, ACheckpointIsServedAsTheModelsThatItHasAndReplacedByOneOfTheSame) {
  const ManualClock clock;
  const auto engine_of = [](std::set<engine::Head> heads) {
    const auto engine = std::make_shared<FakeEngine>();
    engine->heads = std::move(heads);
    return Opened(engine);
  };
  Opened next = engine_of({engine::Head::kItm, engine::Head::kVqa});
  auto served = ServedVqa::Start(
      Options(), [&] { return next; }, clock);
  ASSERT_TRUE(served.ok()) << served.status().ToString();
  std::vector<std::string> names;
  for (const auto& model : (*served)->models()) names.push_back(model->Metadata().name);
  EXPECT_EQ(names, (std::vector<std::string>{"vqa", "itm"}));
  next = engine_of({engine::Head::kVqa});
  EXPECT_EQ((*served)->Reload().reason(), "models_differ");
  next = engine_of({engine::Head::kVqa, engine::Head::kItm});
  EXPECT_TRUE((*served)->Reload().ok());

  next = engine_of({engine::Head::kCaption});
  auto describing = ServedVqa::Start(
      Options(), [&] { return next; }, clock);
  ASSERT_TRUE(describing.ok()) << describing.status().ToString() << ": its canary asks no question";
  EXPECT_EQ((*describing)->models().front()->Metadata().name, "caption");
  next = engine_of({});
  EXPECT_EQ((*describing)->Reload().reason(), "canary_failed");
}

TEST(ServedVqa, DrainingIsNotReadyAndTakesNoMore) {
  const ManualClock clock;
  auto served = ServedVqa::Start(
      Options(), [] { return Opened(std::make_shared<FakeEngine>()); }, clock);
  ASSERT_TRUE(served.ok());
  EXPECT_TRUE((*served)->Drain(Nanos(1'000'000'000)));
  EXPECT_FALSE((*served)->Ready());
  const Ending ending;
  (*served)->batcher().Submit(Work({"x"}, {"q"}), ending.done());
  EXPECT_EQ(ending.Await().refusal, Refusal::kDraining);
}

}  // namespace
}  // namespace pawsight::server::testing
