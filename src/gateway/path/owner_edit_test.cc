// What an edit of an owner's rules and cameras touches. Work is counted, not timed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"
#include "gateway/path/owner_view.h"
#include "gateway/path/testing.h"
#include "rules/alert_codec.h"

namespace pawsight::gateway {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string CameraId(int camera) { return "cam_" + std::to_string(camera); }
std::string RuleId(int rule) { return "rul_" + std::to_string(rule); }

rules::Rule RuleOf(int number, rules::CameraSelector cameras, const std::string& question = "Is it bright?") {
  Json json(Json::Object{{"id", RuleId(number)}, {"question", question}, {"clear_s", 0}, {"cooldown_s", 0}});
  rules::Rule rule = rules::ParseRule(json).value();
  rule.cameras = std::move(cameras);
  return rule;
}

/// A rule for each camera, by its id.
OwnerSetup OneRuleEach(int count) {
  OwnerSetup setup;
  for (int i = 0; i < count; ++i) {
    setup.cameras.push_back({CameraId(i), {}, false, seconds(60)});
    setup.rules.push_back(RuleOf(i, {{CameraId(i)}, {}}));
  }
  setup.receivers = {"rcv_1"};
  return setup;
}

std::shared_ptr<const OwnerView> ViewOf(OwnerSetup setup) {
  rules::Zones zones;
  return OwnerView::Make("own_a", std::move(setup), zones).value();
}

TEST(OwnerViewTest, ARuleForCamerasByIdIsHeldAgainstThoseAlone) {
  for (const int count : {1, 100, 1000}) {
    const auto view = ViewOf(OneRuleEach(count));
    EXPECT_EQ(view->looking.num_compared, static_cast<size_t>(count));
    EXPECT_THAT(view->RulesOf(CameraId(count - 1)), ElementsAre(static_cast<size_t>(count - 1)));
  }
}

TEST(OwnerViewTest, ARuleForLabelsIsHeldAgainstCamerasWithItsRarestLabel) {
  OwnerSetup setup;
  for (int i = 0; i < 1000; ++i) {
    setup.cameras.push_back({CameraId(i), {{"home", "a"}, {"room", std::to_string(i)}}, false, seconds(60)});
  }
  for (int i = 0; i < 1000; ++i) setup.rules.push_back(RuleOf(i, {{}, {{"home", "a"}, {"room", std::to_string(i)}}}));
  const auto view = ViewOf(std::move(setup));
  EXPECT_EQ(view->looking.num_compared, 1000U);
  EXPECT_THAT(view->RulesOf("cam_7"), ElementsAre(7U));
  EXPECT_THAT(view->RulesOf("cam_1000"), IsEmpty());
}

TEST(OwnerViewTest, WhicheverWayRulesChooseTheyLookThroughTheCamerasThatTheySelect) {
  Rng rng(11);
  for (int round = 0; round < 200; ++round) {
    OwnerSetup setup;
    const auto labels = [&](int most) {
      rules::Labels some;
      for (int i = rng.Below(most + 1); i > 0; --i) some[std::to_string(rng.Below(3))] = std::to_string(rng.Below(2));
      return some;
    };
    for (int i = 0; i < 12; ++i) setup.cameras.push_back({CameraId(i), labels(3), false, seconds(60)});
    for (int i = 0; i < 20; ++i) {
      rules::CameraSelector selector{{}, labels(2)};
      for (int id = rng.Below(4); id > 0; --id) selector.ids.push_back(CameraId(rng.Below(14)));
      setup.rules.push_back(RuleOf(i, std::move(selector)));
      setup.rules.back().enabled = rng.Below(4) > 0;
    }
    const auto view = ViewOf(setup);
    for (const CameraSetup& camera : setup.cameras) {
      std::vector<size_t> wanted;
      for (size_t i = 0; i < setup.rules.size(); ++i) {
        const rules::Rule& rule = setup.rules[i];
        if (rule.enabled && rule.cameras.Selects(camera.id, camera.labels)) wanted.push_back(i);
      }
      ASSERT_EQ(view->RulesOf(camera.id), wanted) << round << " " << camera.id;
    }
  }
}

TEST(OwnerViewTest, SixtyFiveRulesOfOneCameraAreTooMany) {
  OwnerSetup setup;
  setup.cameras = {{"cam_0", {}, false, seconds(60)}};
  for (int i = 0; i < 64; ++i) setup.rules.push_back(RuleOf(i, {{"cam_0", "cam_0"}, {}}));
  rules::Zones zones;
  EXPECT_TRUE(OwnerView::Make("own_a", setup, zones).ok()) << "an id that is there twice counts once";
  setup.rules.push_back(RuleOf(64, {}));
  EXPECT_EQ(OwnerView::Make("own_a", setup, zones).status().reason(), "too_many_rules");
}

/// Many cameras of one owner, each of which has shown one bright frame: an alert fires on each.
class OwnerEditTest : public ::testing::Test {
 protected:
  static constexpr int kCameras = 300;

  OwnerEditTest() {
    EXPECT_TRUE(path_.SetOwner("own_a", setup_).ok());
    for (int i = 0; i < kCameras; ++i) Show(i, 250);
    EXPECT_EQ(Steps(), kCameras);
    EXPECT_THAT(record_.Notices(), SizeIs(kCameras));
  }
  static FramePathOptions Options() {
    FramePathOptions options;
    options.gate_threads = 0;
    options.seed = 1;
    return options;
  }
  void Show(int camera, uint8_t level) {
    Submission submission;
    submission.owner = "own_a";
    submission.camera = CameraId(camera);
    submission.encoded = testing::Jpeg(level);
    EXPECT_TRUE(path_.Submit(std::move(submission)).status.ok());
  }
  /// Turns until none is wanted.
  int Steps() {
    int steps = 0;
    while (path_.Step()) ++steps;
    return steps;
  }
  /// Turns that an edit takes.
  int Edit() {
    EXPECT_TRUE(path_.SetOwner("own_a", setup_).ok());
    return Steps();
  }

  ManualClock clock_{Time(seconds(1'700'000'000))};
  testing::InstantBackend backend_{
      [](const Inquiry& inquiry, const std::string&) { return inquiry.encoded == testing::Jpeg(250) ? 0.95 : 0.05; }};
  testing::MemoryRecord record_;
  FramePath path_{backend_, &record_, clock_, Options()};
  OwnerSetup setup_ = OneRuleEach(kCameras);
};

TEST_F(OwnerEditTest, AnEditOfOneRuleIsATurnOfTheOneCameraItLooksThrough) {
  setup_.rules[5] = RuleOf(5, {{CameraId(5)}, {}}, "Is it dark?");
  EXPECT_EQ(Edit(), 1);
  ASSERT_THAT(record_.Notices(), SizeIs(kCameras + 1));
  EXPECT_EQ(record_.Notices().back().camera, CameraId(5));
  EXPECT_EQ(record_.Notices().back().cause, "rule_edited");
}

TEST_F(OwnerEditTest, ACameraMoreOrARuleGoneConcernsNoOther) {
  setup_.cameras.push_back({"cam_more", {}, false, seconds(60)});
  EXPECT_EQ(Edit(), 0);
  setup_.rules.erase(setup_.rules.begin());  // those behind it have other places now
  EXPECT_EQ(Edit(), 1);
  EXPECT_EQ(record_.Notices().back().cause, "rule_removed");
  setup_.cameras.erase(setup_.cameras.begin() + 1);
  EXPECT_EQ(Edit(), 1);
  EXPECT_EQ(record_.Notices().back().cause, "camera_removed");
  EXPECT_THAT(record_.Notices(), SizeIs(kCameras + 2));
}

TEST_F(OwnerEditTest, WhatConcernsNoStateIsInForceAtTheNextFrameAllTheSame) {
  setup_.rules.erase(setup_.rules.begin());
  setup_.receivers = {"rcv_2"};
  setup_.rules.back().severity = Severity::kCritical;
  EXPECT_EQ(Edit(), 1);
  for (int i = 0; i < 2; ++i) {  // one dark frame alone ends no alert
    clock_.Advance(seconds(1));
    Show(kCameras - 1, 10);
    EXPECT_EQ(Steps(), 1);
  }
  const AlertNotice notice = record_.Notices().back();
  EXPECT_EQ(notice.change, AlertChange::kResolved);
  EXPECT_EQ(notice.rule, RuleId(kCameras - 1));
  EXPECT_EQ(notice.severity, Severity::kCritical);
  EXPECT_THAT(record_.last_receivers, ElementsAre("rcv_2"));
}

TEST_F(OwnerEditTest, AnEditThatIsTakenBackBeforeItsTurnEndsNothing) {
  const rules::Rule before = setup_.rules[5];
  setup_.rules[5] = RuleOf(5, {{CameraId(5)}, {}}, "Is it dark?");
  EXPECT_TRUE(path_.SetOwner("own_a", setup_).ok());
  setup_.rules[5] = before;
  EXPECT_EQ(Edit(), 0);
  EXPECT_THAT(record_.Notices(), SizeIs(kCameras));
}

TEST_F(OwnerEditTest, AnEditWhileACameraIsBusyIsTakenOverWhenItsFrameHasEnded) {
  backend_.hold = true;
  clock_.Advance(seconds(1));
  Show(5, 250);
  EXPECT_EQ(Steps(), 1);
  setup_.rules.erase(setup_.rules.begin() + 5);
  EXPECT_EQ(Edit(), 0);
  backend_.Release();
  EXPECT_EQ(Steps(), 1);
  EXPECT_EQ(record_.Notices().back().cause, "rule_removed");
}

TEST_F(OwnerEditTest, ACameraThatIsThereAgainBeforeItsTurnHasEndedHasOneTurnAtATime) {
  for (const bool last : {false, true}) {  // one dark frame alone ends no alert
    record_.hold = last;                   // the end is not on disk yet
    clock_.Advance(seconds(1));
    Show(0, 10);
    EXPECT_EQ(Steps(), 1);
  }
  const CameraSetup camera = setup_.cameras[0];
  setup_.cameras.erase(setup_.cameras.begin());
  EXPECT_EQ(Edit(), 0);
  setup_.cameras.push_back(camera);
  EXPECT_EQ(Edit(), 0);
  clock_.Advance(seconds(1));
  Show(0, 250);
  EXPECT_EQ(Steps(), 0) << "what it shows now must not be written before what it showed then";
  record_.Sync();
  EXPECT_EQ(Steps(), 1);
  record_.Sync();
  const std::vector<AlertNotice> notices = record_.Notices();
  ASSERT_THAT(notices, SizeIs(kCameras + 2));
  EXPECT_EQ(notices[kCameras].change, AlertChange::kResolved);
  EXPECT_EQ(notices[kCameras + 1].change, AlertChange::kFired);
  for (const RestoredState& state : record_.States()) {
    if (state.camera == CameraId(0)) {
      EXPECT_EQ(rules::DecodeState(state.text)->state.phase, rules::AlertPhase::kFiring);
    }
  }
}

TEST_F(OwnerEditTest, ACameraThatComesBackBeginsAnewWheneverItDoes) {
  enum class When { kAtOnce, kAfterItsTurn, kWhileAFrameIsOnItsWay };
  const CameraSetup camera = setup_.cameras[2];
  const auto show = [&] {
    Submission submission;
    submission.owner = "own_a";
    submission.camera = camera.id;
    submission.encoded = testing::Jpeg(250);
    submission.sequence = 1;
    submission.sent = clock_.Now() - seconds(30);  // by a clock that is wrong
    return path_.Submit(std::move(submission)).status;
  };
  const auto edit = [&](bool there) {
    std::erase_if(setup_.cameras, [&](const CameraSetup& other) { return other.id == camera.id; });
    if (there) setup_.cameras.push_back(camera);
    EXPECT_TRUE(path_.SetOwner("own_a", setup_).ok());
  };
  const auto told = [&] {
    const Json stats = path_.Stats("own_a").value();
    for (const Json& of : stats.Find("cameras")->as_array()) {
      if (of.GetString("camera").value() == camera.id) return of;
    }
    return Json();
  };
  edit(false);
  Steps();
  edit(true);
  Steps();
  const Json fresh = told();
  for (const When when : {When::kAtOnce, When::kAfterItsTurn, When::kWhileAFrameIsOnItsWay}) {
    SCOPED_TRACE(static_cast<int>(when));
    clock_.Advance(seconds(10));
    backend_.hold = when == When::kWhileAFrameIsOnItsWay;
    EXPECT_TRUE(show().ok()) << "its number was not heard of";
    Steps();
    EXPECT_NE(told().Dump(), fresh.Dump());
    edit(false);
    if (when == When::kAfterItsTurn) Steps();
    edit(true);
    if (when == When::kWhileAFrameIsOnItsWay) backend_.Release();
    backend_.hold = false;
    Json now = told();
    EXPECT_EQ(now.Find("phases")->as_object().size(), 0U);
    Steps();
    now = told();
    now.Set("phases", *fresh.Find("phases"));  // those of its rules, once a turn has been
    EXPECT_EQ(now.Dump(), fresh.Dump());
  }
}

TEST_F(OwnerEditTest, ACameraThatWasGoneForAMomentHasEndedItsAlert) {
  const CameraSetup camera = setup_.cameras[1];
  setup_.cameras.erase(setup_.cameras.begin() + 1);
  EXPECT_TRUE(path_.SetOwner("own_a", setup_).ok());
  setup_.cameras.push_back(camera);
  EXPECT_EQ(Edit(), 1);
  ASSERT_THAT(record_.Notices(), SizeIs(kCameras + 1));
  EXPECT_EQ(record_.Notices().back().cause, "camera_removed");
  clock_.Advance(seconds(1));
  Show(1, 250);
  EXPECT_EQ(Steps(), 1);
  ASSERT_THAT(record_.Notices(), SizeIs(kCameras + 2));
  EXPECT_EQ(record_.Notices().back().change, AlertChange::kFired) << "another episode";
}

}  // namespace
}  // namespace pawsight::gateway
