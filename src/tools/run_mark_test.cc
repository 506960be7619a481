#include "tools/run_mark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tools/testing.h"

namespace pawsight::tools {
namespace {

using std::chrono::seconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr Time kMade{std::chrono::hours(1)};

TEST(RunMark, ANameGivesTheMarkBackAndFitsAnOwnersName) {
  const RunMark mark = MarkThisRun(seconds(31'536'000));
  EXPECT_EQ(mark.pid, getpid());
  EXPECT_GT(mark.started, 0);
  EXPECT_NE(mark.place, "-");
  EXPECT_LE(NameOfMark(mark).size(), 200U);
  EXPECT_EQ(MarkOfName(NameOfMark(mark)), mark);
  EXPECT_NE(MarkThisRun(seconds(1)).run, mark.run);
}

TEST(RunMark, ANameThatIsNotToTheLetterOneIsSomebodysOwn) {
  const std::string name = NameOfMark(MarkThisRun(seconds(60)));
  std::string other = name;
  other[other.find("run=") + 4] = 'g';
  EXPECT_FALSE(MarkOfName(other));
  EXPECT_FALSE(MarkOfName(name + " "));
  EXPECT_FALSE(MarkOfName(" " + name));
  EXPECT_FALSE(MarkOfName(name.substr(0, name.size() - 2)));
  EXPECT_FALSE(MarkOfName("pawsight stress, removed at its end: run=1"));
  EXPECT_FALSE(MarkOfName("pawsight stress, removed at its end")) << "an older version's, of whom nothing is known";
}

TEST(RunMark, HereARunIsOverWhenItsProcessIsGoneWhateverItsLeaseSays) {
  const RunMark run{std::string(32, 'a'), "here", 7, 70, seconds(60)};
  RunSight sight{kMade + seconds(1), "here", {}, [](int, int64_t) { return std::optional(false); }};
  EXPECT_TRUE(IsOver(run, kMade, sight));
  sight.lives = [](int pid, int64_t started) { return std::optional(pid == 7 && started == 70); };
  sight.now = kMade + seconds(1'000'000);
  EXPECT_FALSE(IsOver(run, kMade, sight));
}

TEST(RunMark, ElsewhereAndWhereNobodyTellsARunIsOverWhenItsLeaseHasPassed) {
  const RunMark run{std::string(32, 'a'), "there", 7, 70, seconds(60)};
  RunSight sight{kMade + seconds(60), "here", {}, [](int, int64_t) { return std::optional(false); }};
  EXPECT_FALSE(IsOver(run, kMade, sight));
  sight.now += seconds(1);
  EXPECT_TRUE(IsOver(run, kMade, sight));
  sight.now = kMade - seconds(3600);
  EXPECT_FALSE(IsOver(run, kMade, sight)) << "the gateway's clock was set back";

  sight = {kMade + seconds(60), "there", {}, [](int, int64_t) { return std::optional<bool>(); }};
  EXPECT_FALSE(IsOver(run, kMade, sight));
  RunMark nowhere = run;
  nowhere.place = sight.place = "-";
  sight.lives = [](int, int64_t) { return std::optional(false); };
  EXPECT_FALSE(IsOver(nowhere, kMade, sight)) << "two that do not know where they are may be anywhere";
}

TEST(RunMark, ARunThatAJournalGaveIsOver) {
  const RunMark run{std::string(32, 'a'), "there", 7, 70, seconds(60)};
  EXPECT_TRUE(IsOver(run, kMade, {kMade, "here", {std::string(32, 'c'), run.run}}));
  EXPECT_FALSE(IsOver(run, kMade, {kMade, "here", {std::string(32, 'b')}}));
}

TEST(RunMark, AProcessLivesUntilItHasEndedAndIsNoOtherOfItsNumber) {
  const RunMark self = MarkThisRun(seconds(1));
  EXPECT_EQ(ProcessLives(self.pid, self.started), true);
  EXPECT_EQ(ProcessLives(self.pid, self.started + 1), false);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    char unused = 0;
    close(ends[1]);
    _exit(static_cast<int>(read(ends[0], &unused, 1)));  // until it is killed
  }
  close(ends[0]);
  ASSERT_EQ(kill(child, SIGKILL), 0);
  siginfo_t ended{};
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(ProcessLives(child, self.started), false) << "nobody has asked yet how it ended";
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_EQ(ProcessLives(child, self.started), false);
  close(ends[1]);
}

class RunJournalTest : public ::testing::Test {
 protected:
  const testing::ScratchFolder scratch_;
  const std::string folder_ = scratch_.Path(".");
};

TEST_F(RunJournalTest, WhatARunLeftIsThereForTheNextAndWhatItRemovedIsNot) {
  const std::string run(32, 'c');
  {
    auto first = RunJournal::Open(folder_ + "/gateway.run");
    ASSERT_TRUE(first.ok());
    EXPECT_THAT(first->left(), IsEmpty());
    ASSERT_TRUE(first->Add(run).ok());
    EXPECT_EQ(RunJournal::Open(folder_ + "/gateway.run").status().code(), StatusCode::kFailedPrecondition)
        << "it has not ended";
  }
  {
    auto second = RunJournal::Open(folder_ + "/gateway.run");
    ASSERT_TRUE(second.ok());
    EXPECT_THAT(second->left(), ElementsAre(run));
    ASSERT_TRUE(second->Clear().ok());
  }
  EXPECT_THAT(RunJournal::Open(folder_ + "/gateway.run")->left(), IsEmpty());
  EXPECT_EQ(RunJournal::Open(folder_ + "/none/gateway.run").status().code(), StatusCode::kUnavailable);
}

TEST_F(RunJournalTest, ARunThatIsAddedAndKilledTakesNoOthersPlaceNorDoesAHalfLine) {
  const std::string path = folder_ + "/gateway.run", first(32, 'a'), second(32, 'b');
  ASSERT_TRUE(RunJournal::Open(path)->Add(first).ok());
  std::ofstream(path, std::ios::app) << "0123456789";  // killed while it wrote
  ASSERT_TRUE(RunJournal::Open(path)->Add(second).ok());
  EXPECT_THAT(RunJournal::Open(path)->left(), ElementsAre(first, second));
}

TEST_F(RunJournalTest, ItDoesNotGrowForEver) {
  const std::string path = folder_ + "/gateway.run";
  std::string run;
  for (size_t n = 0; n < 3 * RunJournal::kMaxRuns; ++n) {
    run = std::to_string(1000 + n);
    run.resize(32, 'f');
    ASSERT_TRUE(RunJournal::Open(path)->Add(run).ok());
  }
  EXPECT_LE(std::filesystem::file_size(path), 40 * RunJournal::kMaxRuns);
  EXPECT_THAT(RunJournal::Open(path)->left(), Contains(run));
}

}  // namespace
}  // namespace pawsight::tools
