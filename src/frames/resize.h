// frames/resize.h: Pillow's antialiased bicubic resize of 8-bit RGB, bit for bit, because the model was trained behind
// it. Not here: decoding (frames/decode.h), normalising (frames/normalize.h). Thread-safe: functions without state.
// Source: Pillow's src/libImaging/Resample.c, 9.4 to 11.x (Keys 1981, "Cubic convolution interpolation", a = -0.5, the
// window widened by the scale when shrinking). Checked against data/preprocess and goldens' pre.* and pre384.*.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "frames/image.h"

namespace pawsight::frames {

/// `image` stretched to width x height; the aspect is not kept. The horizontal pass runs first and is rounded and
/// clipped to 8 bits before the vertical one; a pass that would not change its dimension is skipped. All sizes >= 1
/// (CHECK). (Pillow 13 runs the vertical pass first for some sizes, which differs by up to 25 levels; this is the
/// reference's way.) Cost: 3.5 ms from 1920x1080 to 384x384 with AVX2; linear in source pixels when shrinking.
/// Allocates the result and an image of width x source height.
Image ResizeBicubic(const Image& image, int width, int height);

/// The same for rows that come one after another, so that a large source is never whole in memory.
/// Thread-compatible: used by one thread.
class RowResizer {
 public:
  /// Rows taken at a time: laid sideways they make both passes one contiguous loop.
  static constexpr int kRows = 16;

  /// All sizes >= 1 (CHECK).
  RowResizer(int in_width, int in_height, int out_width, int out_height);

  /// The next rows of the source, top to bottom, 3 * in_width bytes each: kRows, or at the end what is left (CHECK).
  void Add(const uint8_t* const* rows, int num_rows);

  /// The result, once every row was added (CHECK).
  Image Finish() &&;

 private:
  /// For each output pixel the first input pixel it sees, how many, and with which weights.
  struct Taps {
    struct Window {
      int first;
      int count;
    };
    std::vector<Window> windows;
    std::vector<int32_t> weights;  // `stride` an output pixel
    size_t stride = 0;

    Taps(int in_size, int out_size);
    const int32_t* Weights(int out) const { return weights.data() + static_cast<size_t>(out) * stride; }
  };
  friend Image ResizeBicubic(const Image& image, int width, int height);

  static Image ResizeHeight(const Image& image, int height);

  int in_width_;
  int out_height_;
  int num_rows_ = 0;          // added so far
  Taps taps_;                 // of the horizontal pass
  std::vector<uint8_t> in_;   // kRows rows, sideways
  std::vector<uint8_t> out_;  // the same after the horizontal pass
  Image narrow_;              // out_width x in_height
};

}  // namespace pawsight::frames
