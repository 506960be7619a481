#include "notify/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::notify {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const Time kTime = *ParseTime("2026-01-31T08:15:30.250Z");

Json Detail() {
  return Json::Object{{"question", "Is the dog on the couch?"},
                      {"severity", "critical"},
                      {"p_yes", 0.93},
                      {"camera_name", "Living room"},
                      {"fired_at", "2026-01-31T08:15:00.000Z"}};
}

Result<Message> Make(std::string_view type, const Json& detail) {
  return MessageOf("evt_1", type, "own_1", "cam_1", "rul_1", "alr_1", kTime, detail);
}

TEST(Message, AnEventBecomesOne) {
  const Message message = Make("alert.resolved", Detail()).value();
  EXPECT_EQ(message.type, MessageType::kResolved);
  EXPECT_EQ(message.severity, Severity::kCritical);
  EXPECT_EQ(message.p_yes, 0.93);
  EXPECT_EQ(MessageJson(message).Dump(),
            R"({"type":"alert.resolved","timestamp":"2026-01-31T08:15:30.250Z","data":{"id":"evt_1","owner":"own_1",)"
            R"("alert":"alr_1","camera":"cam_1","camera_name":"Living room","rule":"rul_1",)"
            R"("question":"Is the dog on the couch?","severity":"critical","p_yes":0.93,)"
            R"("fired_at":"2026-01-31T08:15:00.000Z","resolved_at":"2026-01-31T08:15:30.250Z"}})");
}

TEST(Message, WhatAnEventLacksIsLeftOut) {
  const Message message = Make("alert.fired", Json()).value();
  EXPECT_EQ(MessageJson(message).Dump(),
            R"({"type":"alert.fired","timestamp":"2026-01-31T08:15:30.250Z","data":{"id":"evt_1","owner":"own_1",)"
            R"("alert":"alr_1","camera":"cam_1","rule":"rul_1","severity":"warning",)"
            R"("fired_at":"2026-01-31T08:15:30.250Z"}})");
  EXPECT_FALSE(Make("camera.offline", Json()).ok());
  EXPECT_FALSE(MessageOf("a.b", "alert.fired", "o", "c", "r", "a", kTime, Json()).ok());
  EXPECT_FALSE(MessageOf("", "alert.fired", "o", "c", "r", "a", kTime, Json()).ok());
}

TEST(Message, ItsPictureIsInItOnlyWhenGiven) {
  Message message = Make("alert.fired", Detail()).value();
  EXPECT_THAT(MessageJson(message).Dump(), Not(HasSubstr("picture")));
  message.picture = std::make_shared<const Picture>(Picture{"image/jpeg", {0xFF, 0xD8}});
  EXPECT_THAT(MessageJson(message).Dump(), HasSubstr(R"("picture":{"content_type":"image/jpeg","base64":"/9g="})"));
}

TEST(Message, ALineStaysALine) {
  EXPECT_EQ(PlainLine("Is it?\r\nBcc: all@example.org", 100), "Is it?  Bcc: all@example.org");
  EXPECT_EQ(PlainLine(std::string_view("a\0b\x1b[31m\x7f", 9), 100), "a b [31m ");
  EXPECT_EQ(PlainLine("gnp\u202Etxe.\u2066a\u200B\u2028b\u00A0c\u0085", 100), "gnp txe. a  b\u00A0c ");
  EXPECT_EQ(PlainLine("a\xC0\xAF\xED\xA0\x80\xFFz", 100), "a\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDz");
  EXPECT_EQ(PlainLine("K\u00E4tzchen \U0001F408", 100), "K\u00E4tzchen \U0001F408");
}

TEST(Message, ALongLineIsCutBetweenCharacters) {
  EXPECT_EQ(PlainLine("abcdefgh", 8), "abcdefgh");
  EXPECT_EQ(PlainLine("abcdefghi", 8), "abcde...");
  EXPECT_EQ(PlainLine("ab\u00E4\u00E4\u00E4\u00E4", 8), "ab\u00E4...");
  for (size_t most = 0; most < 12; ++most)
    EXPECT_LE(PlainLine("\U0001F408\U0001F408\U0001F408\U0001F408", most).size(), most);
}

TEST(Message, PeopleReadWhatWhereAndHowSure) {
  const Message message = Make("alert.fired", Detail()).value();
  EXPECT_EQ(Title(message), "Alert: Is the dog on the couch?");
  EXPECT_EQ(Text(message),
            "Is the dog on the couch?\nCamera: Living room\nProbability of yes: 93 %\nSeverity: critical\n"
            "Since: 2026-01-31T08:15:30.250Z\n");
  EXPECT_EQ(Title(TestMessage("evt_2", "own_1", kTime)), "Test: Does this receiver work?");
}

TEST(Message, ATimeIsReadAsItIsWritten) {
  EXPECT_EQ(FormatTime(*ParseTime("2026-12-31T23:59:59.999Z")), "2026-12-31T23:59:59.999Z");
  for (const char* text : {"", "2026-02-31T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "2026-01-01T00:00:00Z",
                           "2026-01-01T00:00:00.000Z ", "9999-01-01T00:00:00.000Z", "-026-01-01T00:00:00.000Z"}) {
    EXPECT_FALSE(ParseTime(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace pawsight::notify
