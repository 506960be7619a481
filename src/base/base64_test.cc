#include "base/base64.h"

#include <gtest/gtest.h>

namespace pawsight {
namespace {

TEST(Base64, TheVectorsOfTheRfcSurviveBothWays) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(EncodeBase64(bytes), text);
    ASSERT_TRUE(DecodeBase64(text).ok()) << text;
    EXPECT_EQ(*DecodeBase64(text), bytes);
  }
}

TEST(Base64, AllBytesSurvive) {
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += static_cast<char>(i * 7 + i / 256);
  for (size_t length = 0; length < bytes.size(); ++length) {
    ASSERT_EQ(DecodeBase64(EncodeBase64(bytes.substr(0, length))).value(), bytes.substr(0, length));
  }
}

TEST(Base64, AnythingElseIsRefused) {
  for (const char* text : {"Z", "Zg", "Zg=", "====", "Z===", "=Zg=", "Zg==Zg==", "Zh==", "Zm9=", "Zm9v\n", "Zm 9",
                           "Zm-_", "Zm9vZm9\x80", "\xffm9v",
                           "Z\xff"
                           "9v",
                           "Zm\xffv", "Zm9\xff", "\xff\xff=="}) {
    EXPECT_FALSE(DecodeBase64(text).ok()) << text;
  }
}

}  // namespace
}  // namespace pawsight
