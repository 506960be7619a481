#include "notify/mime.h"

#include <algorithm>

#include "base/base64.h"

namespace pawsight::notify {
namespace {

constexpr std::string_view kWordStart = "=?utf-8?B?";
constexpr std::string_view kWordEnd = "?=";
constexpr size_t kMaxWordBytes = 75;
constexpr size_t kMaxLineBytes = 76;

bool IsPlainAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

/// Encoded words, `between` them; the first has `room` bytes.
std::string EncodedWords(std::string_view text, size_t room, std::string_view between) {
  std::string words;
  while (!text.empty()) {
    const size_t letters = (room - kWordStart.size() - kWordEnd.size()) / 4 * 3;
    size_t part = std::min(letters, text.size());
    while (part > 1 && part < text.size() && (static_cast<unsigned char>(text[part]) & 0xC0U) == 0x80) --part;
    if (!words.empty()) words += between;
    words.append(kWordStart).append(EncodeBase64(text.substr(0, part))).append(kWordEnd);
    text.remove_prefix(part);
    room = kMaxWordBytes;
  }
  return words;
}

}  // namespace

std::string HeaderText(std::string_view line, size_t start) {
  const bool fits = start + line.size() <= 900;  // RFC 5322 allows 998
  if (IsPlainAscii(line) && fits && line.find("=?") == std::string_view::npos) return std::string(line);
  return EncodedWords(line, kMaxWordBytes - std::min(start, kMaxWordBytes / 2), "\r\n ");
}

std::string HeaderTextUnfolded(std::string_view line) {
  if (IsPlainAscii(line) && line.find("=?") == std::string_view::npos) return std::string(line);
  return EncodedWords(line, kMaxWordBytes, " ");
}

std::string QuotedPrintable(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  size_t line = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n') {
      out += "\r\n";
      line = 0;
      continue;
    }
    const bool ends_line = i + 1 == text.size() || text[i + 1] == '\n';
    const bool plain = (byte > ' ' && byte < 0x7F && byte != '=') || (byte == ' ' && !ends_line);
    // A dot alone on a line ends a mail, and "From " at a line's start is changed on the way: both are written in hex.
    const bool unfit = line == 0 && (byte == '.' || byte == 'F');
    const size_t size = plain && !unfit ? 1 : 3;
    if (line + size > kMaxLineBytes - 1) {
      out += "=\r\n";
      line = 0;
    }
    if (size == 1) {
      out += static_cast<char>(byte);
    } else {
      out += {'=', kHex[byte >> 4U], kHex[byte & 15U]};
    }
    line += size;
  }
  return out;
}

std::string Base64Lines(std::string_view bytes) {
  const std::string text = EncodeBase64(bytes);
  std::string lines;
  for (size_t at = 0; at < text.size(); at += kMaxLineBytes) lines.append(text, at, kMaxLineBytes).append("\r\n");
  return lines;
}

}  // namespace pawsight::notify
