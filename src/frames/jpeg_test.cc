// Every row of hostile-inputs 3a that a JPEG decoder meets; the files are made here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "base/rng.h"
#include "frames/decode.h"
#include "frames/encode.h"
#include "frames/testing.h"

namespace pawsight::frames {
namespace {

using namespace std::string_view_literals;
using testing::Find;
using testing::Inserted;
using testing::JpegRecipe;
using testing::MakeJpeg;
using testing::Synthetic;
using testing::WithoutSegments;
using testing::WithSize;
using Bytes = std::vector<uint8_t>;

std::string ReasonOf(const Result<Decoded>& result) {
  if (result.ok()) return "ok";
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(result.status().message().rfind("image: ", 0), 0U) << result.status().message();
  return result.status().reason();
}

/// The frame header's marker: SOF0, or SOF2 for a progressive file.
size_t FindFrameHeader(const Bytes& jpeg, bool progressive = false) {
  return Find(jpeg, progressive ? "\xff\xc2\x00\x11"sv : "\xff\xc0\x00\x11"sv);
}

/// The first bytes of the scan: behind its header.
size_t FindScanData(const Bytes& jpeg) {
  const size_t at = Find(jpeg, "\xff\xda"sv);
  return at + 2 + static_cast<size_t>(jpeg[at + 2] << 8 | jpeg[at + 3]);
}

int GreatestDifference(const Image& a, const Image& b) {
  EXPECT_EQ(a.rgb.size(), b.rgb.size());
  int greatest = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) greatest = std::max(greatest, std::abs(a.rgb[i] - b.rgb[i]));
  return greatest;
}

TEST(Jpeg, AnEncodedImageComesBackNearlyTheSame) {
  const Image image = Synthetic("grad", 161, 97);
  const Result<Decoded> decoded = Decode(EncodeJpeg(image, 95).value());
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(decoded->format, ImageFormat::kJpeg);
  EXPECT_EQ(decoded->image.width, 161);
  EXPECT_EQ(decoded->image.height, 97);
  EXPECT_LE(GreatestDifference(decoded->image, image), 8);
  EXPECT_FALSE(decoded->premature_end || decoded->damaged || decoded->animated);
}

TEST(Jpeg, MoreQualityMeansMoreBytesAndImpossibleImagesAreNotEncoded) {
  const Image image = Synthetic("golden", 64, 64);
  EXPECT_LT(EncodeJpeg(image, 20)->size(), EncodeJpeg(image, 95)->size());
  EXPECT_EQ(EncodeJpeg(Image(0, 0), 85).status().reason(), "image_empty");
  EXPECT_EQ(EncodeJpeg(Image(65501, 1), 85).status().reason(), "image_too_large");
}

TEST(Jpeg, AFileCutAnywhereIsRefusedAsTruncatedAndNeverHalfGrey) {  // A2, A3
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 200, 120));
  for (size_t size = 1; size + 2 < jpeg.size(); size += size < 30 ? 1 : 97) {
    EXPECT_EQ(ReasonOf(Decode(std::span(jpeg).first(size))), "image_truncated") << size << " of " << jpeg.size();
  }
}

TEST(Jpeg, AProgressiveFileCutAnywhereIsRefusedAsTruncatedEvenBetweenScans) {
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 200, 120), {.progressive = true});
  for (size_t size = 30; size + 2 < jpeg.size(); size += 61) {
    EXPECT_EQ(ReasonOf(Decode(std::span(jpeg).first(size))), "image_truncated") << size << " of " << jpeg.size();
  }
  for (size_t at = FindScanData(jpeg); at + 2 < jpeg.size(); ++at) {
    if (jpeg[at] == 0xFF && jpeg[at + 1] == 0xDA) {
      EXPECT_EQ(ReasonOf(Decode(std::span(jpeg).first(at))), "image_truncated") << at;
    }
  }
}

TEST(Jpeg, AFileWithoutTheScansOfItsColoursIsRefused) {
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 64, 48), {.separate_scans = true});
  ASSERT_TRUE(Decode(jpeg).ok());
  const size_t second = FindScanData(jpeg) + Find(std::span(jpeg).subspan(FindScanData(jpeg)), "\xff\xda"sv);
  Bytes first_scan(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(second));
  EXPECT_EQ(ReasonOf(Decode(first_scan)), "image_truncated");
  first_scan.insert(first_scan.end(), {0xFF, 0xD9});
  EXPECT_EQ(ReasonOf(Decode(first_scan)), "image_truncated");
}

TEST(Jpeg, AskedToBeTolerantItDecodesACutFileAndSaysSo) {
  const Image image = Synthetic("grad", 160, 160);
  for (const bool progressive : {false, true}) {
    const Bytes jpeg = MakeJpeg(image, {.progressive = progressive});
    const Result<Decoded> decoded = Decode(std::span(jpeg).first(jpeg.size() / 2), {.tolerant = true});
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_TRUE(decoded->damaged);
    EXPECT_FALSE(decoded->premature_end);
    EXPECT_LE(std::abs(decoded->image.pixel(5, 5)[0] - image.pixel(5, 5)[0]), 16) << "the part that is there";
  }
}

TEST(Jpeg, OnlyTheEndMarkerMissingIsDecodedAndFlagged) {  // A4
  for (const bool progressive : {false, true}) {
    const Bytes jpeg = MakeJpeg(Synthetic("golden", 90, 70), {.progressive = progressive});
    const Result<Decoded> whole = Decode(jpeg);
    const Result<Decoded> cut = Decode(std::span(jpeg).first(jpeg.size() - 2));
    ASSERT_TRUE(cut.ok()) << cut.status().ToString();
    EXPECT_TRUE(cut->premature_end);
    EXPECT_FALSE(cut->damaged);
    EXPECT_FALSE(whole->premature_end);
    EXPECT_EQ(cut->image.rgb, whole->image.rgb);
  }
}

TEST(Jpeg, MissingTablesOrHeadersAreRefused) {  // A5
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 64, 64));
  EXPECT_EQ(ReasonOf(Decode(WithoutSegments(jpeg, "\xff\xc4"sv))), "image_corrupt") << "no Huffman tables";
  EXPECT_EQ(ReasonOf(Decode(WithoutSegments(jpeg, "\xff\xdb"sv))), "image_corrupt") << "no quantisation tables";
  EXPECT_EQ(ReasonOf(Decode(WithoutSegments(jpeg, "\xff\xc0\x00\x11"sv))), "image_corrupt") << "no frame header";
  Bytes wrong_table = jpeg;
  wrong_table[FindScanData(jpeg) - 8] = 0x33;  // the second colour's tables: 3 and 3
  EXPECT_EQ(ReasonOf(Decode(wrong_table)), "image_corrupt");
}

TEST(Jpeg, AMotionJpegFrameMayLeaveOutTheStandardTables) {
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 64, 64));
  const Bytes avi = {0xFF, 0xE0, 0x00, 0x10, 'A', 'V', 'I', '1', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  const Result<Decoded> bare = Decode(Inserted(WithoutSegments(jpeg, "\xff\xc4"sv), 2, avi));
  ASSERT_TRUE(bare.ok()) << bare.status().ToString();
  EXPECT_EQ(bare->image.rgb, Decode(jpeg)->image.rgb);
}

TEST(Jpeg, ScanDataThatMakesNoSenseIsRefused) {
  const Bytes jpeg = MakeJpeg(Synthetic("hash", 128, 128));
  Bytes ended = jpeg;
  ended.erase(ended.begin() + static_cast<std::ptrdiff_t>(ended.size() / 2), ended.end() - 2);
  EXPECT_EQ(ReasonOf(Decode(ended)), "image_corrupt") << "the end marker comes too early";
  const Bytes restart = {0xFF, 0xD3};
  EXPECT_EQ(ReasonOf(Decode(Inserted(jpeg, FindScanData(jpeg) + 200, restart))), "image_corrupt");
  Bytes ones = jpeg;  // no Huffman code is all ones
  for (size_t i = FindScanData(jpeg) + 200; i < FindScanData(jpeg) + 240; ++i) ones[i] = i % 2 == 0 ? 0xFF : 0x00;
  EXPECT_EQ(ReasonOf(Decode(ones)), "image_corrupt");
}

TEST(Jpeg, ASizeBeyondTheLimitsIsRefusedBeforeMemoryIsTaken) {  // A6, A7, A8
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 32, 32));
  EXPECT_EQ(ReasonOf(Decode(WithSize(jpeg, 65535, 65535))), "image_too_large");
  EXPECT_EQ(ReasonOf(Decode(WithSize(jpeg, 65500, 65500))), "image_too_large");
  EXPECT_EQ(ReasonOf(Decode(WithSize(jpeg, 65535, 1))), "image_too_large");
  EXPECT_EQ(ReasonOf(Decode(WithSize(jpeg, 65000, 1))), "image_too_small");
  EXPECT_EQ(ReasonOf(Decode(WithSize(jpeg, 16, 801))), "image_aspect");
  EXPECT_EQ(ReasonOf(Decode(WithSize(jpeg, 801, 16))), "image_aspect");
  EXPECT_EQ(ReasonOf(Decode(WithSize(jpeg, 4097, 4096))), "image_too_large");
  EXPECT_EQ(ReasonOf(Decode(WithSize(jpeg, 0, 32))), "image_corrupt");
  EXPECT_EQ(ReasonOf(Decode(MakeJpeg(Synthetic("grad", 1, 1)))), "image_too_small");
  EXPECT_EQ(ReasonOf(Decode(MakeJpeg(Synthetic("grad", 16, 15)))), "image_too_small");
  EXPECT_EQ(ReasonOf(Decode(MakeJpeg(Synthetic("grad", 800, 16)))), "ok");
}

TEST(Jpeg, ThreePixelsWideOrHighStaysAnImageOfThatSize) {  // A9
  for (const auto& [width, height] : {std::pair{3, 40}, std::pair{40, 3}}) {
    const Result<Decoded> decoded = Decode(MakeJpeg(Synthetic("grad", width, height)), {.min_side = 1});
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(decoded->image.width, width);
    EXPECT_EQ(decoded->image.height, height);
  }
}

TEST(Jpeg, ProgressiveAndScanByScanGiveTheBytesOfBaseline) {  // A10
  for (const char* kind : {"golden", "hash", "grad"}) {
    const Image image = Synthetic(kind, 123, 77);
    const Bytes baseline = Decode(MakeJpeg(image))->image.rgb;
    EXPECT_EQ(Decode(MakeJpeg(image, {.progressive = true}))->image.rgb, baseline) << kind;
    EXPECT_EQ(Decode(MakeJpeg(image, {.separate_scans = true}))->image.rgb, baseline) << kind;
  }
}

TEST(Jpeg, AFileOfHundredsOfScansIsRefused) {  // A11
  const Bytes jpeg =
      MakeJpeg(Synthetic("golden", 64, 64), {.colors = JpegRecipe::Colors::kGrey, .one_bit_scans = true});
  EXPECT_EQ(ReasonOf(Decode(jpeg)), "image_too_many_scans");
  EXPECT_EQ(ReasonOf(Decode(jpeg, {.tolerant = true})), "image_too_many_scans");
  EXPECT_EQ(ReasonOf(Decode(jpeg, {.max_scans = 700})), "ok") << "nothing else is wrong with it";
  Bytes flood = MakeJpeg(Synthetic("golden", 64, 64), {.progressive = true});
  const size_t last_scan = flood.size() - 2;
  const Bytes scan(flood.begin() + static_cast<std::ptrdiff_t>(Find(flood, "\xff\xda"sv)), flood.end() - 2);
  for (int i = 0; i < 200; ++i)
    flood.insert(flood.begin() + static_cast<std::ptrdiff_t>(last_scan), scan.begin(), scan.end());
  EXPECT_EQ(ReasonOf(Decode(flood, {.tolerant = true})), "image_too_many_scans") << "the same scans again and again";
}

TEST(Jpeg, AProgressiveFileThatNeedsTooMuchScratchIsRefused) {
  const Bytes jpeg = MakeJpeg(Synthetic("grad", 512, 512), {.progressive = true});
  EXPECT_EQ(ReasonOf(Decode(jpeg, {.max_scratch = 256U << 10U})), "image_too_large");
  EXPECT_EQ(ReasonOf(Decode(jpeg, {.max_scratch = 4U << 20U})), "ok");
}

TEST(Jpeg, KindsThatAreNotDecodedAreCalledUnsupported) {  // A12
  const Image image = Synthetic("golden", 64, 64);
  EXPECT_EQ(ReasonOf(Decode(MakeJpeg(image, {.arithmetic = true}))), "image_type_unsupported");
  Bytes lossless = MakeJpeg(image);
  lossless[FindFrameHeader(lossless) + 1] = 0xC3;
  EXPECT_EQ(ReasonOf(Decode(lossless)), "image_type_unsupported");
  Bytes deep = MakeJpeg(image);
  deep[FindFrameHeader(deep) + 4] = 12;  // bits a sample
  EXPECT_EQ(ReasonOf(Decode(deep)), "image_type_unsupported");
}

TEST(Jpeg, CmykAndYcckComeOutInTheColoursThatWentIn) {  // A13
  const Image image = Synthetic("grad", 80, 60);
  for (const auto colors : {JpegRecipe::Colors::kCmyk, JpegRecipe::Colors::kYcck}) {
    const Result<Decoded> decoded = Decode(MakeJpeg(image, {.colors = colors, .quality = 100, .subsampled = false}));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_LE(GreatestDifference(decoded->image, image), 6);
  }
}

TEST(Jpeg, GreyIsTheSameInAllThreeColours) {  // A14
  const Image image = Synthetic("golden", 50, 40);
  const Result<Decoded> decoded = Decode(MakeJpeg(image, {.colors = JpegRecipe::Colors::kGrey, .quality = 100}));
  ASSERT_TRUE(decoded.ok());
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 50; ++x) {
      const uint8_t* pixel = decoded->image.pixel(x, y);
      ASSERT_EQ(pixel[0], pixel[1]);
      ASSERT_EQ(pixel[0], pixel[2]);
      ASSERT_NEAR(pixel[0], image.pixel(x, y)[1], 3);
    }
  }
}

TEST(Jpeg, StoredAsRgbItIsReadAsRgb) {
  const Image image = Synthetic("grad", 64, 64);
  const Result<Decoded> decoded =
      Decode(MakeJpeg(image, {.colors = JpegRecipe::Colors::kRgb, .quality = 100, .subsampled = false}));
  ASSERT_TRUE(decoded.ok());
  EXPECT_LE(GreatestDifference(decoded->image, image), 3);
}

TEST(Jpeg, BrokenAndHugeColourProfilesAreIgnored) {  // A18
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 64, 64));
  Bytes profile = {0xFF, 0xE2, 0xFF, 0xFF};
  for (const char letter : "ICC_PROFILE"sv) profile.push_back(static_cast<uint8_t>(letter));
  profile.resize(65537, 0xAB);
  Bytes with = jpeg;
  for (int i = 0; i < 60; ++i) with = Inserted(std::move(with), 2, profile);  // 3.9 MB
  const Result<Decoded> decoded = Decode(with);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(decoded->image.rgb, Decode(jpeg)->image.rgb);
}

TEST(Jpeg, WhatFollowsTheImageIsIgnored) {  // A19, A27
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 64, 64));
  const Bytes other = MakeJpeg(Synthetic("hash", 48, 48));
  const Bytes want = Decode(jpeg)->image.rgb;
  const Result<Decoded> twice = Decode(Inserted(jpeg, jpeg.size(), other));
  ASSERT_TRUE(twice.ok());
  EXPECT_EQ(twice->image.rgb, want);
  EXPECT_FALSE(twice->premature_end);
  const Bytes zip = {'P', 'K', 3, 4, '<', 'h', 't', 'm', 'l', '>'};
  EXPECT_EQ(Decode(Inserted(jpeg, jpeg.size(), zip))->image.rgb, want);
}

TEST(Jpeg, AnotherImageInPlaceOfTheEndMarkerTakesNothingFromTheFirst) {
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 64, 64));
  const Bytes other = MakeJpeg(Synthetic("hash", 48, 48));
  const Result<Decoded> decoded = Decode(Inserted(Bytes(jpeg.begin(), jpeg.end() - 2), jpeg.size() - 2, other));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_TRUE(decoded->premature_end);
  EXPECT_EQ(decoded->image.rgb, Decode(jpeg)->image.rgb);
}

TEST(Jpeg, BlackWhiteAndNoiseDecodeWithoutSurprise) {  // A31
  Image white(64, 64);
  std::fill(white.rgb.begin(), white.rgb.end(), uint8_t{255});
  EXPECT_EQ(Decode(MakeJpeg(white))->image.rgb, white.rgb);
  EXPECT_EQ(Decode(MakeJpeg(Image(64, 64)))->image.rgb, Image(64, 64).rgb);
  EXPECT_TRUE(Decode(MakeJpeg(Synthetic("hash", 64, 64))).ok());
}

TEST(Jpeg, AScaledDecodeIsTheSmallestThatIsLargeEnough) {
  const Bytes jpeg = MakeJpeg(Synthetic("grad", 641, 479));
  const auto size_for = [&jpeg](int width, int height) {
    const Result<Decoded> decoded = DecodeScaled(jpeg, {}, width, height);
    EXPECT_TRUE(decoded.ok());
    EXPECT_EQ(decoded->source_width, 641);
    EXPECT_EQ(decoded->source_height, 479);
    EXPECT_EQ(decoded->image.rgb.size(), 3U * static_cast<size_t>(decoded->image.width * decoded->image.height));
    return std::pair(decoded->image.width, decoded->image.height);
  };
  EXPECT_EQ(size_for(32, 24), std::pair(81, 60));
  EXPECT_EQ(size_for(81, 60), std::pair(81, 60));
  EXPECT_EQ(size_for(82, 60), std::pair(161, 120));
  EXPECT_EQ(size_for(200, 200), std::pair(321, 240));
  EXPECT_EQ(size_for(600, 1), std::pair(641, 479));
  EXPECT_EQ(size_for(9000, 9000), std::pair(641, 479));
}

TEST(Jpeg, AScaledDecodeShowsTheSamePicture) {
  const Image image = Synthetic("grad", 320, 240);
  const Image small = DecodeScaled(MakeJpeg(image), {}, 40, 30)->image;
  ASSERT_EQ(small.width, 40);
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 40; ++x) {
      for (int c = 0; c < 3; ++c) {
        ASSERT_NEAR(small.pixel(x, y)[c], image.pixel(8 * x + 4, 8 * y + 4)[c], 6) << x << " " << y << " " << c;
      }
    }
  }
}

TEST(Jpeg, FlippedBitsAnywhereGiveAnAnswerAndNeverACrash) {
  Rng rng(11);
  for (const bool progressive : {false, true}) {
    const Bytes jpeg = MakeJpeg(Synthetic("golden", 72, 56), {.progressive = progressive});
    for (int i = 0; i < 600; ++i) {
      Bytes damaged = jpeg;
      for (int flips = 1 + rng.Below(4); flips > 0; --flips) {
        damaged[static_cast<size_t>(rng.Below(static_cast<int>(damaged.size())))] ^=
            static_cast<uint8_t>(1 << rng.Below(8));
      }
      const Result<Decoded> decoded = Decode(damaged, {.tolerant = i % 2 == 0});
      if (decoded.ok()) {
        EXPECT_EQ(decoded->image.rgb.size(), 3U * static_cast<size_t>(decoded->image.width * decoded->image.height));
      }
    }
  }
}

}  // namespace
}  // namespace pawsight::frames
