// frames/motion.h: tells whether a frame differs enough from the last one asked about to be worth asking about again.
// Not here: what is in the frame, and how often frames are taken. Compares brightness over a coarse grid, so it is
// cheap and blind to what is smaller than about a thousandth of the picture. Thread-compatible: one gate a camera, used
// by one thread at a time.
#pragma once

#include <array>
#include <chrono>
#include <optional>

#include "frames/image.h"
#include "frames/light.h"

namespace pawsight::frames {

/// The grid that a frame is averaged into.
inline constexpr int kGridWidth = 32;
inline constexpr int kGridHeight = 24;
inline constexpr size_t kNumBlocks = static_cast<size_t>(kGridWidth) * kGridHeight;

struct ChangeOptions {
  /// A frame is asked about at the latest this long after the last, whatever it shows; above 0 (CHECK).
  std::chrono::milliseconds refresh{60000};
  /// The least difference of a block that counts, in levels of 0..255 at mid-dark (see Brightness in motion.cc); above
  /// 0.
  float min_difference = 4.0F;
  /// A block must also differ by this many times what it, or the median block, flickers without cause, 1..100. The
  /// extreme of 768 blocks is far out: with less than 7 a noisy night camera raises false changes.
  float noise_factor = 10.0F;
  /// How many blocks, out of kNumBlocks, must differ; 1..kNumBlocks. 2 ignores a lone hot block.
  int min_blocks = 2;
};

enum class ChangeReason {
  kFirst,      // nothing to compare with: the first frame, or the first of this size
  kChanged,    // something moved, came or went
  kRefresh,    // nothing changed, but the last look is old
  kUnchanged,  // not worth asking about
};

struct Change {
  ChangeReason reason = ChangeReason::kFirst;
  /// How much changed, in units of what counts as a change: at 1 and above it did. 0 for the first frame.
  float score = 0.0F;

  bool worth_asking() const { return reason != ChangeReason::kUnchanged; }
};

/// Remembers two grids and a noise level a block; a few kilobytes.
class ChangeGate {
 public:
  explicit ChangeGate(const ChangeOptions& options);

  /// Judges a frame taken at `now` (monotonic). When it is worth asking about, later frames are compared with it. A
  /// whole frame brightening or darkening by up to a third is no change. A `now` before the last one counts as a
  /// refresh. `light` of any size >= 1x1, best small (DecodeLight at 1/8). Cost: linear in pixels, 0.1 ms at 240x135.
  Change Look(const Light& light, std::chrono::nanoseconds now);
  Change Look(const Image& image, std::chrono::nanoseconds now) { return Look(LightOf(image), now); }

  /// The frame last looked at is asked about, though it was not worth it: later ones are compared with it. `now` as
  /// Look's; before the first Look it does nothing.
  void Asked(std::chrono::nanoseconds now) {
    if (!asked_at_) return;
    asked_ = previous_;
    asked_at_ = now;
  }

  /// A frame was asked about that this gate has not seen: the next one is kFirst. What was learned of noise stays.
  void Forget() { forgotten_ = true; }

 private:
  using Grid = std::array<float, kNumBlocks>;

  Grid Differences(const Grid& now, const Grid& before) const;
  float Score(const Grid& differences) const;
  void LearnNoise(const Grid& now);

  ChangeOptions options_;
  int width_ = 0;
  int height_ = 0;
  bool forgotten_ = false;
  std::optional<std::chrono::nanoseconds> asked_at_;
  Grid asked_{};     // brightness of the last frame asked about
  Grid previous_{};  // brightness of the last frame seen
  Grid noise_{};     // mean absolute difference between one frame and the next
};

}  // namespace pawsight::frames
