// frames/resize.h: Pillow's antialiased bicubic resize of 8-bit RGB, bit for bit, because the model was trained behind it.
// Not here: decoding (frames/decode.h), normalising (frames/normalize.h). Thread-safe: functions without state.
// Source: Pillow's src/libImaging/Resample.c, 9.4 to 11.x (Keys 1981, "Cubic convolution interpolation", a = -0.5, the
// window widened by the scale when shrinking). Checked against data/preprocess and goldens' pre.* and pre384.*.
#pragma once

#include "frames/image.h"

namespace pawsight::frames {

/// `image` stretched to width x height; the aspect is not kept. The horizontal pass runs first and is rounded and clipped
/// to 8 bits before the vertical one; a pass that would not change its dimension is skipped. All sizes >= 1 (CHECK).
/// (Pillow 13 runs the vertical pass first for some sizes, which differs by up to 25 levels; this is the reference's way.)
/// Cost: 2 ms from 1920x1080 to 384x384 with AVX2; linear in source pixels when shrinking. Allocates the result and an image
/// of width x source height.
Image ResizeBicubic(const Image& image, int width, int height);

}  // namespace pawsight::frames
