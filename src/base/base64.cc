#include "base/base64.h"

#include <array>
#include <cstdint>

namespace pawsight {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint32_t kNoLetter = 0x1000000;  // above the 24 bits of four letters

constexpr std::array<uint32_t, 256> MakeValues() {
  std::array<uint32_t, 256> values{};
  for (uint32_t& value : values) value = kNoLetter;
  for (uint32_t i = 0; i < kLetters.size(); ++i) values[static_cast<unsigned char>(kLetters[i])] = i;
  return values;
}
constexpr std::array<uint32_t, 256> kValues = MakeValues();

uint32_t Value(char c) { return kValues[static_cast<unsigned char>(c)]; }

Status Bad(size_t at) {
  return InvalidArgument("base64: byte " + std::to_string(at) + " is no letter of it, or the padding is wrong",
                         "base64_invalid");
}

size_t FirstBad(std::string_view text) {
  size_t at = 0;
  while (at < text.size() && Value(text[at]) != kNoLetter) ++at;
  return at;
}

}  // namespace

Result<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return InvalidArgument("base64: want a multiple of 4 letters", "base64_invalid");
  if (text.empty()) return std::string();
  const size_t num_padding = text[text.size() - 1] != '=' ? 0 : text[text.size() - 2] != '=' ? 1 : 2;
  const size_t num_whole = (text.size() - num_padding) / 4;
  std::string bytes(text.size() / 4 * 3 - num_padding, '\0');
  char* out = bytes.data();
  for (size_t i = 0; i < num_whole; ++i, out += 3) {
    const char* in = text.data() + 4 * i;
    const uint32_t word = Value(in[0]) << 18U | Value(in[1]) << 12U | Value(in[2]) << 6U | Value(in[3]);
    // kNoLetter shifted has bits above 24 in any place but the first, which it leaves by the top: or it in.
    if ((word | Value(in[0]) | Value(in[1]) | Value(in[2])) >= kNoLetter) return Bad(FirstBad(text));
    out[0] = static_cast<char>(word >> 16U);
    out[1] = static_cast<char>(word >> 8U);
    out[2] = static_cast<char>(word);
  }
  if (num_padding == 0) return bytes;
  const char* in = text.data() + 4 * num_whole;
  const uint32_t third = num_padding == 1 ? Value(in[2]) : 0;
  const uint32_t word = Value(in[0]) << 12U | Value(in[1]) << 6U | third;  // 18 bits
  const uint32_t left_over = num_padding == 1 ? word & 3U : (word >> 6U) & 15U;
  if ((Value(in[0]) | Value(in[1]) | third) >= kNoLetter || left_over != 0) return Bad(4 * num_whole);
  out[0] = static_cast<char>(word >> 10U);
  if (num_padding == 1) out[1] = static_cast<char>(word >> 2U);
  return bytes;
}

std::string EncodeBase64(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    uint32_t word = 0;
    for (size_t i = 0; i < 3; ++i) word = word << 8U | (i < count ? static_cast<unsigned char>(bytes[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i) text += i <= count ? kLetters[word >> (18 - 6 * i) & 63U] : '=';
  }
  return text;
}

}  // namespace pawsight
