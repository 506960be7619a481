#include "net/connection_room.h"

#include <gmock/gmock.h>

namespace pawsight::net {
namespace {

using ::testing::HasSubstr;

TEST(ConnectionRoom, WhatFitsIsGivenAndADefaultIsCutToWhatDoes) {
  EXPECT_EQ(FitConnections(1000, true, 65536, 512).value(), 1000);
  EXPECT_EQ(FitConnections(512, true, 1024, 512).value(), 512);
  EXPECT_EQ(FitConnections(32768, false, 65536, 512).value(), 32768);
  EXPECT_EQ(FitConnections(32768, false, 1024, 512).value(), 512);
  EXPECT_EQ(FitConnections(32768, false, 256, 512).value(), 1) << "hardly any: it serves one after the other";
}

TEST(ConnectionRoom, ANumberThatSomebodyChoseIsRefusedWithWhatToDo) {
  const Result<int> refused = FitConnections(513, true, 1024, 512);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.status().reason(), "descriptors");
  for (const char* word : {"max-connections: 513", "1024 descriptors", "512 are for connections", "allow it 1025",
                           "LimitNOFILE=", "ulimit -n"}) {
    EXPECT_THAT(refused.status().message(), HasSubstr(word));
  }
}

}  // namespace
}  // namespace pawsight::net
