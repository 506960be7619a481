// Every row of hostile-inputs 3a that a PNG decoder meets; the files are made here.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/rng.h"
#include "frames/decode.h"
#include "frames/testing.h"

namespace pawsight::frames {
namespace {

using namespace std::string_view_literals;
using testing::Deflated;
using testing::Find;
using testing::Inserted;
using testing::MakePng;
using testing::PngChunk;
using testing::PngFromChunks;
using testing::PngHeader;
using testing::PngRecipe;
using testing::Synthetic;
using Bytes = std::vector<uint8_t>;

constexpr size_t kBehindHeader = 8 + 25;  // signature, IHDR chunk

std::string ReasonOf(const Result<Decoded>& result) {
  if (result.ok()) return "ok";
  EXPECT_EQ(result.status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(result.status().message().rfind("image: ", 0), 0U) << result.status().message();
  return result.status().reason();
}

/// Decodes what was made by the recipe from `value` at each pixel and channel, and hands each decoded pixel to `check`.
template <typename Check>
void ExpectPixels(const PngRecipe& recipe, const Check& check) {
  for (const bool interlaced : {false, true}) {
    PngRecipe one = recipe;
    one.interlaced = interlaced;
    const Result<Decoded> decoded = Decode(MakePng(one));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    EXPECT_EQ(decoded->format, ImageFormat::kPng);
    ASSERT_EQ(decoded->image.width, recipe.width);
    ASSERT_EQ(decoded->image.height, recipe.height);
    for (int y = 0; y < recipe.height; ++y) {
      for (int x = 0; x < recipe.width; ++x) check(x, y, decoded->image.pixel(x, y));
    }
  }
}

void ExpectGrey(const uint8_t* pixel, int value) {
  for (int c = 0; c < 3; ++c) ASSERT_EQ(pixel[c], value);
}

TEST(Png, RgbComesBackExactly) {
  const Image image = Synthetic("hash", 37, 21);
  ExpectPixels({.width = 37, .height = 21, .rows = image.rgb}, [&](int x, int y, const uint8_t* pixel) {
    ASSERT_TRUE(std::equal(pixel, pixel + 3, image.pixel(x, y)));
  });
}

TEST(Png, SmallGreysAreStretchedToTheWholeRange) {  // A20, as are the next
  for (const int depth : {1, 2, 4, 8}) {
    constexpr int kSide = 24;
    const int per_byte = 8 / depth;
    const int top = (1 << depth) - 1;
    PngRecipe recipe{.width = kSide, .height = kSide, .depth = depth, .color_type = 0};
    recipe.rows.resize(static_cast<size_t>(kSide / per_byte * kSide));
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const int shift = 8 - depth * (x % per_byte + 1);
        recipe.rows[static_cast<size_t>((y * kSide + x) / per_byte)] |= static_cast<uint8_t>(((x + y) & top) << shift);
      }
    }
    ExpectPixels(recipe, [&](int x, int y, const uint8_t* pixel) { ExpectGrey(pixel, ((x + y) & top) * 255 / top); });
  }
}

TEST(Png, SixteenBitsKeepTheirUpperEight) {
  for (const int color_type : {0, 2, 4, 6}) {
    const int channels = color_type == 0 ? 1 : color_type == 2 ? 3 : color_type == 4 ? 2 : 4;
    PngRecipe recipe{.width = 20, .height = 18, .depth = 16, .color_type = color_type};
    for (int i = 0; i < 20 * 18 * channels; ++i) {
      recipe.rows.push_back(static_cast<uint8_t>(i * 7));
      recipe.rows.push_back(0xFF);  // rounding would show
    }
    ExpectPixels(recipe, [&](int x, int y, const uint8_t* pixel) {
      for (int c = 0; c < 3; ++c) {
        ASSERT_EQ(pixel[c], ((y * 20 + x) * channels + (channels >= 3 ? c : 0)) * 7 % 256) << color_type;
      }
    });
  }
}

TEST(Png, AlphaIsDroppedAndNotBlended) {
  PngRecipe rgba{.width = 16, .height = 16, .color_type = 6};
  PngRecipe grey{.width = 16, .height = 16, .color_type = 4};
  for (int i = 0; i < 256; ++i) {
    const auto value = static_cast<uint8_t>(i);
    for (const int part : {i, 255 - i, 7, i}) rgba.rows.push_back(static_cast<uint8_t>(part));
    for (const uint8_t part : {value, uint8_t{0}}) grey.rows.push_back(part);
  }
  ExpectPixels(rgba, [](int x, int y, const uint8_t* pixel) {
    ASSERT_EQ(pixel[0], y * 16 + x);
    ASSERT_EQ(pixel[1], 255 - (y * 16 + x));
    ASSERT_EQ(pixel[2], 7);
  });
  ExpectPixels(grey, [](int x, int y, const uint8_t* pixel) { ExpectGrey(pixel, y * 16 + x); });
}

TEST(Png, APaletteIsLookedUpWithOrWithoutTransparency) {
  for (const bool transparent : {false, true}) {
    PngRecipe recipe{.width = 16, .height = 16, .depth = 4, .color_type = 3};
    for (int i = 0; i < 16; ++i) {
      for (const int part : {i * 16, 255 - i, i}) recipe.palette.push_back(static_cast<uint8_t>(part));
      if (transparent) recipe.transparency.push_back(static_cast<uint8_t>(i * 3));
    }
    for (int i = 0; i < 128; ++i) recipe.rows.push_back(static_cast<uint8_t>((i % 16) << 4 | (15 - i % 16)));
    ExpectPixels(recipe, [](int x, int y, const uint8_t* pixel) {
      const int at = (y * 8 + x / 2) % 16;
      const int entry = x % 2 == 0 ? at : 15 - at;
      ASSERT_EQ(pixel[0], entry * 16);
      ASSERT_EQ(pixel[1], 255 - entry);
      ASSERT_EQ(pixel[2], entry);
    });
  }
}

TEST(Png, AColourDeclaredTransparentStaysThatColour) {
  PngRecipe recipe{.width = 16, .height = 16, .transparency = {0, 10, 0, 20, 0, 30}};
  for (int i = 0; i < 256; ++i) recipe.rows.insert(recipe.rows.end(), {10, 20, 30});
  ExpectPixels(recipe, [](int, int, const uint8_t* pixel) {
    ASSERT_EQ(pixel[0], 10);
    ASSERT_EQ(pixel[1], 20);
    ASSERT_EQ(pixel[2], 30);
  });
}

TEST(Png, AFileCutAnywhereBeforeItsLastPixelIsTruncated) {  // A2
  const Bytes png = MakePng(Synthetic("hash", 64, 48));
  for (size_t size = 1; size + 12 < png.size(); size += size < 60 ? 1 : 211) {
    EXPECT_EQ(ReasonOf(Decode(std::span(png).first(size))), "image_truncated") << size << " of " << png.size();
  }
}

TEST(Png, OnlyTheEndMissingIsDecodedAndFlagged) {
  const Image image = Synthetic("hash", 64, 48);
  const Bytes png = MakePng(image);
  const Result<Decoded> cut = Decode(std::span(png).first(png.size() - 12));
  ASSERT_TRUE(cut.ok()) << cut.status().ToString();
  EXPECT_TRUE(cut->premature_end);
  EXPECT_EQ(cut->image.rgb, image.rgb);
}

TEST(Png, AskedToBeTolerantItDecodesWhatIsThereAndSaysSo) {
  const Image image = Synthetic("hash", 64, 48);
  const Bytes png = MakePng(image);
  const Result<Decoded> half = Decode(std::span(png).first(png.size() / 2), {.tolerant = true});
  ASSERT_TRUE(half.ok()) << half.status().ToString();
  EXPECT_TRUE(half->damaged);
  EXPECT_TRUE(std::equal(image.pixel(0, 0), image.pixel(0, 10), half->image.rgb.begin()));
}

TEST(Png, TextAndProfileBombsAreNotInflated) {  // A21
  const Image image = Synthetic("golden", 32, 32);
  Bytes text = Deflated(Bytes(30U << 20U, 'A'));
  Bytes data = {'C', 'o', 'm', 'm', 'e', 'n', 't', 0, 0};
  data.insert(data.end(), text.begin(), text.end());
  Bytes png = Inserted(MakePng(image), kBehindHeader, PngChunk("zTXt", data));
  png = Inserted(png, kBehindHeader, PngChunk("iCCP", data));
  png = Inserted(png, kBehindHeader, PngChunk("iTXt", data));
  const Result<Decoded> decoded = Decode(png);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(decoded->image.rgb, image.rgb);
}

TEST(Png, AHugeSizeIsRefusedBeforeAnythingIsInflated) {  // A22, A6, A7, A8
  const Bytes zeros = PngChunk("IDAT", Deflated(Bytes(1U << 20U)));
  const Bytes end = PngChunk("IEND", {});
  const auto reason = [&](uint32_t width, uint32_t height) {
    return ReasonOf(Decode(PngFromChunks({PngHeader(width, height, 8, 2), zeros, end})));
  };
  EXPECT_EQ(reason(50000, 50000), "image_too_large");
  EXPECT_EQ(reason(0xFFFFFFFFU, 0xFFFFFFFFU), "image_too_large");
  EXPECT_EQ(reason(0x7FFFFFFF, 1), "image_too_large");
  EXPECT_EQ(reason(65535, 1), "image_too_small");
  EXPECT_EQ(reason(1, 65535), "image_too_small");
  EXPECT_EQ(reason(1, 1), "image_too_small");
  EXPECT_EQ(reason(17, 1000), "image_aspect");
  EXPECT_EQ(reason(0, 100), "image_corrupt");
  EXPECT_EQ(reason(4000, 4000), "image_truncated") << "a megabyte deflated cannot hold 48";
}

TEST(Png, ABadChecksumIsFatalInACriticalChunkAndIgnoredInAnother) {  // A23
  const Image image = Synthetic("hash", 32, 32);
  const Bytes png = MakePng(image);
  for (const auto chunk : {"IHDR"sv, "IDAT"sv}) {
    Bytes bad = png;
    const size_t at = Find(bad, chunk);
    const size_t length = static_cast<size_t>(bad[at - 2] << 8 | bad[at - 1]);
    bad[at + 4 + length] ^= 1;
    EXPECT_EQ(ReasonOf(Decode(bad)), "image_corrupt") << chunk;
  }
  Bytes text = PngChunk("tEXt", Bytes{'a', 0, 'b'});
  text.back() ^= 1;
  const Result<Decoded> decoded = Decode(Inserted(png, kBehindHeader, text));
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(decoded->image.rgb, image.rgb);
}

TEST(Png, AFloodOfTinyChunksIsRefused) {  // A24
  Bytes flood;
  const Bytes tiny = PngChunk("tEXt", {});
  for (int i = 0; i < 600000; ++i) flood.insert(flood.end(), tiny.begin(), tiny.end());
  EXPECT_EQ(ReasonOf(Decode(Inserted(MakePng(Synthetic("grad", 32, 32)), kBehindHeader, flood))),
            "image_too_many_chunks");
}

TEST(Png, AnAnimationGivesItsStillImageAndAFlag) {  // A25
  const Image image = Synthetic("golden", 32, 32);
  Bytes png = Inserted(MakePng(image), kBehindHeader, PngChunk("acTL", Bytes{0, 0, 0, 2, 0, 0, 0, 0}));
  const Result<Decoded> decoded = Decode(png);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_TRUE(decoded->animated);
  EXPECT_EQ(decoded->image.rgb, image.rgb);
  EXPECT_FALSE(Decode(MakePng(image))->animated);
}

TEST(Png, ChunksThatContradictTheFormatAreRefused) {
  const Bytes end = PngChunk("IEND", {});
  const Bytes data = PngChunk("IDAT", Deflated(Bytes(32 * 97)));
  EXPECT_EQ(ReasonOf(Decode(PngFromChunks({data, end}))), "image_corrupt") << "no header";
  EXPECT_EQ(ReasonOf(Decode(PngFromChunks({PngHeader(32, 32, 8, 5), data, end}))), "image_corrupt")
      << "no such colour type";
  EXPECT_EQ(ReasonOf(Decode(PngFromChunks({PngHeader(32, 32, 3, 2), data, end}))), "image_corrupt") << "no such depth";
  EXPECT_EQ(ReasonOf(Decode(PngFromChunks({PngHeader(32, 32, 8, 3), data, end}))), "image_corrupt") << "no palette";
  EXPECT_EQ(ReasonOf(Decode(PngFromChunks({PngHeader(32, 32, 8, 2), PngChunk("ABCD", {}), data, end}))),
            "image_corrupt")
      << "an unknown chunk that says it matters";
  EXPECT_EQ(ReasonOf(Decode(PngFromChunks({PngHeader(32, 32, 8, 2), PngChunk("IDAT", Bytes(200, 0x5A)), end}))),
            "image_corrupt")
      << "not deflated";
  EXPECT_NE(ReasonOf(Decode(PngFromChunks({PngHeader(32, 32, 8, 2), end}))), "ok") << "no pixels";
  EXPECT_EQ(ReasonOf(Decode(PngFromChunks({PngHeader(32, 32, 8, 2), data, end}))), "ok") << "the control";
}

TEST(Png, WhatFollowsTheEndIsIgnored) {  // A27
  const Image image = Synthetic("golden", 32, 32);
  Bytes png = MakePng(image);
  for (const char letter : "PK\3\4<html><script>"sv) png.push_back(static_cast<uint8_t>(letter));
  EXPECT_EQ(Decode(png)->image.rgb, image.rgb);
}

TEST(Png, FlippedBitsAnywhereGiveAnAnswerAndNeverACrash) {
  Rng rng(12);
  const Bytes png = MakePng(Synthetic("golden", 40, 30));
  for (int i = 0; i < 600; ++i) {
    Bytes damaged = png;
    damaged[static_cast<size_t>(rng.Below(static_cast<int>(damaged.size())))] ^=
        static_cast<uint8_t>(1 << rng.Below(8));
    const Result<Decoded> decoded = Decode(damaged, {.tolerant = i % 2 == 0});
    if (decoded.ok()) {
      EXPECT_EQ(decoded->image.rgb.size(), 3U * static_cast<size_t>(decoded->image.width * decoded->image.height));
    }
  }
}

}  // namespace
}  // namespace pawsight::frames
