#include "base/severity.h"

#include <gtest/gtest.h>

namespace pawsight {
namespace {

TEST(SeverityTest, EveryNameIsReadBackAndNoOther) {
  for (const Severity severity : kSeverities) EXPECT_EQ(SeverityOf(SeverityName(severity)), severity);
  EXPECT_EQ(SeverityOf("loud"), std::nullopt);
  EXPECT_EQ(SeverityOf(""), std::nullopt);
}

}  // namespace
}  // namespace pawsight
