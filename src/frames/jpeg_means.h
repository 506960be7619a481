// frames/jpeg_means.h: the mean light of each 8x8 block of a JPEG, read off its Huffman stream: what libjpeg gives at
// 1/8 in grey, to the bit, at 37 to 53 % of its cost. Takes a scan that is in order, as cameras send it; what is
// odd in any way is left to libjpeg. Not here: markers (frames/jpeg.cc). Internal to frames. Thread-safe: a function
// without state. Source: ITU-T T.81, annexes C and F.2.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "frames/light.h"

namespace pawsight::frames {

/// A Huffman table as a file has it; what it views outlives the call.
struct HuffmanCodes {
  std::span<const uint8_t, 16> counts;  // codes of 1..16 bits
  std::span<const uint8_t> symbols;     // as many as the counts say in all
};

/// The one scan of an 8-bit baseline JPEG of light alone, or of light and two colours with a block each in every unit.
struct BaselineScan {
  int width = 0, height = 0;  // of the picture, pixels
  bool colours = false;       // there are some
  int across = 1, down = 1;   // blocks of light in a unit, 1 or 2
  int step = 1;               // of the light's means, 1..255
  HuffmanCodes dc, ac;        // of the light
  HuffmanCodes colour_dc, colour_ac;
  int restart = 0;                // units between restart markers; 0: there are none
  std::span<const uint8_t> data;  // from behind the scan's header to the file's end
};

/// ceil(width/8) x ceil(height/8); nothing: libjpeg is to be asked, which knows whether it is damaged. What is taken,
/// libjpeg takes without a warning. Reads each byte once and writes a byte a block. Cost: 2.7 to 4.8 ns a
/// byte, the larger the file the fewer (frames_bench).
std::optional<Light> BlockMeans(const BaselineScan& scan);

}  // namespace pawsight::frames
