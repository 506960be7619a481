#include "frames/motion.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

#include "base/check.h"

namespace pawsight::frames {
namespace {

// The noise of a block is learned from frame to frame: its weight of the newest difference, and its ceiling in units of
// min_difference. The ceiling keeps a block in which something moves all day from going blind.
constexpr float kNoiseRate = 0.05F;
constexpr float kNoiseCeiling = 1.0F;

// A change of the whole frame's brightness beyond this ratio is news: a lamp. (Brightness grows as the root of light.)
constexpr float kMaxGain = 1.16F;

/// Mean light 0..255 -> a scale on which a sensor's photon noise is the same in dark and bright places (Anscombe 1948:
/// the square root of a Poisson variable has constant deviation). One level here is one level of light at 48, two at
/// 240.
float Brightness(float light) { return 16.0F * std::sqrt(light + 16.0F) - 64.0F; }

/// First pixel of block `i` of `num_blocks` over `size` pixels; below num_blocks pixels, blocks share them.
int Edge(int i, int num_blocks, int size) { return static_cast<int>(int64_t{i} * size / num_blocks); }

/// Of a block, 0..255.
float MeanLight(const Light& light, int x0, int x1, int y0, int y1) {
  uint64_t sum = 0;
  for (int y = y0; y < y1; ++y) {
    const uint8_t* row = light.row(y);
    uint32_t of_row = 0;  // at most 65535 pixels
    for (int x = x0; x < x1; ++x) of_row += row[x];
    sum += of_row;
  }
  return static_cast<float>(sum) / (static_cast<float>(x1 - x0) * static_cast<float>(y1 - y0));
}

std::array<float, kNumBlocks> MakeGrid(const Light& light) {
  std::array<float, kNumBlocks> grid;
  for (int by = 0; by < kGridHeight; ++by) {
    const int y0 = Edge(by, kGridHeight, light.height);
    const int y1 = std::max(y0 + 1, Edge(by + 1, kGridHeight, light.height));
    for (int bx = 0; bx < kGridWidth; ++bx) {
      const int x0 = Edge(bx, kGridWidth, light.width);
      const int x1 = std::max(x0 + 1, Edge(bx + 1, kGridWidth, light.width));
      grid[static_cast<size_t>(by * kGridWidth + bx)] = Brightness(MeanLight(light, x0, x1, y0, y1));
    }
  }
  return grid;
}

float Median(std::array<float, kNumBlocks> values) {
  const auto middle = values.begin() + kNumBlocks / 2;
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

ChangeGate::ChangeGate(const ChangeOptions& options) : options_(options) {
  CHECK(options.refresh.count() > 0);
  CHECK(options.min_difference > 0.0F);
  CHECK(options.noise_factor >= 1.0F && options.noise_factor <= 100.0F);
  CHECK(options.min_blocks >= 1 && options.min_blocks <= static_cast<int>(kNumBlocks));
}

/// Block by block, with the whole frame's brightness taken out. Most blocks show what they showed before, so the median
/// ratio is the light's and not that of whatever moved.
ChangeGate::Grid ChangeGate::Differences(const Grid& now, const Grid& before) const {
  Grid ratios;
  for (size_t i = 0; i < kNumBlocks; ++i) ratios[i] = (now[i] + 8.0F) / (before[i] + 8.0F);  // 8: black has no ratio
  const float gain = std::clamp(Median(ratios), 1.0F / kMaxGain, kMaxGain);
  Grid differences;
  for (size_t i = 0; i < kNumBlocks; ++i) differences[i] = std::abs(now[i] + 8.0F - gain * (before[i] + 8.0F));
  return differences;
}

/// The min_blocks-th largest difference, each in units of what counts in its block. The median block shows what the
/// camera's noise is in this very frame (night has come); a block's own history shows what else flickers there.
float ChangeGate::Score(const Grid& differences) const {
  const float frame_noise = std::min(Median(differences), kNoiseCeiling * options_.min_difference);
  Grid scores;
  for (size_t i = 0; i < kNumBlocks; ++i) {
    const float noise = std::max(frame_noise, noise_[i]);
    scores[i] = differences[i] / std::max(options_.min_difference, options_.noise_factor * noise);
  }
  const auto nth = scores.begin() + (options_.min_blocks - 1);
  std::nth_element(scores.begin(), nth, scores.end(), std::greater<>());
  return *nth;
}

void ChangeGate::LearnNoise(const Grid& now) {
  const Grid differences = Differences(now, previous_);
  const float ceiling = kNoiseCeiling * options_.min_difference;
  for (size_t i = 0; i < kNumBlocks; ++i) {
    noise_[i] += kNoiseRate * (std::min(differences[i], ceiling) - noise_[i]);
  }
}

Change ChangeGate::Look(const Light& light, std::chrono::nanoseconds now) {
  CHECK(light.width >= 1 && light.height >= 1);
  const Grid grid = MakeGrid(light);
  Change change;
  if (!asked_at_ || light.width != width_ || light.height != height_) {
    width_ = light.width;
    height_ = light.height;
    noise_ = {};
  } else {
    change.score = Score(Differences(grid, asked_));
    const bool old = now < *asked_at_ || now - *asked_at_ >= options_.refresh;
    change.reason = change.score >= 1.0F ? ChangeReason::kChanged
                    : old                ? ChangeReason::kRefresh
                                         : ChangeReason::kUnchanged;
    if (forgotten_) change = {};
    LearnNoise(grid);
  }
  forgotten_ = false;
  previous_ = grid;
  if (change.worth_asking()) {
    asked_ = grid;
    asked_at_ = now;
  }
  return change;
}

}  // namespace pawsight::frames
