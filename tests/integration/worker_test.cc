// `pawsight worker` from outside: the shipped model over a real socket, signals, settings.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "base/json.h"
#include "running_worker.h"

namespace pawsight::integration {
namespace {

using ::testing::HasSubstr;

HttpAnswer AskOf(const RunningWorker& worker, const std::vector<std::string>& questions) {
  return worker.Infer(
      "vqa", {{"image", {1}, {RoomJpeg(11)}}, {"question", {static_cast<int64_t>(questions.size())}, questions}});
}

TEST(Worker, AnswersOverHttpCountsItAndLeavesCleanlyAtSigterm) {
  RunningWorker worker({});
  EXPECT_EQ(worker.Get("/v2/health/ready").status, 200);
  EXPECT_THAT(worker.Get("/v2/models/vqa").body, HasSubstr(R"("platform":"pawsight_blip")"));
  const HttpAnswer answer = AskOf(worker, {"Is there a dog?", "Is it night?"});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.json().Find("id")->as_string(), "7");
  EXPECT_EQ(answer.Output("p_yes").size(), 2U);
  for (const Json& p : answer.Output("p_yes")) {
    EXPECT_GE(p.as_number(), 0);
    EXPECT_LE(p.as_number(), 1);
  }
  EXPECT_THAT(worker.Metrics().body, HasSubstr("pawsight_server_"));
  worker.program().Signal(SIGTERM);
  const Ended ended = worker.program().Wait();
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("worker_stopped"));
  EXPECT_EQ(ended.err.find("Is there"), std::string::npos) << "no question is logged";
}

TEST(Worker, SighupPutsTheModelInItsOwnPlaceWhileItServes) {
  RunningWorker worker({});
  worker.program().Signal(SIGHUP);
  EXPECT_EQ(AskOf(worker, {"Is there a dog?"}).status, 200);
  worker.program().WaitUntilSaid("model_reloaded");
  EXPECT_EQ(AskOf(worker, {"Is there a dog?"}).status, 200);
}

TEST(Worker, SettingsComeFromFileEnvironmentAndFlagsAndAreChecked) {
  const TempFolder folder;
  WriteText(folder.Path("worker.yaml"), "max-batch: 4\nmax-queue-delay: 5ms\n");
  const Ended printed =
      RunProgram({"worker", "--config", folder.Path("worker.yaml"), "--queue-limit", "64", "--print-config"}, "",
                 {"PAWSIGHT_WORKER_MAX_BATCH=16"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("max-batch: 16  # $PAWSIGHT_WORKER_MAX_BATCH\n"));
  EXPECT_THAT(printed.out, HasSubstr("max-queue-delay: 5ms  # " + folder.Path("worker.yaml")));
  EXPECT_THAT(printed.out, HasSubstr("queue-limit: 64  # --queue-limit\n"));

  WriteText(folder.Path("wrong.yaml"), "max-bacth: 4\n");
  const Ended wrong = RunProgram({"worker", "--config", folder.Path("wrong.yaml"), "--check-config"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean max-batch?"));
  const Ended open = RunProgram({"worker", "--listen-http", "0.0.0.0:0", "--check-config"});
  EXPECT_EQ(open.code, 2);
  EXPECT_THAT(open.err, HasSubstr("token-file"));
}

}  // namespace
}  // namespace pawsight::integration
