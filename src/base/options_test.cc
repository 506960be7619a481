#include "base/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pawsight {
namespace {

struct Sample {
  int max_batch = 8;
  double share = 0.5;
  bool fast = false;
  Bytes max_body{16U << 20U};
  std::chrono::milliseconds max_wait{20};
  std::string listen = "127.0.0.1:8000";
  std::vector<std::string> hosts;
  std::string token;

  template <typename Visitor>
  static void Describe(Visitor&& option) {
    option(&Sample::max_batch, "max-batch", "frames in one forward pass", 1, 64);
    option(&Sample::share, "share", "of the traffic", 0.0, 1.0);
    option(&Sample::fast, "fast", "hurry");
    option(&Sample::max_body, "max-body", "of a request");
    option(&Sample::max_wait, "max-wait", "for company", std::chrono::milliseconds(0),
           std::chrono::milliseconds(60000));
    option(&Sample::listen, "listen", "address");
    option(&Sample::hosts, "hosts", "allowed");
    option(&Sample::token, "token", "of the callers");
  }
};

struct Bound {
  Bound() { table.Add(sample); }
  Sample sample;
  OptionTable table;
};

TEST(Options, AFileThenTheEnvironmentThenFlagsSetThemAndTheLastWins) {
  Bound b;
  ASSERT_TRUE(b.table.SetAll("max-batch: 4\nshare: 0.25\nmax-wait: 1.5s\nhosts: [a, b]\nfast: true\n", "w.yaml").ok());
  const std::vector<std::string> environment{"HOME=/", "PAWSIGHT_WORKER_MAX_BATCH=16", "PAWSIGHT_WORKER_MAX_BODY=64kB"};
  ASSERT_TRUE(b.table.ReadEnvironment("PAWSIGHT_WORKER_", environment).ok());
  ASSERT_TRUE(b.table.Set("max-batch", "32", "--max-batch").ok());
  EXPECT_EQ(b.sample.max_batch, 32);
  EXPECT_EQ(b.sample.max_body.value, 64000U);
  EXPECT_EQ(b.sample.max_wait.count(), 1500);
  EXPECT_EQ(b.sample.hosts, (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(b.sample.fast);
  EXPECT_NE(b.table.Effective().find("max-batch: 32  # --max-batch\nshare: 0.25  # w.yaml\n"), std::string::npos)
      << b.table.Effective();
}

TEST(Options, WhatSomebodySetIsToldFromADefaultOfTheSameValue) {
  Bound b;
  EXPECT_FALSE(b.table.IsGiven("max-batch"));
  ASSERT_TRUE(b.table.Set("max-batch", "8", "w.yaml").ok());
  EXPECT_TRUE(b.table.IsGiven("max-batch"));
  EXPECT_FALSE(b.table.IsGiven("share"));
}

TEST(Options, WhatIsPrintedReadsBackAndHidesSecrets) {
  Bound b, again;
  ASSERT_TRUE(b.table.Set("max-wait", "90s", "--max-wait").ok() == false);
  ASSERT_TRUE(b.table.Set("max-wait", "59s", "--max-wait").ok());
  ASSERT_TRUE(b.table.Set("hosts", "x.example, y", "--hosts").ok());
  ASSERT_TRUE(again.table.SetAll(b.table.Effective(), "printed").ok()) << b.table.Effective();
  EXPECT_EQ(again.sample.max_wait, b.sample.max_wait);
  EXPECT_EQ(again.sample.hosts, b.sample.hosts);
  EXPECT_EQ(again.sample.max_body, b.sample.max_body);
  ASSERT_TRUE(b.table.Set("token", "s3cret", "--token").ok());
  EXPECT_EQ(b.table.Effective().find("s3cret"), std::string::npos);
}

TEST(Options, AnUnknownNameIsAnErrorThatNamesTheNearest) {
  Bound b;
  EXPECT_EQ(b.table.Set("max-bacth", "4", "w.yaml").message(),
            "w.yaml: unknown setting \"max-bacth\"; did you mean max-batch?");
  EXPECT_EQ(b.table.Set("zzz", "4", "w.yaml").message(), "w.yaml: unknown setting \"zzz\"");
  const std::vector<std::string> environment{"P_MAXBATCH=1"};
  EXPECT_EQ(b.table.ReadEnvironment("P_", environment).message(),
            "$P_MAXBATCH: unknown setting \"maxbatch\"; did you mean max-batch?");
}

TEST(Options, AValueThatCannotBeReadNamesTheSettingItsOriginAndWhatIsWanted) {
  Bound b;
  EXPECT_EQ(b.table.Set("max-batch", "65", "--max-batch").message(), "--max-batch: max-batch is \"65\": want 1..64");
  EXPECT_EQ(b.table.Set("max-wait", "20", "--max-wait").message(),
            "--max-wait: max-wait is \"20\": want a time with its unit, as 20ms, 1.5s or 2m");
  EXPECT_EQ(b.table.Set("max-wait", "5us", "--max-wait").message(),
            "--max-wait: max-wait is \"5us\": want a whole number of 1ms");
  EXPECT_FALSE(b.table.Set("fast", "yes", "x").ok());
  EXPECT_FALSE(b.table.Set("max-body", "-1", "x").ok());
  EXPECT_FALSE(b.table.Set("max-body", "5 furlongs", "x").ok());
  EXPECT_FALSE(b.table.Set("share", "nan", "x").ok());
  EXPECT_FALSE(b.table.SetAll("max-batch: {a: 1}\n", "w.yaml").ok());
  EXPECT_FALSE(b.table.SetAll("- 1\n", "w.yaml").ok());
  EXPECT_EQ(b.sample.max_batch, 8) << "a refused value changes nothing";
}

}  // namespace
}  // namespace pawsight
