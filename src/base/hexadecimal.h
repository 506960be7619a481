// base/hexadecimal.h: bytes as digits for a person to compare or to name a thing by. Not here: reading them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace pawsight {

/// Two digits a byte, 0-9 and a-f, the high one first.
inline std::string Hexadecimal(std::span<const uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const uint8_t byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

}  // namespace pawsight
