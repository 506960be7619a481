// The program from outside: help, exit codes, what is printed where. No model is needed but for the last tests.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "program.h"

namespace pawsight::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(Program, HelpNamesEveryCommandAndHasExamples) {
  const Ended help = RunProgram({"--help"});
  EXPECT_EQ(help.code, 0);
  EXPECT_THAT(help.out,
              AllOf(HasSubstr("demo"), HasSubstr("ask"), HasSubstr("watch"), HasSubstr("model"), HasSubstr("doctor"),
                    HasSubstr("bench"), HasSubstr("Examples:"), HasSubstr("Exit codes:")));
  EXPECT_THAT(help.err, IsEmpty());
}

TEST(Program, EveryCommandsHelpHasAnExample) {
  const std::vector<std::vector<std::string>> commands = {
      {"demo"},   {"ask"},   {"watch"},      {"model", "check"}, {"model", "inspect"},
      {"doctor"}, {"bench"}, {"completion"}, {"cost"},           {"scenes", "gate"}};
  for (std::vector<std::string> command : commands) {
    command.push_back("--help");
    const Ended help = RunProgram(command);
    EXPECT_EQ(help.code, 0) << command[0];
    EXPECT_THAT(help.out, AllOf(HasSubstr("Example"), HasSubstr("pawsight " + command[0]))) << command[0];
  }
}

TEST(Program, TheVersionIsOneLine) {
  const Ended version = RunProgram({"--version"});
  EXPECT_EQ(version.code, 0);
  EXPECT_EQ(version.out, "pawsight " PAWSIGHT_VERSION "\n");
}

TEST(Program, WrongUsageIsTwoAndSaidOnStandardError) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"frobnicate"},
                                                       {"--frobnicate"},
                                                       {"ask"},
                                                       {"ask", "a.jpg", "--mode", "guess"},
                                                       {"ask", "a.jpg", "--mode", "rank"},
                                                       {"ask", "a.jpg", "--threads", "0"},
                                                       {"ask", "a.jpg", "--precision", "fp7"},
                                                       {"ask", "a.jpg", "-q", ""},
                                                       {"ask", "a.jpg", "-q", std::string(100'000, 'x')},
                                                       {"model"},
                                                       {"model", "check", "somewhere"},
                                                       {"completion", "tcsh"},
                                                       {"watch"}};
  for (const std::vector<std::string>& arguments : wrong) {
    const Ended ended = RunProgram(arguments);
    const std::string shown = ::testing::PrintToString(arguments).substr(0, 100);
    EXPECT_EQ(ended.code, 2) << shown << ended.err;
    EXPECT_THAT(ended.out, IsEmpty()) << shown;
    EXPECT_THAT(ended.err, Not(IsEmpty())) << shown;
  }
}

TEST(Program, AQuestionWithoutItsOwnFlagIsNotTakenForAPhoto) {
  const Ended ended = RunProgram({"ask", "a.jpg", "-q", "Is there a dog?", "Is there a cat?"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("Is there a cat?: no such file"), HasSubstr("-q of its own"))) << ended.err;
}

TEST(Program, AModelThatIsNotThereIsAnEnvironmentErrorThatNamesIt) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"ask", "--model", "/no/such/model", "a.jpg"},
                                             {"model", "inspect", "/no/such/model"},
                                             {"model", "check", "/no/such/model", "--golden", "/no/such/file"}}) {
    const Ended ended = RunProgram(arguments);
    EXPECT_EQ(ended.code, 3) << arguments[0] << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("/no/such/")) << arguments[0];
  }
}

TEST(Program, AModelWithoutWeightsIsRefusedByName) {
  const TempFolder folder;
  std::filesystem::copy(PAWSIGHT_SOURCE_DIR "/models/pawsight-mini/config.json", folder.Path("config.json"));
  std::filesystem::copy(PAWSIGHT_SOURCE_DIR "/models/pawsight-mini/preprocessor_config.json",
                        folder.Path("preprocessor_config.json"));
  const Ended ended = RunProgram({"model", "inspect", folder.Path("")});
  EXPECT_EQ(ended.code, 3);
  EXPECT_THAT(ended.err, HasSubstr("model.safetensors"));
}

TEST(Program, CompletionIsAScriptThatBashAccepts) {
  const TempFolder folder;
  const Ended completion = RunProgram({"completion", "bash"});
  ASSERT_EQ(completion.code, 0) << completion.err;
  WriteText(folder.Path("completion.bash"), completion.out);
  EXPECT_EQ(std::system(("bash -n '" + folder.Path("completion.bash") + "'").c_str()), 0);
  const Result<std::string> shipped =
      ReadTextFile(PAWSIGHT_SOURCE_DIR "/packaging/completion/pawsight.bash", 1U << 20U);
  ASSERT_TRUE(shipped.ok()) << shipped.status().message();
  EXPECT_EQ(*shipped, completion.out)
      << "write it again: pawsight completion bash > packaging/completion/pawsight.bash";
}

class Goldens : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!IsDirectory(SharedPath("goldens/tiny-a"))) {
      GTEST_SKIP() << "SKIPPED: no goldens at " << SharedPath("goldens")
                   << "; set PAWSIGHT_SHARED to the folder above it";
    }
  }
};

TEST_F(Goldens, ModelCheckPassesOnBothModelsAndBothWeightFormats) {
  const std::string a = SharedPath("goldens/tiny-a");
  const std::string b = SharedPath("goldens/tiny-b");
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"model", "check", a, "--golden", a + "/goldens.safetensors"},
           {"model", "check", a, "--golden", a + "/goldens.safetensors", "--weights", a + "/pytorch_model.bin"},
           {"model", "check", b, "--golden", b + "/goldens.safetensors", "--cpu", "scalar", "--threads", "1"}}) {
    const Ended ended = RunProgram(arguments);
    EXPECT_EQ(ended.code, 0) << ended.out << ended.err;
    EXPECT_THAT(ended.out, HasSubstr(" 0 differ"));
  }
}

TEST_F(Goldens, ModelCheckFailsOnAnotherModelsNumbers) {
  const Ended ended = RunProgram(
      {"model", "check", SharedPath("goldens/tiny-b"), "--golden", SharedPath("goldens/tiny-a/goldens.safetensors")});
  EXPECT_NE(ended.code, 0);
  EXPECT_LE(ended.code, 3) << ended.err;
}

TEST_F(Goldens, InspectSaysWhatAModelHolds) {
  const Ended ended = RunProgram({"model", "inspect", SharedPath("goldens/tiny-a"), "--json"});
  EXPECT_THAT(ended.out, AllOf(HasSubstr("\"heads\":[\"vqa\""), HasSubstr("48 px, patch 16, 10 tokens")));
}

}  // namespace
}  // namespace pawsight::integration
