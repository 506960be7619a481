#include "net/multipart.h"

#include <gtest/gtest.h>

namespace pawsight::net {
namespace {

TEST(MultipartTest, PartsComeWithTheirHeadersAndBytesAsTheyAre) {
  const std::string body =
      "--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"../../etc/passwd\"\r\nPawsight-Sequence:  7 "
      "\r\n\r\n"
      "one\r\n--y\r\n\r\n--x\r\n\r\n\r\n--x--\r\n";
  const auto parts = ReadMultipart(body, "x");
  ASSERT_TRUE(parts.ok()) << parts.status().message();
  ASSERT_EQ(parts->size(), 2U);
  EXPECT_EQ(parts->at(0).Header("pawsight-sequence"), "7");
  EXPECT_EQ(parts->at(0).body, "one\r\n--y\r\n");
  EXPECT_EQ(parts->at(1).body, "");
  EXPECT_EQ(parts->at(1).Header("pawsight-sequence"), "");
}

TEST(MultipartTest, TheBoundaryIsReadFromTheContentType) {
  EXPECT_TRUE(IsMultipart("Multipart/form-data; boundary=x"));
  EXPECT_FALSE(IsMultipart("image/jpeg"));
  EXPECT_EQ(MultipartBoundary("multipart/form-data; boundary=----ab12").value(), "----ab12");
  EXPECT_EQ(MultipartBoundary("multipart/mixed; charset=x;  Boundary=\"a:b\" ; q=1").value(), "a:b");
  for (const char* wrong :
       {"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
        "multipart/form-data; boundary=a b", "multipart/form-data; boundary=a\r\nb"}) {
    EXPECT_EQ(MultipartBoundary(wrong).status().reason(), "multipart_boundary") << wrong;
  }
  EXPECT_FALSE(MultipartBoundary("multipart/form-data; boundary=" + std::string(71, 'x')).ok());
}

TEST(MultipartTest, WhatIsNoMultipartIsRefused) {
  for (const char* wrong :
       {"", "--x", "--x--", "--x\r\n", "--x\r\n\r\n", "--x\r\nA: b\r\n\r\nbody", "--x\r\nA: b\r\n--x--",
        "--x\r\n\r\nb\r\n--xy--", "\r\n--x\r\n\r\nb\r\n--x--", "pre\r\n--x\r\n\r\nb\r\n--x--", "--x\n\nb\n--x--",
        "--x\r\nno colon\r\n\r\nb\r\n--x--", "--x\r\n: v\r\n\r\nb\r\n--x--", "--x\r\nA : v\r\n\r\nb\r\n--x--",
        "--x\r\n\r\nb\r\n--x--\r\nmore", "--x\r\nContent-Transfer-Encoding: base64\r\n\r\nb\r\n--x--",
        "--x\r\nA: \x01\r\n\r\nb\r\n--x--"}) {
    EXPECT_EQ(ReadMultipart(wrong, "x").status().reason(), "multipart_malformed") << wrong;
  }
}

TEST(MultipartTest, ThereAreLimitsOfPartsAndHeaders) {
  std::string many;
  for (int part = 0; part < 10000; ++part) many += "--x\r\n\r\nb\r\n";
  EXPECT_EQ(ReadMultipart(many + "--x--", "x").status().reason(), "multipart_too_many_parts");
  const std::string large = "--x\r\nA: " + std::string(5000, 'a') + "\r\n\r\nb\r\n--x--";
  EXPECT_EQ(ReadMultipart(large, "x").status().reason(), "multipart_header_too_large");
  std::string lines = "--x\r\n";
  for (int line = 0; line < 1000; ++line) lines += "A: b\r\n";
  EXPECT_EQ(ReadMultipart(lines + "\r\nb\r\n--x--", "x").status().reason(), "multipart_header_too_large");
}

}  // namespace
}  // namespace pawsight::net
