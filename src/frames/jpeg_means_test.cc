// The means of blocks beside libjpeg's, and the light of a frame.
#include "frames/jpeg_means.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "base/files.h"
#include "base/rng.h"
#include "frames/codecs.h"
#include "frames/testing.h"

namespace pawsight::frames {
namespace {

using namespace std::string_view_literals;
using testing::Find;
using testing::Inserted;
using testing::JpegRecipe;
using testing::MakeJpeg;
using testing::Synthetic;
using Bytes = std::vector<uint8_t>;
using Colors = JpegRecipe::Colors;

/// As small as libjpeg goes.
std::optional<Light> Means(const Bytes& jpeg) { return DecodeJpegMeans(jpeg, {}, 1, 1); }
Result<Light> Reference(const Bytes& jpeg) { return DecodeJpegLight(jpeg, {}, 1, 1); }

/// What all cameras send, and some of what one may.
std::vector<std::pair<std::string, JpegRecipe>> Ordinary() {
  return {{"4:2:0", {.quality = 75}},
          {"4:2:2", {.quality = 60, .across = 2, .down = 1}},
          {"4:4:0", {.quality = 85, .across = 1, .down = 2}},
          {"4:4:4", {.quality = 95, .subsampled = false}},
          {"grey", {.colors = Colors::kGrey, .quality = 50}},
          {"of its own tables", {.quality = 80, .optimized = true}},
          {"all coefficients", {.quality = 100}},
          {"hardly any coefficients", {.quality = 2}},
          {"a restart a unit", {.quality = 75, .restart = 1}},
          {"a restart every seven units", {.quality = 75, .across = 2, .down = 1, .restart = 7}},
          {"an Exif block", {.quality = 75, .exif = testing::Exif(6)}}};
}

TEST(JpegMeans, AreWhatLibjpegGivesAtAnEighthToTheBit) {
  for (const std::string_view kind : {"grad"sv, "hash"sv, "check"sv, "edge"sv, "golden"sv}) {
    for (const auto& [width, height] : {std::pair{16, 16}, {17, 33}, {161, 97}, {320, 240}}) {
      const Image image = Synthetic(kind, width, height);
      for (const auto& [name, recipe] : Ordinary()) {
        SCOPED_TRACE(name + ", " + std::string(kind) + " " + std::to_string(width) + "x" + std::to_string(height));
        const Bytes jpeg = MakeJpeg(image, recipe);
        const std::optional<Light> means = Means(jpeg);
        ASSERT_TRUE(means.has_value());
        const Result<Light> reference = Reference(jpeg);
        ASSERT_TRUE(reference.ok()) << reference.status().ToString();
        EXPECT_EQ(means->width, (width + 7) / 8);
        EXPECT_EQ(means->height, (height + 7) / 8);
        EXPECT_EQ(means->levels, reference->levels);
      }
    }
  }
}

TEST(JpegMeans, WhatIsNoBaselineOfLightFirstIsLeftToLibjpeg) {
  const Image image = Synthetic("golden", 72, 56);
  const std::pair<std::string, JpegRecipe> recipes[] = {
      {"progressive", {.progressive = true}},
      {"arithmetic", {.arithmetic = true}},
      {"RGB", {.colors = Colors::kRgb}},
      {"CMYK", {.colors = Colors::kCmyk}},
      {"YCCK", {.colors = Colors::kYcck}},
      {"a scan a component", {.separate_scans = true}},
      {"colours sampled oddly", {.across = 4, .down = 1}},
  };
  for (const auto& [name, recipe] : recipes) EXPECT_FALSE(Means(MakeJpeg(image, recipe)).has_value()) << name;
  EXPECT_FALSE(Means({}).has_value());
  EXPECT_FALSE(Means(testing::MakePng(image)).has_value());
}

TEST(JpegMeans, WhatIsDamagedIsLeftToLibjpeg) {
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 72, 56), {.restart = 3});
  ASSERT_TRUE(Means(jpeg).has_value());
  for (size_t size = 0; size < jpeg.size(); ++size) {  // cut anywhere, the end marker included
    EXPECT_FALSE(Means(Bytes(jpeg.begin(), jpeg.begin() + static_cast<ptrdiff_t>(size))).has_value()) << size;
  }
  for (const std::string_view marker : {"\xff\xdb"sv, "\xff\xc4"sv, "\xff\xc0"sv, "\xff\xda"sv}) {
    EXPECT_FALSE(Means(testing::WithoutSegments(jpeg, marker)).has_value());
  }
  EXPECT_FALSE(Means(testing::WithSize(jpeg, 72, 5600)).has_value());
  EXPECT_FALSE(Means(testing::WithSize(jpeg, 72, 0)).has_value());
  EXPECT_FALSE(Means(testing::WithSize(jpeg, 65535, 65535)).has_value());
  Bytes restarts = jpeg;
  restarts[Find(jpeg, "\xff\xd1"sv) + 1] = 0xD2;
  EXPECT_FALSE(Means(restarts).has_value());
  const Bytes garbage = {0x12, 0x34};
  EXPECT_FALSE(Means(Inserted(jpeg, Find(jpeg, "\xff\xd1"sv), garbage)).has_value());
  EXPECT_FALSE(Means(Inserted(jpeg, jpeg.size() - 2, garbage)).has_value());
  EXPECT_TRUE(Means(Inserted(jpeg, jpeg.size(), garbage)).has_value()) << "what follows the end is nobody's";
}

TEST(JpegMeans, WhatIsSmallerThanWantedOrAgainstTheLimitsIsLeftToLibjpeg) {
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 72, 56));
  EXPECT_TRUE(DecodeJpegMeans(jpeg, {}, 9, 7).has_value());
  EXPECT_FALSE(DecodeJpegMeans(jpeg, {}, 10, 7).has_value());
  EXPECT_FALSE(DecodeJpegMeans(jpeg, {}, 9, 8).has_value());
  EXPECT_FALSE(DecodeJpegMeans(jpeg, {.max_pixels = 72 * 56 - 1}, 1, 1).has_value());
}

TEST(JpegMeans, OfFlippedBitsIsTakenOnlyWhatLibjpegTakesAndAsItDoes) {
  Rng rng(7);
  int taken = 0;
  for (const auto& [name, recipe] : Ordinary()) {
    const Bytes jpeg = MakeJpeg(Synthetic("golden", 72, 56), recipe);
    for (int i = 0; i < 400; ++i) {
      Bytes damaged = jpeg;
      for (int flips = 1 + rng.Below(3); flips > 0; --flips) {
        damaged[static_cast<size_t>(rng.Below(static_cast<int>(damaged.size())))] ^=
            static_cast<uint8_t>(1 << rng.Below(8));
      }
      const std::optional<Light> means = Means(damaged);
      if (!means) continue;
      ++taken;
      const Result<Light> reference = Reference(damaged);
      ASSERT_TRUE(reference.ok()) << name << " " << i << ": " << reference.status().ToString();
      ASSERT_EQ(means->levels, reference->levels) << name << " " << i;
    }
  }
  EXPECT_GT(taken, 200) << "what is compared";
}

TEST(Light, IsThatOfTheColoursAndTheSameByEveryWay) {
  const Image image = Synthetic("grad", 320, 240);
  const Light want = LightOf(Decode(MakeJpeg(image, {.quality = 100, .subsampled = false}))->image);
  for (const auto& [name, recipe] : Ordinary()) {
    JpegRecipe fine = recipe;
    fine.quality = 100;
    if (fine.colors == Colors::kGrey) continue;  // made of one colour
    const Result<Light> light = DecodeLight(MakeJpeg(image, fine), {}, 320, 240);
    ASSERT_TRUE(light.ok());
    ASSERT_EQ(light->levels.size(), want.levels.size());
    for (size_t i = 0; i < want.levels.size(); ++i)
      ASSERT_NEAR(light->levels[i], want.levels[i], 3) << name << " " << i;
  }
  const Result<Light> ink = DecodeLight(MakeJpeg(image, {.colors = Colors::kCmyk, .quality = 100}), {}, 320, 240);
  ASSERT_TRUE(ink.ok()) << ink.status().ToString();
  EXPECT_EQ(ink->width, 320);
  const JpegRecipe lying{.colors = Colors::kCmyk, .quality = 100, .exif = testing::Exif(6)};
  const Result<Light> small = DecodeLight(MakeJpeg(image, lying), {}, 160, 120);
  ASSERT_TRUE(small.ok()) << small.status().ToString();
  EXPECT_EQ(std::pair(small->width, small->height), std::pair(160, 120)) << "what is wanted is as stored";
  EXPECT_EQ(DecodeLight(testing::MakePng(image), {}, 1, 1)->levels, LightOf(image).levels);
}

TEST(Light, ComesAtTheSmallestScaleThatIsLargeEnoughAndAsStored) {
  const Bytes jpeg = MakeJpeg(Synthetic("grad", 640, 360), {.exif = testing::Exif(6)});
  const auto size_for = [&jpeg](int width, int height) {
    const Result<Light> light = DecodeLight(jpeg, {}, width, height);
    EXPECT_TRUE(light.ok());
    return std::pair(light->width, light->height);
  };
  EXPECT_EQ(size_for(80, 45), std::pair(80, 45));
  EXPECT_EQ(size_for(80, 46), std::pair(160, 90));
  EXPECT_EQ(size_for(160, 120), std::pair(320, 180));
  EXPECT_EQ(size_for(9000, 1), std::pair(640, 360));
}

TEST(Light, ACameraWhoseFramesTheQuickWayRefusesIsTriedNowAndThen) {
  Bytes odd = MakeJpeg(Synthetic("golden", 320, 240));
  odd.insert(odd.end() - 2, 16, uint8_t{0});  // between the scan and the end marker
  ASSERT_FALSE(Means(odd).has_value());
  const Light want = Reference(odd).value();
  QuickWay quick;
  EXPECT_EQ(DecodeLight(odd, {}, 1, 1, &quick)->levels, want.levels);
  for (int frame = 1; frame < QuickWay::kTryEvery; ++frame) EXPECT_FALSE(quick.Tries()) << frame;
  EXPECT_TRUE(quick.Tries());
  EXPECT_EQ(DecodeLight(odd, {}, 1, 1, &quick)->levels, want.levels);
  EXPECT_EQ(DecodeLight(odd, {}, 1, 1, &quick)->levels, want.levels) << "untried";
  QuickWay other;
  const Bytes whole = MakeJpeg(Synthetic("golden", 320, 240));
  EXPECT_FALSE(DecodeLight({whole.data(), whole.size() / 2}, {}, 1, 1, &other).ok());
  EXPECT_TRUE(other.Tries()) << "a damaged frame says nothing of the next";
  EXPECT_TRUE(DecodeLight(whole, {}, 1, 1, &other).ok());
  EXPECT_TRUE(other.Tries());
}

TEST(Light, WhatCannotBeDecodedIsRefusedAsTheDecoderDoes) {
  const Bytes jpeg = MakeJpeg(Synthetic("golden", 72, 56));
  const std::pair<Bytes, std::string> files[] = {
      {{}, "image_empty"},
      {{0xFF, 0xD8}, "image_truncated"},
      {Bytes(jpeg.begin(), jpeg.begin() + static_cast<ptrdiff_t>(jpeg.size() / 2)), "image_truncated"},
      {testing::WithSize(jpeg, 65535, 65535), "image_too_large"},
      {{'G', 'I', 'F', '8', '9', 'a'}, "image_type_unsupported"}};
  for (const auto& [bytes, reason] : files) EXPECT_EQ(DecodeLight(bytes, {}, 1, 1).status().reason(), reason);
}

TEST(FuzzCorpus, TheSeedsOfJpegMeansAreTheseFiles) {
  const Image image = Synthetic("golden", 40, 25);
  const std::pair<std::string, JpegRecipe> seeds[] = {
      {"420.jpg", {.quality = 50}},
      {"422_restarts.jpg", {.quality = 30, .across = 2, .down = 1, .restart = 1}},
      {"grey_own_tables.jpg", {.colors = Colors::kGrey, .quality = 40, .optimized = true}},
      {"444.jpg", {.quality = 10, .subsampled = false}}};
  for (const auto& [name, recipe] : seeds) {
    const Bytes bytes = MakeJpeg(image, recipe);
    const std::string path = PAWSIGHT_SOURCE_DIR "/tests/corpus/jpeg_means/" + name;
    if (std::getenv("PAWSIGHT_WRITE_CORPUS") != nullptr) {
      ASSERT_TRUE(WriteFileAtomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}).ok());
    }
    const Result<Bytes> stored = ReadFile(path, 64U << 10U);
    ASSERT_TRUE(stored.ok()) << stored.status().ToString();
    EXPECT_EQ(*stored, bytes) << name;
    EXPECT_TRUE(Means(bytes).has_value());
  }
}

}  // namespace
}  // namespace pawsight::frames
