#include "net/http_response_reader.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace pawsight::net {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr size_t kMaxLengthDigits = 18;
constexpr size_t kFirstBodyBytes = 64U << 10U;  // reserved before a body comes; more is as it comes

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// RFC 9110, section 5.6.2.
bool IsTokenByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c == '\t' || (c >= ' ' && c < 0x7F); });
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool HasBareLineFeed(std::string_view head) {
  for (size_t at = head.find('\n'); at != head.npos; at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r') return true;
  }
  return false;
}

Status NotHttp(std::string what) { return DataLoss("not an HTTP response: " + std::move(what), "http_malformed"); }

/// Whether a list such as Connection's has the word.
bool Lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (LowerCase(Trim(list.substr(0, comma))) == word) return true;
    list.remove_prefix(std::min(list.size(), comma + 1));
  }
  return false;
}

}  // namespace

std::optional<std::string_view> ReceivedResponse::Header(std::string_view name) const {
  const auto found = std::find_if(headers.begin(), headers.end(), [&](const auto& h) { return h.first == name; });
  if (found == headers.end()) return std::nullopt;
  return found->second;
}

void HttpResponseReader::Reset() {
  phase_ = Phase::kHead;
  head_.clear();
  response_ = {};
  chunked_.reset();
  body_left_ = 0;
  num_interim_ = 0;
  started_ = keep_alive_ = false;
  error_ = {};
}

void HttpResponseReader::Refuse(Status error) {
  phase_ = Phase::kRefused;
  error_ = std::move(error);
  keep_alive_ = false;
}

Status HttpResponseReader::TooLarge() const {
  return ResourceExhausted("the response's body is larger than " + std::to_string(limits_.max_body_bytes) + " bytes",
                           "response_too_large");
}

HttpResponseReader::Event HttpResponseReader::Read(std::string_view* bytes) {
  while (!bytes->empty() || phase_ == Phase::kWhole || phase_ == Phase::kRefused) {
    switch (phase_) {
      case Phase::kHead:
        started_ = true;
        ReadHead(bytes);
        break;  // then a body, the end, or a response behind an interim one
      case Phase::kSized:
        return ReadSized(bytes);
      case Phase::kChunked:
        return ReadChunked(bytes);
      case Phase::kWhole:
        return Event::kWhole;
      case Phase::kRefused:
        return Event::kRefused;
    }
  }
  return Event::kNeedMore;
}

void HttpResponseReader::ReadHead(std::string_view* bytes) {
  const size_t before = head_.size();
  const std::string_view piece = bytes->substr(0, limits_.max_header_bytes + 1);
  head_.append(piece);
  const size_t end = head_.find(kHeadEnd, before < kHeadEnd.size() ? 0 : before - kHeadEnd.size());
  const size_t size = end == head_.npos ? head_.size() : end + kHeadEnd.size();
  if (HasBareLineFeed(std::string_view(head_).substr(0, size))) return Refuse(NotHttp("a line ends without CR"));
  if (size > limits_.max_header_bytes) {
    return Refuse(
        ResourceExhausted("the response's header is larger than " + std::to_string(limits_.max_header_bytes) + " bytes",
                          "response_header_too_large"));
  }
  if (end == head_.npos) return bytes->remove_prefix(piece.size());
  bytes->remove_prefix(size - before);
  const std::string head = std::exchange(head_, {});
  if (Status taken = TakeHead(std::string_view(head).substr(0, end)); !taken.ok()) Refuse(std::move(taken));
}

Status HttpResponseReader::TakeHead(std::string_view head) {
  response_ = {};
  const size_t first_end = std::min(head.find("\r\n"), head.size());
  int minor = 1;
  PAWSIGHT_RETURN_IF_ERROR(TakeStatusLine(head.substr(0, first_end), &minor));
  head.remove_prefix(std::min(head.size(), first_end + 2));
  while (!head.empty()) {
    const size_t end = std::min(head.find("\r\n"), head.size());
    PAWSIGHT_RETURN_IF_ERROR(TakeHeader(head.substr(0, end)));
    head.remove_prefix(std::min(head.size(), end + 2));
  }
  return ChooseFraming(minor);
}

Status HttpResponseReader::TakeStatusLine(std::string_view line, int* minor) {
  const bool form = line.size() >= 12 && line.starts_with("HTTP/1.") && (line[7] == '0' || line[7] == '1') &&
                    line[8] == ' ' && line[9] >= '1' && line[9] <= '5' && IsDigit(line[10]) && IsDigit(line[11]) &&
                    (line.size() == 12 || line[12] == ' ') && IsPlain(line);
  if (!form) return NotHttp("its status line");
  *minor = line[7] - '0';
  response_.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  return Ok();
}

Status HttpResponseReader::TakeHeader(std::string_view line) {
  if (response_.headers.size() >= limits_.max_headers) {
    return ResourceExhausted("the response has more than " + std::to_string(limits_.max_headers) + " headers",
                             "response_header_too_large");
  }
  const size_t colon = line.find(':');
  if (colon == line.npos || colon == 0 || !std::all_of(line.begin(), line.begin() + colon, IsTokenByte)) {
    return NotHttp("a header's name");
  }
  const std::string_view value = Trim(line.substr(colon + 1));
  if (!IsPlain(value)) return NotHttp("a header's value");
  response_.headers.emplace_back(LowerCase(line.substr(0, colon)), value);
  return Ok();
}

Status HttpResponseReader::ChooseFraming(int minor) {
  if (response_.status < 200) {
    if (response_.status == 101) return NotHttp("it switches protocols");
    if (++num_interim_ > limits_.max_interim) return NotHttp("too many interim responses");
    return Ok();  // the next head is read
  }
  size_t num_lengths = 0;
  size_t num_encodings = 0;
  std::string_view length;
  std::string_view encoding;
  keep_alive_ = minor == 1;
  for (const auto& [name, value] : response_.headers) {
    if (name == "content-length") {
      ++num_lengths;
      length = value;
    } else if (name == "transfer-encoding") {
      ++num_encodings;
      encoding = value;
    } else if (name == "content-encoding" && LowerCase(value) != "identity") {
      return NotHttp("a Content-Encoding that was not asked for");
    } else if (name == "connection" && Lists(value, "close")) {
      keep_alive_ = false;
    }
  }
  if (response_.status == 204 || response_.status == 304) {
    phase_ = Phase::kWhole;
    return Ok();
  }
  if (num_encodings > 0) {
    if (num_encodings > 1 || num_lengths > 0 || minor == 0 || LowerCase(encoding) != "chunked") {
      return NotHttp("want one Transfer-Encoding, chunked, without Content-Length");
    }
    chunked_.emplace(limits_.max_body_bytes, limits_.max_header_bytes);
    phase_ = Phase::kChunked;
    return Ok();
  }
  if (num_lengths != 1 || length.empty() || length.size() > kMaxLengthDigits ||
      !std::all_of(length.begin(), length.end(), IsDigit)) {
    return NotHttp("want one Content-Length of digits, or chunks");
  }
  std::from_chars(length.data(), length.data() + length.size(), body_left_);
  if (body_left_ > limits_.max_body_bytes) return TooLarge();
  response_.body.reserve(std::min<uint64_t>(body_left_, kFirstBodyBytes));
  phase_ = body_left_ == 0 ? Phase::kWhole : Phase::kSized;
  return Ok();
}

HttpResponseReader::Event HttpResponseReader::ReadSized(std::string_view* bytes) {
  const size_t count = std::min<uint64_t>(body_left_, bytes->size());
  response_.body.append(bytes->substr(0, count));
  bytes->remove_prefix(count);
  body_left_ -= count;
  if (body_left_ > 0) return Event::kNeedMore;
  phase_ = Phase::kWhole;
  return Event::kWhole;
}

HttpResponseReader::Event HttpResponseReader::ReadChunked(std::string_view* bytes) {
  switch (chunked_->Read(bytes, &response_.body)) {
    case ChunkedBody::Event::kNeedMore:
      return Event::kNeedMore;
    case ChunkedBody::Event::kWhole:
      phase_ = Phase::kWhole;
      return Event::kWhole;
    case ChunkedBody::Event::kMalformed:
      Refuse(NotHttp("its chunks"));
      return Event::kRefused;
    case ChunkedBody::Event::kTooLarge:
      Refuse(TooLarge());
      return Event::kRefused;
  }
  CHECK(false);
}

}  // namespace pawsight::net
