#include "tools/settings_file.h"

#include <gtest/gtest.h>

namespace pawsight::tools {
namespace {

TEST(SettingsFile, ValuesAreReplacedAndTheRestStays) {
  const std::string before = "# ours\nteams: 1   # was enough\nmodel: \"blip\"\nmax-calls:\n";
  const auto after = EditSettings(before, {{"teams", "2"}, {"max-calls", "8"}, {"queue-limit", "32"}});
  ASSERT_TRUE(after.ok()) << after.status().ToString();
  EXPECT_EQ(*after, "# ours\nteams: 2   # was enough\nmodel: \"blip\"\nmax-calls: 8\nqueue-limit: 32\n");
  EXPECT_EQ(*EditSettings("", {{"teams", "2"}}), "teams: 2\n");
  EXPECT_EQ(*EditSettings("teams: 1", {{"teams", "2"}}), "teams: 2");
}

TEST(SettingsFile, WhatCannotBeEditedIsLeftAlone) {
  EXPECT_FALSE(EditSettings("{teams: 1, model: x}\n", {{"teams", "2"}}).ok());
  EXPECT_FALSE(EditSettings("teams: [", {{"teams", "2"}}).ok());
}

TEST(SettingsFile, AnAddressHasNoServerThreadsToSet) {
  Recommendation advice;
  advice.server = 2;
  advice.cap = 6;
  EXPECT_EQ(WorkerSettings(advice), (std::vector<Setting>{{"teams", "2"}, {"request-limit", "6"}}));
  advice.server = 0;
  EXPECT_EQ(WorkerSettings(advice), (std::vector<Setting>{{"request-limit", "6"}}));
}

}  // namespace
}  // namespace pawsight::tools
