#include "net/http_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <utility>

namespace pawsight::net {
namespace {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;

constexpr size_t kFirstBodyBytes = 64U << 10U;  // reserved before a body comes; more is as it comes

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

struct HttpReader::Parser {
  http::request_parser<http::empty_body> beast;
  error_code error;
  size_t taken_bytes = 0;  // of the header
};

HttpReader::HttpReader(const HttpServerOptions& options) : options_(options) {}
HttpReader::~HttpReader() = default;

void HttpReader::Reset() {
  parser_.reset();
  chunked_.reset();
  request_ = {};
  phase_ = Phase::kHeader;
  held_scanned_ = held_used_;
  started_ = folded_ = keep_alive_ = expects_continue_ = has_body_ = false;
  version_ = 11;
}

void HttpReader::Hold(std::string_view bytes) { held_.append(bytes); }

std::string_view HttpReader::Input(std::string_view* bytes) {
  if (held_bytes() == 0) return *bytes;
  held_.append(std::exchange(*bytes, {}));
  return std::string_view(held_).substr(held_used_);
}

void HttpReader::Use(size_t count, std::string_view* bytes) {
  if (held_bytes() == 0) return bytes->remove_prefix(count);
  held_used_ += count;
  if (held_bytes() > 0) return;
  held_ = {};  // frees it
  held_used_ = held_scanned_ = 0;
}

HttpReader::Event HttpReader::Read(std::string_view* bytes) {
  switch (phase_) {
    case Phase::kHeader:
      return ReadHeader(bytes);
    case Phase::kSized:
      return ReadSized(bytes);
    case Phase::kChunked:
      return ReadChunked(bytes);
    case Phase::kWhole:
      return Event::kWhole;
    case Phase::kRefused:
      return Event::kRefused;
  }
  CHECK(false);
}

bool HttpReader::Feed(std::string_view* bytes) {
  const std::string_view input = Input(bytes);
  const size_t used = parser_->beast.put(boost::asio::buffer(input.data(), input.size()), parser_->error);
  const std::string_view taken = input.substr(0, used);
  folded_ = folded_ || taken.find("\r\n ") != taken.npos || taken.find("\r\n\t") != taken.npos;
  Use(used, bytes);
  if (parser_->error && parser_->error != http::error::need_more) return true;
  parser_->taken_bytes += used;
  const bool done = parser_->beast.is_header_done();
  if (!done && held_bytes() == 0 && !bytes->empty()) Hold(std::exchange(*bytes, {}));
  if (!done && HoldsBareLineFeed()) parser_->error = http::make_error_code(http::error::bad_line_ending);
  // Beast's own limit begins anew behind the request line.
  const size_t num_bytes = parser_->taken_bytes + (done ? 0 : held_bytes());
  if (num_bytes > options_.max_header_bytes) parser_->error = http::make_error_code(http::error::header_limit);
  if (done) return true;
  return parser_->error != http::error::need_more;
}

/// Beast sees a line feed without its carriage return only once the header has ended, which such a header may never do.
bool HttpReader::HoldsBareLineFeed() {
  for (size_t at = held_.find('\n', std::max(held_scanned_, held_used_)); at != held_.npos;
       at = held_.find('\n', at + 1)) {
    if (at == held_used_ || held_[at - 1] != '\r') return true;
  }
  held_scanned_ = held_.size();
  return false;
}

HttpReader::Event HttpReader::ReadHeader(std::string_view* bytes) {
  if (bytes->empty() && held_bytes() == 0) return Event::kNeedMore;
  if (parser_ == nullptr) {
    started_ = true;
    parser_ = std::make_unique<Parser>();
    parser_->beast.header_limit(static_cast<uint32_t>(options_.max_header_bytes));
    parser_->beast.body_limit(options_.max_body_bytes);
  }
  if (!Feed(bytes)) return Event::kNeedMore;
  if (parser_->error) {
    RefuseError();
    return Event::kRefused;
  }
  return FinishHeader();
}

HttpReader::Event HttpReader::FinishHeader() {
  if (!TakeHeader()) return Event::kRefused;
  auto& parser = parser_->beast;
  keep_alive_ = parser.keep_alive();
  if (parser.chunked()) {
    phase_ = Phase::kChunked;
    has_body_ = true;
    chunked_.emplace(options_.max_body_bytes, options_.max_header_bytes);
    parser_.reset();
    return Event::kHeader;
  }
  phase_ = Phase::kSized;
  body_left_ = parser.content_length() ? *parser.content_length() : 0;
  has_body_ = body_left_ > 0;
  request_.body.reserve(std::min<uint64_t>(body_left_, kFirstBodyBytes));
  parser_.reset();
  return Event::kHeader;
}

HttpReader::Event HttpReader::ReadSized(std::string_view* bytes) {
  const std::string_view input = Input(bytes);
  const size_t count = std::min<uint64_t>(body_left_, input.size());
  request_.body.append(input.substr(0, count));
  body_left_ -= count;
  Use(count, bytes);
  if (body_left_ > 0) return Event::kNeedMore;
  phase_ = Phase::kWhole;
  return Event::kWhole;
}

HttpReader::Event HttpReader::ReadChunked(std::string_view* bytes) {
  std::string_view input = Input(bytes);
  const size_t size = input.size();
  const ChunkedBody::Event event = chunked_->Read(&input, &request_.body);
  Use(size - input.size(), bytes);
  switch (event) {
    case ChunkedBody::Event::kNeedMore:
      return Event::kNeedMore;
    case ChunkedBody::Event::kWhole:
      phase_ = Phase::kWhole;
      return Event::kWhole;
    case ChunkedBody::Event::kMalformed:
      Refuse(400, "malformed", "not a chunked body");
      return Event::kRefused;
    case ChunkedBody::Event::kTooLarge:
      Refuse(413, "body_too_large", "the body is larger than " + std::to_string(options_.max_body_bytes) + " bytes");
      return Event::kRefused;
  }
  CHECK(false);
}

bool HttpReader::Refuse(int status, std::string_view code, std::string_view detail) {
  refusal_ = options_.refuse(status, code, detail);
  phase_ = Phase::kRefused;
  parser_.reset();
  return false;
}

void HttpReader::RefuseError() {
  const error_code error = parser_->error;
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    Refuse(431, "header_too_large", "the header is too large");
  } else if (error == http::error::body_limit) {
    Refuse(413, "body_too_large", "the body is larger than " + std::to_string(options_.max_body_bytes) + " bytes");
  } else if (error == http::error::bad_version) {
    Refuse(505, "http_version", "want HTTP/1.1 or HTTP/1.0");
  } else {
    Refuse(400, "malformed", "not an HTTP request: " + error.message());
  }
}

bool HttpReader::TakeHeader() {
  const auto& header = parser_->beast.get();
  version_ = static_cast<int>(header.version());
  if (folded_) return Refuse(400, "malformed", "want every header on one line");
  size_t num_headers = 0;
  for (const auto& field : header) {
    if (++num_headers > options_.max_headers) return Refuse(431, "too_many_headers", "too many headers");
    const std::string_view value = View(field.value());
    if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return c != '\t' && (c < ' ' || c >= 0x7F); })) {
      return Refuse(400, "malformed", "want plain ASCII in headers");
    }
    request_.headers.emplace_back(LowerCase(View(field.name_string())), value);
  }
  request_.method = View(header.method_string());
  return CheckFraming() && CheckTarget(View(header.target())) && ReadExpectation();
}

bool HttpReader::CheckFraming() {
  const auto& header = parser_->beast.get();
  if (header.version() != 11 && header.version() != 10) return Refuse(505, "http_version", "want HTTP/1.1");
  if (header.count(http::field::host) > 1 || (header.version() == 11 && header.count(http::field::host) == 0)) {
    return Refuse(400, "host", "want one Host header");
  }
  const size_t num_lengths = header.count(http::field::content_length);
  if (const size_t num_encodings = header.count(http::field::transfer_encoding); num_encodings > 0) {
    if (num_encodings > 1 || num_lengths > 0 || header.version() == 10 ||
        !beast::iequals(header[http::field::transfer_encoding], "chunked")) {
      return Refuse(400, "transfer_encoding", "want one Transfer-Encoding, chunked, without Content-Length");
    }
  }
  const auto length = View(header[http::field::content_length]);  // Beast takes lists of equal lengths, too
  if (num_lengths > 1 || length.find_first_not_of("0123456789") != length.npos) {
    return Refuse(400, "content_length", "want one Content-Length of digits");
  }
  if (header.count(http::field::content_encoding) > 0) return Refuse(415, "content_encoding", "send the body as it is");
  return true;
}

bool HttpReader::CheckTarget(std::string_view target) {
  if (target.size() > options_.max_target_bytes) return Refuse(414, "target_too_long", "the target is too long");
  const size_t mark = std::min(target.find('?'), target.size());
  request_.path = target.substr(0, mark);
  request_.query = mark < target.size() ? target.substr(mark + 1) : "";
  return IsPlainPath(request_.path) || Refuse(400, "path", "want a plain absolute path");
}

bool HttpReader::ReadExpectation() {
  const std::string_view expectation = request_.Header("expect");
  expects_continue_ = beast::iequals(beast::string_view(expectation.data(), expectation.size()), "100-continue");
  return expectation.empty() || expects_continue_ || Refuse(400, "expectation", "only Expect: 100-continue");
}

}  // namespace pawsight::net
