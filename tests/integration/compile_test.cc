// `pawsight compile`, --artifacts and the cache from outside.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/files.h"
#include "base/json.h"
#include "program.h"

namespace pawsight::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kModel = PAWSIGHT_SOURCE_DIR "/models/pawsight-mini";

/// A drawn room as a file.
std::string Photo(const TempFolder& folder) {
  const Ended drawn = RunProgram({"scenes", "draw", "--count", "1", "--out", folder.Path("rooms")});
  EXPECT_EQ(drawn.code, 0) << drawn.err;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.Path("rooms"))) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".jpg" || extension == ".png") return entry.path().string();
  }
  ADD_FAILURE() << "no picture was drawn";
  return {};
}

/// Standard output without the milliseconds, which differ from run to run.
std::string Answers(const Ended& ended) {
  std::istringstream stream(ended.out);
  std::string all;
  for (std::string line; std::getline(stream, line);) all += line.substr(0, line.find("\"ms\":")) + "\n";
  return all;
}

std::vector<std::string> Ask(const std::string& photo, const std::vector<std::string>& more) {
  std::vector<std::string> arguments = {"ask", photo, "-q", "Is there a dog?", "-q", "Is the room empty?", "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

TEST(Compile, PrintsALineAComponentAndTheSecondTimeThatAllIsUpToDate) {
  const TempFolder folder;
  const std::vector<std::string> arguments = {"compile",        kModel,        "--out",
                                              folder.Path("a"), "--precision", "int8,text_encoder=bf16"};
  const Ended first = RunProgram(arguments);
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out,
              AllOf(HasSubstr("image_encoder  int8"), HasSubstr("text_encoder   bf16"),
                    HasSubstr("text_decoder   int8"), HasSubstr("against fp32"), Not(HasSubstr("up to date"))));
  std::vector<std::string> again = arguments;
  again.push_back("--json");
  const Ended second = RunProgram(again);
  EXPECT_EQ(second.code, 0) << second.err;
  std::istringstream stream(second.out);
  int lines = 0;
  for (std::string line; std::getline(stream, line); ++lines) {
    const auto json = Json::Parse(line);
    ASSERT_TRUE(json.ok()) << line;
    EXPECT_TRUE(json->GetBool("up_to_date").value());
    for (const char* key : {"component", "precision", "path"}) EXPECT_TRUE(json->GetString(key).ok()) << key;
    EXPECT_GT(json->GetInteger("bytes").value(), 0);
    const Json* check = json->Find("self_check");
    ASSERT_NE(check, nullptr);
    EXPECT_GE(check->GetNumber("least_cosine").value(), check->GetNumber("limit").value());
  }
  EXPECT_EQ(lines, 3);
}

TEST(Compile, WrongFlagsAreRefusedAndNamed) {
  const TempFolder folder;
  WriteText(folder.Path("file"), "x");
  const struct {
    std::vector<std::string> arguments;
    int code;
    const char* says;
  } cases[] = {{{"--out", folder.Path("file")}, 2, "is a file"},
               {{"--out", folder.Path("a"), "--component", "head"}, 2, "head"},
               {{"--out", folder.Path("a"), "--precision", "int4"}, 2, "int4"},
               {{"--out", folder.Path("a"), "--precision", "head=int8"}, 2, "head"},
               {{"--out", folder.Path("a"), "--cpu", "abacus"}, 2, "--cpu"},
               {{"--out", folder.Path("a"), "--question-length", "4000"}, 2, "4000"},
               {{"--out", folder.Path("a"), "--target", "neuron"}, 3, "neuron"}};
  for (const auto& one : cases) {
    std::vector<std::string> arguments = {"compile", kModel};
    arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
    const Ended ended = RunProgram(arguments);
    EXPECT_EQ(ended.code, one.code) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(one.says));
  }
}

TEST(Compile, AModelOrADiskThatIsWrongIsNoFlagsFault) {
  const TempFolder folder;
  std::filesystem::copy(kModel, folder.Path("model"), std::filesystem::copy_options::recursive);
  WriteText(folder.Path("model/config.json"), "{}");
  const struct {
    std::vector<std::string> arguments;
    const char* says;
  } cases[] = {{{folder.Path("model"), "--out", folder.Path("a")}, "config.json: model_type"},
               {{"/no/such/model", "--out", folder.Path("a")}, "/no/such/model"},
               {{kModel, "--out", "/proc/nonexistent/a"}, "/proc/nonexistent/a"}};
  for (const auto& one : cases) {
    std::vector<std::string> arguments = {"compile"};
    arguments.insert(arguments.end(), one.arguments.begin(), one.arguments.end());
    const Ended ended = RunProgram(arguments);
    EXPECT_EQ(ended.code, 3) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(one.says));
  }
  EXPECT_FALSE(std::filesystem::exists(folder.Path("a")));
}

/// Whether a file of `dir` is an artifact that was begun and not finished, or, with `finished`, one that was.
bool HasArtifact(const std::string& dir, bool finished) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(dir, error)) {
    const std::string name = entry.path().filename().string();
    if (finished ? name.ends_with(".artifact") : name.find(".artifact.") != std::string::npos) return true;
  }
  return false;
}

TEST(Compile, KilledMidwayItLeavesNoHalfArtifactAndTheNextOneFinishes) {
  const TempFolder folder;
  const std::string photo = Photo(folder);
  const std::string dir = folder.Path("a");
  // The moment of the kill is the system's: while the first artifact is written, and after it.
  for (const bool finished : {false, true}) {
    std::filesystem::remove_all(dir);
    const Ended killed = KillProgram({"compile", kModel, "--out", dir, "--precision", "fp32"},
                                     [&] { return HasArtifact(dir, finished); });
    ASSERT_TRUE(killed.code == 137 || killed.code == 0) << killed.code << killed.err;
    if (killed.code == 0) std::printf("the compile ended before it was killed\n");
    if (killed.code == 137) {
      const Ended asked = RunProgram(Ask(photo, {"--artifacts", dir}));
      EXPECT_TRUE(asked.code == 3 || asked.code == 0) << asked.code;
      EXPECT_THAT(asked.err, Not(HasSubstr("damaged")));
      EXPECT_THAT(asked.err, Not(HasSubstr("never finished")));
    }
    const Ended again = RunProgram({"compile", kModel, "--out", dir, "--precision", "fp32"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_FALSE(HasArtifact(dir, false)) << "what the killed one left is swept out";
    EXPECT_EQ(RunProgram(Ask(photo, {"--artifacts", dir})).code, 0);
  }
}

TEST(Artifacts, AnswerAsTheModelThatTheyWereMadeOf) {
  const TempFolder folder;
  const std::string photo = Photo(folder);
  ASSERT_EQ(RunProgram({"compile", kModel, "--out", folder.Path("a"), "--precision", "int8"}).code, 0);
  const Ended artifacts = RunProgram(Ask(photo, {"--artifacts", folder.Path("a")}));
  const Ended model = RunProgram(Ask(photo, {"--model", kModel, "--precision", "int8"}));
  EXPECT_EQ(artifacts.code, 0) << artifacts.err;
  EXPECT_EQ(model.code, 0) << model.err;
  EXPECT_THAT(artifacts.out, HasSubstr("p_yes"));
  EXPECT_EQ(Answers(artifacts), Answers(model));
  EXPECT_EQ(RunProgram(Ask(photo, {"--artifacts", folder.Path("a"), "--model", kModel})).code, 2);
}

TEST(Artifacts, DamagedMissingOrOfAnotherVersionAreRefusedWithAReason) {
  const TempFolder folder;
  const std::string photo = Photo(folder);
  const std::string dir = folder.Path("a");
  const Ended none = RunProgram(Ask(photo, {"--artifacts", folder.Path("none")}));
  EXPECT_EQ(none.code, 3);
  EXPECT_THAT(none.err, HasSubstr("none"));
  const Ended other = RunProgram(Ask(photo, {"--artifacts", folder.Path("rooms")}));
  EXPECT_EQ(other.code, 3) << "a directory of something else";
  EXPECT_THAT(other.err, HasSubstr("artifacts: none"));
  ASSERT_EQ(RunProgram({"compile", kModel, "--out", dir, "--precision", "bf16", "--no-check"}).code, 0);
  const std::string path = dir + "/text_encoder.artifact";
  const Ended whole = RunProgram({"model", "inspect", dir});
  EXPECT_EQ(whole.code, 0) << whole.err;
  EXPECT_THAT(whole.out, AllOf(HasSubstr("text_encoder"), HasSubstr("bf16")));
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path) / 2)).put(9).put(99).put(9);
  }
  const Ended damaged = RunProgram({"model", "inspect", dir});
  EXPECT_EQ(damaged.code, 1);
  EXPECT_THAT(damaged.out, HasSubstr("checksum differs"));
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(8).put(9);
  }
  const Ended version = RunProgram(Ask(photo, {"--artifacts", dir}));
  EXPECT_EQ(version.code, 3);
  EXPECT_THAT(version.err, AllOf(HasSubstr("version 9"), HasSubstr("pawsight compile")));
  std::filesystem::resize_file(path, 5000);
  const Ended cut = RunProgram(Ask(photo, {"--artifacts", dir}));
  EXPECT_EQ(cut.code, 3);
  EXPECT_THAT(cut.err, HasSubstr("text_encoder.artifact"));
  std::filesystem::remove(path);
  const Ended missing = RunProgram(Ask(photo, {"--artifacts", dir}));
  EXPECT_EQ(missing.code, 3);
  EXPECT_THAT(missing.err, HasSubstr("text_encoder"));
}

TEST(Cache, CompilesOnceSaysSoAndIsFoundAgain) {
  const TempFolder folder;
  const std::string photo = Photo(folder);
  const std::string model = folder.Path("model");
  std::filesystem::copy(kModel, model, std::filesystem::copy_options::recursive);
  const Ended first = RunProgram(Ask(photo, {"--model", model, "--precision", "int8"}));
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.err, HasSubstr("compiled"));
  const Ended second = RunProgram(Ask(photo, {"--model", model, "--precision", "int8"}));
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, Not(HasSubstr("compiled")));
  EXPECT_EQ(Answers(first), Answers(second));
}

TEST(Cache, ADamagedEntryIsMadeAnew) {
  const TempFolder folder;
  const std::string photo = Photo(folder);
  const std::vector<std::string> cache = {"XDG_CACHE_HOME=" + folder.Path("cache")};
  const Ended first = RunProgram(Ask(photo, {"--model", kModel}), "", cache);
  ASSERT_EQ(first.code, 0) << first.err;
  int cut = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.Path("cache"))) {
    if (entry.path().filename() != "text_decoder.artifact") continue;
    std::filesystem::resize_file(entry.path(), 5000);
    ++cut;
  }
  ASSERT_EQ(cut, 1);
  const Ended second = RunProgram(Ask(photo, {"--model", kModel}), "", cache);
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.err, HasSubstr("compiled"));
  EXPECT_EQ(Answers(first), Answers(second));
}

TEST(Cache, WhereNoneCanBeWrittenTheModelIsPackedInMemoryWithAWarning) {
  const TempFolder folder;
  const std::string photo = Photo(folder);
  WriteText(folder.Path("file"), "x");
  const Ended ended = RunProgram(Ask(photo, {"--model", kModel}), "", {"XDG_CACHE_HOME=" + folder.Path("file")});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("p_yes"));
  EXPECT_THAT(ended.err, HasSubstr("cache_unusable"));
}

}  // namespace
}  // namespace pawsight::integration
