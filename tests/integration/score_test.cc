// `pawsight model score` over named sets and `pawsight model calibrate`, from outside; and that a calibration reaches
// `ask` from a model directory as from artifacts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "program.h"

namespace pawsight::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kMini = PAWSIGHT_SOURCE_DIR "/models/pawsight-mini";

/// A copy of the model that ships, without a calibration, two drawn pictures, and a cache of its own.
class Score : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = folder_.Path("model");
    std::filesystem::copy(kMini, model_);
    std::filesystem::remove(model_ + "/calibration.json");
    ASSERT_EQ(Run({"scenes", "draw", "--out", folder_.Path("rooms"), "--count", "2", "--width", "160"}).code, 0);
  }

  Ended Run(const std::vector<std::string>& arguments) const {
    return RunProgram(arguments, "", {"XDG_CACHE_HOME=" + folder_.Path("cache")});
  }
  std::string Picture(int i) const { return folder_.Path("rooms/scene-" + std::to_string(i) + ".jpg"); }

  /// A training pack of the two pictures.
  std::string Pack() const {
    std::string bin, lines;
    for (int i = 0; i < 2; ++i) {
      const std::string jpeg = ReadTextFile(Picture(i), 1U << 20U).value();
      lines += R"({"id":"v)" + std::to_string(i) + R"(","kind":"room","bin":"val","at":[)" +
               std::to_string(bin.size()) + "," + std::to_string(jpeg.size()) +
               R"(],"qa":[["Is there a couch?","yes"],["Is there a <b>?","no"],["How many dogs are there?","1"]]})" +
               "\n";
      bin += jpeg;
    }
    std::filesystem::create_directories(folder_.Path("pack"));
    WriteText(folder_.Path("pack/val.bin"), bin);
    WriteText(folder_.Path("pack/val.jsonl"), lines);
    return folder_.Path("pack");
  }

  std::string Labels() const {
    WriteText(folder_.Path("rooms/labels.json"),
              R"({"photos":{"rooms/scene-0.jpg":{"qa":{"Is there a dog?":"no","Where is the cat?":"floor"}}}})");
    return folder_.Path("rooms/labels.json");
  }

  TempFolder folder_;
  std::string model_;
};

/// The lines as JSON; fails the test where one is none.
std::vector<Json> JsonLines(const std::string& text) {
  std::vector<Json> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const auto json = Json::Parse(text.substr(at, end - at));
    EXPECT_TRUE(json.ok()) << text.substr(at, end - at);
    if (json.ok()) lines.push_back(*json);
    at = end + 1;
  }
  return lines;
}

double YesOf(const Ended& asked) {
  EXPECT_EQ(asked.code, 0) << asked.err;
  const auto json = Json::Parse(asked.out);
  return json.ok() && json->GetNumber("p_yes").ok() ? *json->GetNumber("p_yes") : -1.0;
}

TEST_F(Score, EachNamedSetIsCountedBesideItsBlindBaselines) {
  WriteText(folder_.Path("unknown.txt"), "# never learned\nIs there a violin?\n");
  const Ended ended = Run({"model", "score", "--model", model_, "--drawn", "3", "--width", "160", "--pack", Pack(),
                           "--photos", Labels(), "--unknown", folder_.Path("unknown.txt"), "--json"});
  ASSERT_EQ(ended.code, 0) << ended.err;
  int asked = 0;
  for (const Json& line : JsonLines(ended.out)) {
    if (line.Find("group") == nullptr || line.GetString("group").value() != "all") continue;
    EXPECT_TRUE(line.GetInteger("words_alone").ok() && line.GetInteger("always_no").ok());
    asked += static_cast<int>(line.GetInteger("asked").value());
  }
  EXPECT_EQ(asked, 3 * 12 + 2 * 3 + 2);
  EXPECT_THAT(ended.out, AllOf(HasSubstr(R"("family":"couch")"), HasSubstr(R"("yes_no_before_calibration")"),
                               HasSubstr(R"("question":"Is there a violin?","asked":3)")));
}

TEST_F(Score, TheReportIsOnePageThatSaysWhenItHoldsPicturesOfOthers) {
  const std::string page = folder_.Path("page.html");
  ASSERT_EQ(Run({"model", "score", "--model", model_, "--drawn", "2", "--report", page}).code, 0);
  const std::string drawn = ReadTextFile(page, 1U << 24U).value();
  EXPECT_THAT(drawn, AllOf(StartsWith("<!doctype html>"), HasSubstr("data:image/jpeg;base64,"), HasSubstr("<svg"),
                           Not(HasSubstr("must not be published")), Not(HasSubstr("<script"))));
  ASSERT_EQ(Run({"model", "score", "--model", model_, "--pack", Pack(), "--report", page}).code, 0);
  EXPECT_THAT(
      ReadTextFile(page, 1U << 24U).value(),
      AllOf(HasSubstr("must not be published"), HasSubstr("Is there a &lt;b&gt;?"), Not(HasSubstr("Is there a <b>"))));
}

TEST_F(Score, WhatIsNotThereOrDoesNotFitTogetherIsSaid) {
  EXPECT_EQ(Run({"model", "score", "--report", "page.html"}).code, 2);
  EXPECT_EQ(Run({"model", "score", "--unknown", "questions.txt"}).code, 2);
  EXPECT_EQ(Run({"model", "score", "--drawn", "2", "--against", "fp32"}).code, 2);
  EXPECT_EQ(Run({"model", "calibrate", "--model", model_}).code, 2);
  EXPECT_EQ(Run({"model", "calibrate", "--drawn", "2"}).code, 2) << "no directory to write to";
  const Ended missing = Run({"model", "score", "--model", model_, "--pack", "/no/such/pack"});
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.err, HasSubstr("/no/such/pack/val.jsonl"));
}

TEST_F(Score, ACalibrationIsFittedWrittenAndReadByWhateverRunsTheModel) {
  const Ended fitted = Run({"model", "calibrate", "--model", model_, "--drawn", "20", "--pack", Pack(), "--json"});
  ASSERT_EQ(fitted.code, 0) << fitted.err;
  const auto told = Json::Parse(fitted.out);
  ASSERT_TRUE(told.ok());
  EXPECT_EQ(told->GetString("out").value(), model_ + "/calibration.json");
  EXPECT_TRUE(told->GetNumber("ece_before").ok() && told->GetNumber("ece_after").ok());
  const auto written = Json::Parse(ReadTextFile(model_ + "/calibration.json", 1U << 20U).value());
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->GetInteger("version").value(), 1);
  EXPECT_THAT(written->GetString("fitted_on").value(),
              AllOf(HasSubstr("drawn: 20 pictures"), HasSubstr("weight 0.50")));

  // One far from what is fitted shows whose it is.
  const std::vector<std::string> question = {"-q", "Is there a couch?", "--json"};
  const auto ask = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"ask", Picture(0)});
    arguments.insert(arguments.end(), question.begin(), question.end());
    return Run(arguments);
  };
  WriteText(model_ + "/calibration.json", R"({"version":1,"temperature":20,"unsure":[0.05,0.95]})");
  const double bent = YesOf(ask({"--model", model_}));
  ASSERT_EQ(Run({"compile", model_, "--out", folder_.Path("artifacts"), "--precision", "bf16"}).code, 0);
  EXPECT_EQ(YesOf(ask({"--artifacts", folder_.Path("artifacts")})), bent);
  EXPECT_THAT(ask({"--model", model_}).out, HasSubstr(R"("unsure":true)"));
  EXPECT_THAT(Run({"ask", Picture(0), "--model", model_, "-q", "Is there a couch?"}).out, HasSubstr("(unsure)"));
  std::filesystem::remove(model_ + "/calibration.json");
  const Ended plain = ask({"--model", model_});
  EXPECT_GT(std::abs(YesOf(plain) - 0.5), std::abs(bent - 0.5) + 0.05) << plain.out;
  EXPECT_THAT(plain.out, HasSubstr(R"("unsure":false)"));
}

TEST_F(Score, ABadCalibrationStopsTheModelAndIsLeftOutWhenAsked) {
  WriteText(model_ + "/calibration.json", R"({"version":1,"temperature":0})");
  const Ended asked = Run({"ask", Picture(0), "--model", model_});
  EXPECT_EQ(asked.code, 3);
  EXPECT_THAT(asked.err, AllOf(HasSubstr("calibration.json: temperature: 0"), HasSubstr("pawsight model calibrate")));
  EXPECT_EQ(Run({"model", "score", "--model", model_, "--drawn", "1", "--no-calibration"}).code, 0);
  const Ended inspected = Run({"model", "inspect", model_});
  EXPECT_EQ(inspected.code, 1);
  EXPECT_THAT(inspected.out, HasSubstr("temperature: 0, want 0.05..20"));
}

TEST_F(Score, TheSharedPhotosAreAskedAsTheirLabelsSay) {
  const std::string labels = SharedPath("data/photos/labels.json");
  if (!FileExists(labels)) {
    GTEST_SKIP() << "SHARED DATA MISSING: " << labels << " (set PAWSIGHT_SHARED to where it is)";
  }
  const Ended ended = Run({"model", "score", "--model", model_, "--photos", labels});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out,
              AllOf(HasSubstr("== photos: 20 pictures"), HasSubstr("cat present"), HasSubstr("words alone")));
}

}  // namespace
}  // namespace pawsight::integration
