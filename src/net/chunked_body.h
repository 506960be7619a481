// net/chunked_body.h: takes a body that comes in chunks apart (RFC 9112, section 7.1), byte by byte if it must be.
// Strict: a size is 1 to 16 hexadecimal digits, lines end in CR LF, extensions are refused. Trailers are read over.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pawsight::net {

class ChunkedBody {
 public:
  enum class Event { kNeedMore, kWhole, kMalformed, kTooLarge };

  /// max_line_bytes: of all trailers together.
  ChunkedBody(size_t max_body_bytes, size_t max_line_bytes) : body_left_(max_body_bytes), line_left_(max_line_bytes) {}

  /// Goes on with `bytes`, takes what it used from their front and adds what they hold to `body`.
  Event Read(std::string_view* bytes, std::string* body);

 private:
  enum class Phase { kSize, kSizeEnd, kData, kDataEnd, kDataLineFeed, kLineStart, kLine, kLineEnd, kLastLineFeed };

  /// One byte outside of a chunk's data. False: malformed.
  bool Step(char c);
  bool SizeDigit(char c);
  bool LineByte(char c);

  size_t body_left_;
  size_t line_left_;
  uint64_t chunk_left_ = 0;
  int num_digits_ = 0;
  Phase phase_ = Phase::kSize;
  bool whole_ = false;
};

}  // namespace pawsight::net
