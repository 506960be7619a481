#include "net/chunked_body.h"

#include <algorithm>

#include "base/check.h"

namespace pawsight::net {
namespace {

constexpr int kMaxDigits = 16;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkedBody::Event ChunkedBody::Read(std::string_view* bytes, std::string* body) {
  while (!bytes->empty()) {
    if (phase_ == Phase::kData) {
      const size_t count = std::min<uint64_t>(chunk_left_, bytes->size());
      body->append(bytes->substr(0, count));
      bytes->remove_prefix(count);
      chunk_left_ -= count;
      if (chunk_left_ == 0) phase_ = Phase::kDataEnd;
      continue;
    }
    const bool well_formed = Step(bytes->front());
    bytes->remove_prefix(1);
    if (!well_formed) return Event::kMalformed;
    if (whole_) return Event::kWhole;
    if (phase_ != Phase::kData) continue;
    if (chunk_left_ > body_left_) return Event::kTooLarge;
    body_left_ -= chunk_left_;
  }
  return Event::kNeedMore;
}

bool ChunkedBody::Step(char c) {
  switch (phase_) {
    case Phase::kSize:
      return SizeDigit(c);
    case Phase::kSizeEnd:
      phase_ = chunk_left_ > 0 ? Phase::kData : Phase::kLineStart;
      return c == '\n';
    case Phase::kDataEnd:
      phase_ = Phase::kDataLineFeed;
      return c == '\r';
    case Phase::kDataLineFeed:
      phase_ = Phase::kSize;
      num_digits_ = 0;
      return c == '\n';
    case Phase::kLineStart:
    case Phase::kLine:
      return LineByte(c);
    case Phase::kLineEnd:
      phase_ = Phase::kLineStart;
      return c == '\n';
    case Phase::kLastLineFeed:
      whole_ = true;
      return c == '\n';
    case Phase::kData:
      break;
  }
  CHECK(false);
}

bool ChunkedBody::SizeDigit(char c) {
  if (c == '\r' && num_digits_ > 0) {
    phase_ = Phase::kSizeEnd;
    return true;
  }
  const int digit = HexDigit(c);
  if (digit < 0 || ++num_digits_ > kMaxDigits) return false;
  chunk_left_ = chunk_left_ * 16 + static_cast<uint64_t>(digit);
  return true;
}

/// Of a trailer, or of the empty line behind them.
bool ChunkedBody::LineByte(char c) {
  if (c == '\r') {
    phase_ = phase_ == Phase::kLineStart ? Phase::kLastLineFeed : Phase::kLineEnd;
    return true;
  }
  const auto byte = static_cast<unsigned char>(c);
  const bool folded = phase_ == Phase::kLineStart && (c == ' ' || c == '\t');
  phase_ = Phase::kLine;
  return !folded && (c == '\t' || (byte >= ' ' && byte < 0x7F)) && line_left_-- > 0;
}

}  // namespace pawsight::net
