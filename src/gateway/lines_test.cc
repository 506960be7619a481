#include "gateway/lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::gateway {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

rules::Rule RuleOf(const std::string& id, const std::string& question) {
  return rules::ParseRule(Json(Json::Object{{"id", id}, {"question", question}})).value();
}

events::Camera CameraOf(const std::string& id, const std::string& name) {
  events::Camera camera;
  camera.id = id;
  camera.name = name;
  return camera;
}

class LinesTest : public ::testing::Test {
 protected:
  LinesTest() { names_.Learn({"own_a", {CameraOf("cam_a", "den")}, {RuleOf("rul_a", "Is it bright?")}, {}}); }

  static std::shared_ptr<FrameResult> Frame() {
    const auto result = std::make_shared<FrameResult>();
    result->camera = "cam_a";
    result->sequence = 2;
    result->time = Time(seconds(1'000'002));
    result->asked = true;
    result->pool = "int8";
    result->outcomes.push_back(
        {"rul_a", 0.98, rules::Verdict::kTrue, rules::Reason::kPending, rules::AlertPhase::kPending});
    return result;
  }
  static AlertNotice Notice() {
    AlertNotice notice;
    notice.id = "alr_a";
    notice.event = "evt_a";
    notice.camera = "cam_a";
    notice.rule = "rul_a";
    notice.frame = "frm_a";
    notice.change = AlertChange::kFired;
    notice.number = 1;
    notice.time = Time(seconds(1'000'004));
    notice.since = Time(seconds(1'000'002));
    notice.question = "Is it bright?";
    notice.threshold = 0.7;
    notice.p_yes = 0.98;
    return notice;
  }

  Names names_;
};

TEST_F(LinesTest, AFrameIsALineForAPerson) {
  EXPECT_EQ(FrameText(*Frame(), names_, true), "13:46:42  frame 2  Is it bright? yes 0.98 [pending]\n");
  EXPECT_EQ(FrameText(*Frame(), names_, false), "") << "only alerts";
  const auto fired = Frame();
  fired->changes.push_back(Notice());
  EXPECT_EQ(FrameText(*fired, names_, false), "13:46:44  ALERT     Is it bright?  yes 0.98\n");
  fired->changes[0].change = AlertChange::kUpdated;
  fired->changes[0].cause = "still_on";
  EXPECT_EQ(FrameText(*fired, names_, false), "13:46:44  still on  Is it bright?  yes 0.98  (still_on)\n");
}

TEST_F(LinesTest, OfSeveralCamerasEachLineNamesItsOwn) {
  names_.Learn(
      {"own_a", {CameraOf("cam_a", "den"), CameraOf("cam_b", "hall\x1b[2J")}, {RuleOf("rul_a", "Is it bright?")}, {}});
  const auto fired = Frame();
  fired->changes.push_back(Notice());
  EXPECT_EQ(
      FrameText(*fired, names_, true),
      "13:46:42  frame 2  den: Is it bright? yes 0.98 [pending]\n13:46:44  ALERT     den: Is it bright?  yes 0.98\n");
  fired->camera = "cam_b";
  EXPECT_THAT(FrameText(*fired, names_, true), HasSubstr("hall [2J: ")) << "nothing moves the terminal";
}

TEST_F(LinesTest, JsonSaysInWordsWhatIdsStandFor) {
  const Json frame = FrameToJson(*Frame(), names_);
  EXPECT_EQ(frame.GetString("camera").value(), "den");
  EXPECT_EQ(frame.GetString("camera_id").value(), "cam_a");
  EXPECT_EQ(frame.GetInteger("frame").value(), 2);
  EXPECT_EQ(frame.GetString("time").value(), "1970-01-12T13:46:42.000Z");
  EXPECT_EQ(frame.GetString("pool").value(), "int8");
  const Json& rule = (*frame.GetArray("rules").value())[0];
  EXPECT_EQ(rule.GetString("rule").value(), "is-it-bright");
  EXPECT_EQ(rule.GetString("rule_id").value(), "rul_a");
  EXPECT_EQ(rule.GetString("question").value(), "Is it bright?");
  EXPECT_EQ(rule.GetString("reason").value(), "pending");
  const Json alert = AlertToJson(Notice(), 4, names_, {"evt_file", 7});
  EXPECT_EQ(alert.GetString("camera").value(), "den");
  EXPECT_EQ(alert.GetString("rule").value(), "is-it-bright");
  EXPECT_EQ(alert.GetString("alert_id").value(), "alr_a");
  EXPECT_EQ(alert.GetString("id").value(), "evt_file");
  EXPECT_EQ(alert.GetInteger("sequence").value(), 7);
  EXPECT_EQ(alert.GetString("since").value(), "1970-01-12T13:46:42.000Z");
  EXPECT_EQ(AlertToJson(Notice(), 4, names_, {}).GetString("id").value(), "evt_a") << "the gateway's own";
}

TEST_F(LinesTest, AnAlertThatAnEditEndedIsToldOnce) {
  std::FILE* const out = std::tmpfile();
  {
    Lines lines(out, {}, names_, nullptr);
    AlertNotice notice = Notice();
    lines.OnAlert(notice);  // its frame told of it
    notice.frame.clear();
    notice.change = AlertChange::kResolved;
    notice.cause = "rule_removed";
    lines.OnAlert(notice);
    EXPECT_EQ(lines.counts().num_changes, 1U);
  }
  std::string text(static_cast<size_t>(std::ftell(out)), '\0');
  std::rewind(out);
  EXPECT_EQ(std::fread(text.data(), 1, text.size(), out), text.size());
  EXPECT_THAT(text, HasSubstr("resolved  Is it bright?  yes 0.98  (rule_removed)\n"));
  EXPECT_THAT(text, Not(HasSubstr("ALERT")));
  std::fclose(out);
}

TEST(Names, ARuleIsCalledAsItsWriterDoesOrAfterItsQuestion) {
  Names names;
  names.SetWord("rul_a", "door");
  names.Learn({"own_a", {}, {RuleOf("rul_a", "Is the door open?"), RuleOf("rul_b", "Is it dark?")}, {}});
  EXPECT_EQ(names.WordOf("rul_a"), "door");
  EXPECT_EQ(names.WordOf("rul_b"), "is-it-dark");
  EXPECT_EQ(names.WordOf("rul_c"), "rul_c") << "not known";
  EXPECT_EQ(names.QuestionOf("rul_b"), "Is it dark?");
}

TEST(Names, WhatIsGoneIsKnownUntilTheNextChange) {
  Names names;
  names.Learn({"own_a", {CameraOf("cam_a", "den")}, {}, {}});
  names.Learn({"own_b", {CameraOf("cam_b", std::string(100, 'x'))}, {}, {}});
  EXPECT_EQ(names.num_cameras(), 2U);
  names.Learn({"own_a", {}, {}, {}});
  EXPECT_EQ(names.CameraOf("cam_a"), "den") << "its last alerts are told now";
  EXPECT_EQ(names.CameraOf("cam_b"), "cam_b") << "longer than an event takes";
  EXPECT_EQ(names.num_cameras(), 1U);
  names.Learn({"own_a", {}, {}, {}});
  EXPECT_EQ(names.CameraOf("cam_a"), "cam_a");
}

}  // namespace
}  // namespace pawsight::gateway
