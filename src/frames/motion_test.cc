#include "frames/motion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/rng.h"
#include "frames/decode.h"
#include "frames/encode.h"

namespace pawsight::frames {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kWidth = 240;
constexpr int kHeight = 135;
constexpr milliseconds kFrame{200};  // five frames a second

/// A room: soft shapes, a dark and a bright corner; `light` multiplies it, `noise` is each pixel's deviation.
Image Room(Rng& rng, double noise, double light = 1.0) {
  Image image(kWidth, kHeight);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const double base = 30 + 140.0 * x / kWidth + 30 * std::sin(x * 0.09) * std::cos(y * 0.13);
      const double value = base * light + noise * rng.Normal() + 0.5;
      std::fill_n(image.pixel(x, y), 3, static_cast<uint8_t>(std::clamp(value, 0.0, 255.0)));
    }
  }
  return image;
}

void Paint(Image& image, int x0, int y0, int size, int value) {
  for (int y = y0; y < y0 + size; ++y) {
    for (int x = x0; x < x0 + size; ++x) std::fill_n(image.pixel(x, y), 3, static_cast<uint8_t>(value));
  }
}

TEST(ChangeGate, TheFirstFrameIsAskedAndAnEqualOneIsNot) {
  ChangeGate gate({});
  Rng rng(1);
  const Image room = Room(rng, 0);
  EXPECT_EQ(gate.Look(room, seconds(0)).reason, ChangeReason::kFirst);
  const Change second = gate.Look(room, seconds(1));
  EXPECT_EQ(second.reason, ChangeReason::kUnchanged);
  EXPECT_FALSE(second.worth_asking());
  EXPECT_EQ(second.score, 0.0F);
}

TEST(ChangeGate, SensorNoiseOfTenLevelsIsNoChange) {
  ChangeGate gate({.refresh = std::chrono::hours(1)});
  Rng rng(2);
  (void)gate.Look(Room(rng, 10), seconds(0));  // the first is always asked
  float highest = 0;
  for (int i = 1; i <= 150; ++i) {
    const Change change = gate.Look(Room(rng, 10), seconds(i));
    EXPECT_EQ(change.reason, ChangeReason::kUnchanged) << i << " score " << change.score;
    highest = std::max(highest, change.score);
  }
  EXPECT_LT(highest, 0.8F) << "too close to a false alarm";
}

TEST(ChangeGate, AfterAFrameItHasNotSeenTheNextIsTheFirstAndWhatIsKnownOfNoiseStays) {
  ChangeGate gate({.refresh = std::chrono::hours(1)});
  Rng rng(12);
  for (int i = 0; i < 60; ++i) (void)gate.Look(Room(rng, 10), seconds(i));  // learns
  gate.Forget();
  EXPECT_EQ(gate.Look(Room(rng, 10), seconds(60)).reason, ChangeReason::kFirst);
  for (int i = 61; i < 100; ++i) {
    EXPECT_EQ(gate.Look(Room(rng, 10), seconds(i)).reason, ChangeReason::kUnchanged) << i;
  }
}

TEST(ChangeGate, LightThatFadesByAQuarterIsNoChange) {
  ChangeGate gate({.refresh = std::chrono::hours(1)});
  Rng rng(3);
  (void)gate.Look(Room(rng, 3), seconds(0));  // the first is always asked
  for (int i = 1; i <= 100; ++i) {
    const Change change = gate.Look(Room(rng, 3, 1.0 - 0.25 * i / 100), i * kFrame);
    EXPECT_EQ(change.reason, ChangeReason::kUnchanged) << i << " score " << change.score;
  }
}

TEST(ChangeGate, ALampSwitchedOnIsAChange) {
  ChangeGate gate({});
  Rng rng(4);
  (void)gate.Look(Room(rng, 3, 0.4), seconds(0));  // the first is always asked
  EXPECT_EQ(gate.Look(Room(rng, 3, 1.0), seconds(1)).reason, ChangeReason::kChanged);
}

// 14 pixels of 240: a cat across a living room.
TEST(ChangeGate, ASmallThingThatAppearsMovesOrGoesIsAChangeEachTime) {
  ChangeGate gate({});
  Rng rng(5);
  (void)gate.Look(Room(rng, 4), seconds(0));  // the first is always asked
  EXPECT_EQ(gate.Look(Room(rng, 4), seconds(1)).reason, ChangeReason::kUnchanged);
  Image with = Room(rng, 4);
  Paint(with, 100, 60, 14, 30);
  EXPECT_EQ(gate.Look(with, seconds(2)).reason, ChangeReason::kChanged);
  EXPECT_EQ(gate.Look(with, seconds(3)).reason, ChangeReason::kUnchanged) << "it lies still";
  Image moved = Room(rng, 4);
  Paint(moved, 120, 60, 14, 30);
  EXPECT_EQ(gate.Look(moved, seconds(4)).reason, ChangeReason::kChanged);
  EXPECT_EQ(gate.Look(Room(rng, 4), seconds(5)).reason, ChangeReason::kChanged);
}

TEST(ChangeGate, ASlowMoverIsComparedWithTheLastAskedFrameAndSoIsSeen) {
  ChangeGate gate({.refresh = std::chrono::hours(1)});
  Rng rng(6);
  int num_changed = 0;
  for (int i = 0; i < 60; ++i) {
    Image image = Room(rng, 2);
    Paint(image, 40 + i, 60, 14, 20);  // a pixel a frame
    if (gate.Look(image, i * kFrame).reason == ChangeReason::kChanged) ++num_changed;
  }
  EXPECT_GE(num_changed, 8);
}

TEST(ChangeGate, AThingThatFlickersAllTheTimeIsLearnedAndTheRestStaysWatched) {
  ChangeGate gate({.refresh = std::chrono::hours(1)});
  Rng rng(7);
  const auto with_screen = [&rng] {
    Image image = Room(rng, 3);
    Paint(image, 180, 20, 30, 120 + rng.Below(20));  // a television
    return image;
  };
  int late_changes = 0;
  for (int i = 0; i < 200; ++i) {
    const Change change = gate.Look(with_screen(), i * kFrame);
    if (i >= 100 && change.worth_asking()) ++late_changes;
  }
  EXPECT_LE(late_changes, 1);
  Image with_cat = with_screen();
  Paint(with_cat, 60, 80, 14, 30);
  EXPECT_EQ(gate.Look(with_cat, 200 * kFrame).reason, ChangeReason::kChanged);
}

TEST(ChangeGate, AfterTheRefreshTimeAFrameIsAskedThoughNothingChanged) {
  ChangeGate gate({.refresh = seconds(10)});
  Rng rng(8);
  const Image room = Room(rng, 0);
  (void)gate.Look(room, seconds(100));  // the first is always asked
  EXPECT_EQ(gate.Look(room, seconds(109)).reason, ChangeReason::kUnchanged);
  EXPECT_EQ(gate.Look(room, seconds(110)).reason, ChangeReason::kRefresh);
  EXPECT_EQ(gate.Look(room, seconds(119)).reason, ChangeReason::kUnchanged)
      << "the time counts from the last asked frame";
  EXPECT_EQ(gate.Look(room, seconds(50)).reason, ChangeReason::kRefresh) << "a clock that went back silences nothing";
}

TEST(ChangeGate, AFrameOfAnotherSizeStartsOver) {
  ChangeGate gate({});
  EXPECT_EQ(gate.Look(Image(100, 80), seconds(0)).reason, ChangeReason::kFirst);
  EXPECT_EQ(gate.Look(Image(80, 100), seconds(1)).reason, ChangeReason::kFirst);
  EXPECT_EQ(gate.Look(Image(80, 100), seconds(2)).reason, ChangeReason::kUnchanged);
  EXPECT_EQ(gate.Look(Image(1, 1), seconds(3)).reason, ChangeReason::kFirst);
  EXPECT_EQ(gate.Look(Image(1, 1), seconds(4)).reason, ChangeReason::kUnchanged);
}

TEST(ChangeGate, BlackAndWhiteFramesScoreFiniteNumbers) {
  ChangeGate gate({});
  Image white(64, 48);
  std::fill(white.rgb.begin(), white.rgb.end(), uint8_t{255});
  (void)gate.Look(Image(64, 48), seconds(0));  // the first is always asked
  const Change to_white = gate.Look(white, seconds(1));
  EXPECT_EQ(to_white.reason, ChangeReason::kChanged);
  EXPECT_TRUE(std::isfinite(to_white.score));
  EXPECT_EQ(gate.Look(Image(64, 48), seconds(2)).reason, ChangeReason::kChanged);
}

TEST(ChangeGate, JpegArtefactsOfANoisyCameraAreNoChangeAtAnEighthOfItsSize) {
  ChangeGate gate({.refresh = std::chrono::hours(1)});
  Rng rng(9);
  for (int i = 0; i < 20; ++i) {
    Image large(640, 480);
    for (int y = 0; y < large.height; ++y) {
      for (int x = 0; x < large.width; ++x) {
        const double value = 60 + 0.2 * x + 8 * rng.Normal();
        std::fill_n(large.pixel(x, y), 3, static_cast<uint8_t>(std::clamp(value, 0.0, 255.0)));
      }
    }
    const auto jpeg = EncodeJpeg(large, 40).value();
    const Result<Decoded> small = DecodeScaled(jpeg, {}, 64, 48);
    ASSERT_TRUE(small.ok());
    ASSERT_EQ(small->image.width, 80);
    const Change change = gate.Look(small->image, i * kFrame);
    EXPECT_EQ(change.reason, i == 0 ? ChangeReason::kFirst : ChangeReason::kUnchanged)
        << i << " score " << change.score;
  }
}

}  // namespace
}  // namespace pawsight::frames
