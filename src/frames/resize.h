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
/// reference's way.) Cost: 1.6 ms from 1920x1080 to 384x384 with AVX2; linear in source pixels when shrinking.
/// Allocates the result and 12 bytes a pixel of width x (the rows that the vertical pass sees at once, and 32).
Image ResizeBicubic(const Image& image, int width, int height);

/// For each output pixel of one dimension the first input pixel it sees, how many, and with which weights. A part of
/// RowResizer.
struct Taps {
  struct Window {
    int first;
    int count;
  };
  std::vector<Window> windows;
  std::vector<int32_t> weights;  // `stride` an output pixel
  size_t stride = 0;

  /// Both >= 1 (CHECK).
  Taps(int in_size, int out_size);
  const int32_t* Weights(size_t out) const { return weights.data() + out * stride; }
};

/// Samples that are summed together: 16 pixels of a row, or a pixel of 16 rows, in 3 colours. A part of RowResizer.
struct alignas(64) Lanes {
  static constexpr size_t kCount = 48;
  int32_t at[kCount];
};

/// The same for rows that come one after another, so that a large source is never whole in memory.
/// Thread-compatible: used by one thread.
class RowResizer {
 public:
  /// Rows taken at a time: laid sideways they make both passes one contiguous loop.
  static constexpr int kRows = 16;

  /// All sizes >= 1 (CHECK). pixel_bytes: 3, or 4 where a byte of no meaning follows each pixel (CHECK).
  RowResizer(int in_width, int in_height, int out_width, int out_height, int pixel_bytes = 3);

  /// The next rows of the source, top to bottom, pixel_bytes * in_width bytes each: kRows, or at the end what is left
  /// (CHECK).
  void Add(const uint8_t* const* rows, int num_rows);

  /// The result, once every row was added (CHECK).
  Image Finish() &&;

 private:
  Lanes* HeldRow(int y) { return held_.data() + static_cast<size_t>(y - first_held_) * row_stride_; }
  void DropRows();

  int in_width_;
  int in_height_;
  int pixel_bytes_;
  Taps across_;
  Taps down_;
  std::vector<Lanes> wide_;  // a piece of kRows rows, sideways
  // Rows that went through the horizontal pass and that the vertical one still needs, `row_stride_` lanes each.
  size_t row_stride_;
  int max_held_;
  std::vector<Lanes> held_;
  int first_held_ = 0;  // source row
  int num_rows_ = 0;    // added so far
  int next_out_ = 0;    // output row
  Image result_;
};

}  // namespace pawsight::frames
