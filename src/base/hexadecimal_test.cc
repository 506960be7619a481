#include "base/hexadecimal.h"

#include <gtest/gtest.h>

#include <array>

namespace pawsight {
namespace {

TEST(Hexadecimal, IsTwoSmallDigitsAByteTheHighOneFirst) {
  EXPECT_EQ(Hexadecimal({}), "");
  EXPECT_EQ(Hexadecimal(std::array<uint8_t, 5>{0x00, 0x0f, 0xf0, 0x9a, 0xff}), "000ff09aff");
}

}  // namespace
}  // namespace pawsight
