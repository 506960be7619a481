#include "gateway/split_stream.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

namespace pawsight::gateway {
namespace {

constexpr size_t kMaxPpmHeader = 64;
constexpr int kMaxSide = 8192;
constexpr size_t kMaxPartHeader = 8U << 10U;
constexpr size_t kMaxBoundary = 200;

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

/// Content-Length of a part's header block, 0 when it has none.
size_t ContentLength(std::string_view headers) {
  const std::string lower = LowerCase(headers);
  constexpr std::string_view kName = "content-length:";
  size_t at = lower.find(kName);
  if (at == std::string::npos || (at > 0 && lower[at - 1] != '\n')) return 0;
  at += kName.size();
  while (at < lower.size() && lower[at] == ' ') ++at;
  size_t length = 0;
  const auto [end, error] = std::from_chars(lower.data() + at, lower.data() + lower.size(), length);
  return error == std::errc() ? length : 0;
}

}  // namespace

Status PpmSplitter::ReadHeader(uint8_t byte) {
  header_ += static_cast<char>(byte);
  if (header_.size() > kMaxPpmHeader) return DataLoss("video: ffmpeg's output is no PPM");
  if (std::count(header_.begin(), header_.end(), '\n') < 3) return Ok();
  int width = 0;
  int height = 0;
  int depth = 0;
  int end = 0;
  const int num_read = std::sscanf(header_.c_str(), "P6\n%4d %4d\n%3d\n%n", &width, &height, &depth, &end);
  if (num_read != 3 || static_cast<size_t>(end) != header_.size() || depth != 255)
    return DataLoss("video: ffmpeg's output is no PPM");
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide)
    return DataLoss("video: a side above 8192 pixels");
  image_ = frames::Image(width, height);
  filled_ = 0;
  return Ok();
}

Result<bool> PpmSplitter::Feed(std::span<const uint8_t> bytes, const OnImage& on_image) {
  while (!bytes.empty()) {
    if (image_.width == 0) {
      PAWSIGHT_RETURN_IF_ERROR(ReadHeader(bytes.front()));
      bytes = bytes.subspan(1);
      continue;
    }
    const size_t num_bytes = std::min(bytes.size(), image_.rgb.size() - filled_);
    std::copy_n(bytes.begin(), num_bytes, image_.rgb.begin() + static_cast<std::ptrdiff_t>(filled_));
    filled_ += num_bytes;
    bytes = bytes.subspan(num_bytes);
    if (filled_ < image_.rgb.size()) break;
    header_.clear();
    if (!on_image(std::exchange(image_, frames::Image()))) return false;
  }
  return true;
}

std::string MultipartBoundary(std::string_view content_type) {
  const std::string lower = LowerCase(content_type);
  constexpr std::string_view kName = "boundary=";
  const size_t at = lower.find(kName);
  if (lower.compare(0, 10, "multipart/") != 0 || at == std::string::npos) return "";
  std::string_view boundary = content_type.substr(at + kName.size());
  if (!boundary.empty() && boundary.front() == '"') {
    boundary.remove_prefix(1);
    boundary = boundary.substr(0, boundary.find('"'));
  } else {
    boundary = boundary.substr(0, boundary.find_first_of("; \t"));
  }
  return boundary.size() > kMaxBoundary ? "" : std::string(boundary);
}

MultipartSplitter::MultipartSplitter(std::string boundary, size_t max_part_bytes) : max_part_bytes_(max_part_bytes) {
  CHECK(!boundary.empty() && boundary.size() <= kMaxBoundary);
  boundary_ = boundary.compare(0, 2, "--") == 0 ? std::move(boundary) : "--" + boundary;
}

/// buffer_ begins after a boundary line's dashes and name: skip to the empty line that ends the headers.
bool MultipartSplitter::StepHeaders() {
  size_t end = buffer_.find("\r\n\r\n");
  size_t skip = 4;
  if (const size_t bare = buffer_.find("\n\n"); bare < end) {
    end = bare;
    skip = 2;
  }
  if (end == std::string::npos) return false;
  content_length_ = ContentLength(std::string_view(buffer_).substr(0, end));
  buffer_.erase(0, end + skip);
  state_ = content_length_ > 0 ? State::kSizedBody : State::kBody;
  return true;
}

Result<bool> MultipartSplitter::Step(const OnPart& on_part, bool* go_on) {
  switch (state_) {
    case State::kBoundary: {
      const size_t at = buffer_.find(boundary_);
      if (at == std::string::npos) {
        if (buffer_.size() > boundary_.size()) buffer_.erase(0, buffer_.size() - boundary_.size());
        return false;
      }
      buffer_.erase(0, at + boundary_.size());
      state_ = State::kHeaders;
      return true;
    }
    case State::kHeaders:
      if (StepHeaders()) return true;
      if (buffer_.size() > kMaxPartHeader) return ResourceExhausted("MJPEG: headers of a part above 8 KiB");
      return false;
    case State::kSizedBody: {
      if (content_length_ > max_part_bytes_) return ResourceExhausted("MJPEG: a part is too large");
      if (buffer_.size() < content_length_) return false;
      *go_on = on_part({reinterpret_cast<const uint8_t*>(buffer_.data()), content_length_});
      buffer_.erase(0, content_length_);
      state_ = State::kBoundary;
      return *go_on;
    }
    case State::kBody: {
      size_t end = buffer_.find(boundary_);
      if (std::min(end, buffer_.size()) > max_part_bytes_) return ResourceExhausted("MJPEG: a part is too large");
      if (end == std::string::npos) return false;
      if (end > 0 && buffer_[end - 1] == '\n') --end;
      if (end > 0 && buffer_[end - 1] == '\r') --end;
      *go_on = on_part({reinterpret_cast<const uint8_t*>(buffer_.data()), end});
      buffer_.erase(0, end);
      state_ = State::kBoundary;
      return *go_on;
    }
  }
  CHECK(false);
}

Result<bool> MultipartSplitter::Feed(std::span<const uint8_t> bytes, const OnPart& on_part) {
  buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  bool go_on = true;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const bool stepped, Step(on_part, &go_on));
    if (!stepped) return go_on;
  }
}

}  // namespace pawsight::gateway
