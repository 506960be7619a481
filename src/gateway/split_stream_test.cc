#include "gateway/split_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::gateway {
namespace {

using ::testing::ElementsAre;

std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// The parts, when the stream comes in pieces of `piece` bytes.
std::vector<std::string> Parts(const std::string& stream, const std::string& boundary, size_t piece) {
  std::vector<std::string> parts;
  MultipartSplitter splitter(boundary, 1000);
  for (size_t at = 0; at < stream.size(); at += piece) {
    const Result<bool> fed =
        splitter.Feed(Bytes(std::string_view(stream).substr(at, piece)), [&](std::span<const uint8_t> part) {
          parts.emplace_back(part.begin(), part.end());
          return true;
        });
    EXPECT_TRUE(fed.ok());
  }
  return parts;
}

TEST(MultipartSplitterTest, PartsAreFoundHoweverTheBytesCome) {
  const std::string sized =
      "--x\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\n\r\na--xb\r\n--x\r\ncontent-length: "
      "1\r\n\r\nc\r\n--x--\r\n";
  const std::string unsized =
      "preamble\r\n--x\r\nContent-Type: image/jpeg\r\n\r\nabc\r\n--x\r\n\r\n\r\n--x\nA: b\n\nde\n--x--";
  for (const size_t piece : {1, 2, 3, 7, 1000}) {
    EXPECT_THAT(Parts(sized, "x", piece), ElementsAre("a--xb", "c")) << piece;
    EXPECT_THAT(Parts(sized, "--x", piece), ElementsAre("a--xb", "c")) << "some cameras say the dashes too";
    EXPECT_THAT(Parts(unsized, "x", piece), ElementsAre("abc", "", "de")) << piece;
  }
}

TEST(MultipartSplitterTest, PartsAndHeadersHaveALimit) {
  const auto none = [](std::span<const uint8_t>) { return true; };
  EXPECT_EQ(MultipartSplitter("x", 10).Feed(Bytes("--x\r\nContent-Length: 11\r\n\r\n"), none).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(MultipartSplitter("x", 10).Feed(Bytes("--x\r\n\r\n01234567890"), none).status().code(),
            StatusCode::kResourceExhausted);
  EXPECT_EQ(MultipartSplitter("x", 10).Feed(Bytes("--x\r\n" + std::string(9000, 'a')), none).status().code(),
            StatusCode::kResourceExhausted);
  MultipartSplitter no_boundary("boundary", 10);
  for (int n = 0; n < 1000; ++n)
    EXPECT_TRUE(no_boundary.Feed(Bytes(std::string(1000, '-')), none).ok()) << "kept: no more than a boundary's length";
}

TEST(MultipartSplitterTest, TheReaderMayHaveEnough) {
  int num_parts = 0;
  MultipartSplitter splitter("x", 10);
  EXPECT_FALSE(
      splitter
          .Feed(Bytes("--x\r\n\r\na\r\n--x\r\n\r\nb\r\n--x"), [&](std::span<const uint8_t>) { return ++num_parts < 1; })
          .value());
  EXPECT_EQ(num_parts, 1);
}

TEST(MultipartSplitterTest, TheBoundaryIsReadFromTheContentType) {
  EXPECT_EQ(MultipartBoundary("multipart/x-mixed-replace; boundary=frame"), "frame");
  EXPECT_EQ(MultipartBoundary("Multipart/X-Mixed-Replace;Boundary=\"--a b\"; x=y"), "--a b");
  EXPECT_EQ(MultipartBoundary("multipart/x-mixed-replace;boundary=a;x"), "a");
  EXPECT_EQ(MultipartBoundary("image/jpeg"), "");
  EXPECT_EQ(MultipartBoundary("multipart/x-mixed-replace"), "");
  EXPECT_EQ(MultipartBoundary("multipart/x-mixed-replace; boundary=" + std::string(300, 'a')), "");
}

TEST(PpmSplitterTest, ImagesAreFoundHoweverTheBytesCome) {
  const std::string stream = std::string("P6\n2 1\n255\nabcdef") + "P6\n1 1\n255\nxyz" + "P6\n1 1";
  for (const size_t piece : {1, 2, 5, 100}) {
    PpmSplitter splitter;
    std::vector<std::string> images;
    for (size_t at = 0; at < stream.size(); at += piece) {
      EXPECT_TRUE(splitter
                      .Feed(Bytes(std::string_view(stream).substr(at, piece)),
                            [&](frames::Image image) {
                              images.push_back(std::to_string(image.width) + ":" +
                                               std::string(image.rgb.begin(), image.rgb.end()));
                              return true;
                            })
                      .ok());
    }
    EXPECT_THAT(images, ElementsAre("2:abcdef", "1:xyz")) << piece;
  }
}

TEST(PpmSplitterTest, WhatIsNoPpmIsDataLossBeforeMemoryIsTaken) {
  for (const char* bad : {"P5\n1 1\n255\n", "P6\n0 1\n255\n", "P6\n1 9000\n255\n", "P6\n-1 1\n255\n",
                          "P6\n1 1\n65535\n", "P6\n99999 1\n255\n", "hello\nhello\nhello\n",
                          "P6 1 1 255 ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    PpmSplitter splitter;
    EXPECT_EQ(splitter.Feed(Bytes(bad), [](frames::Image) { return true; }).status().code(), StatusCode::kDataLoss)
        << bad;
  }
}

}  // namespace
}  // namespace pawsight::gateway
