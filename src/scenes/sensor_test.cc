#include "scenes/sensor.h"

#include <gtest/gtest.h>

#include <cmath>

namespace pawsight::scenes {
namespace {

frames::Image Texture(int width, int height) {
  frames::Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      uint8_t* p = image.pixel(x, y);
      p[0] = static_cast<uint8_t>(128 + 60 * std::sin(x * 0.3));
      p[1] = static_cast<uint8_t>(128 + 60 * std::sin(y * 0.2));
      p[2] = static_cast<uint8_t>(100 + (x + y) % 50);
    }
  }
  return image;
}

double RootMeanSquare(const frames::Image& a, const frames::Image& b) {
  double sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) {
    const double d = static_cast<double>(a.rgb[i]) - b.rgb[i];
    sum += d * d;
  }
  return std::sqrt(sum / static_cast<double>(a.rgb.size()));
}

TEST(JpegLoss, AFlatGreyPictureSurvivesEveryQuality) {
  for (const int quality : {10, 50, 95}) {
    frames::Image image(33, 19);
    std::fill(image.rgb.begin(), image.rgb.end(), uint8_t{128});
    const frames::Image before = image;
    JpegLoss(image, quality);
    EXPECT_EQ(image.rgb, before.rgb) << quality;
  }
}

TEST(JpegLoss, LessQualityLosesMore) {
  const frames::Image original = Texture(100, 75);
  double last = 0;
  for (const int quality : {95, 70, 40, 15}) {
    frames::Image image = original;
    JpegLoss(image, quality);
    const double loss = RootMeanSquare(image, original);
    EXPECT_GT(loss, last) << quality;
    last = loss;
  }
  EXPECT_LT(last, 40);
}

TEST(JpegLoss, OddSizesDownToOnePixelAreFine) {
  for (const int side : {1, 2, 7, 9, 17}) {
    frames::Image image = Texture(side, side + 1);
    JpegLoss(image, 60);
    EXPECT_EQ(image.rgb.size(), static_cast<size_t>(3 * side * (side + 1)));
  }
}

TEST(Expose, NoiseIsAsStrongAsItSays) {
  Scene scene;
  scene.view.noise = 5;
  scene.view.jpeg_quality = 100;
  scene.noise_seed = 3;
  frames::Image noisy(128, 96), clean(128, 96);
  std::fill(noisy.rgb.begin(), noisy.rgb.end(), uint8_t{120});
  clean = noisy;
  Expose(noisy, scene);
  scene.view.noise = 0;
  Expose(clean, scene);
  double luma = 0;
  for (size_t i = 0; i < noisy.rgb.size(); i += 3)
    luma += std::pow(static_cast<double>(noisy.rgb[i + 1]) - clean.rgb[i + 1], 2);
  EXPECT_NEAR(std::sqrt(luma / static_cast<double>(noisy.rgb.size() / 3)), 4, 1.5);  // the chroma part is averaged away
}

TEST(Expose, AnotherNoiseSeedGivesAnotherPictureOfTheSameRoom) {
  Scene scene;
  frames::Image a = Texture(64, 48), b = a;
  scene.noise_seed = 1;
  Expose(a, scene);
  scene.noise_seed = 2;
  Expose(b, scene);
  EXPECT_NE(a.rgb, b.rgb);
  EXPECT_LT(RootMeanSquare(a, b), 12);
}

}  // namespace
}  // namespace pawsight::scenes
