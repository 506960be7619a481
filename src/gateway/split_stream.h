// gateway/split_stream.h: cuts a byte stream into the images in it: PPM from ffmpeg's pipe, JPEG parts from an MJPEG
// camera. Bytes come in pieces of any size. Bounded: an image above the limit is an error. Thread-compatible.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "frames/image.h"

namespace pawsight::gateway {

/// Binary PPM images one after the other ("P6\n640 480\n255\n" and 3 bytes a pixel), as ffmpeg writes them.
class PpmSplitter {
 public:
  using OnImage = std::function<bool(frames::Image image)>;

  /// Calls `on_image` for each image completed; false when it returned false.
  /// Errors: kDataLoss, not PPM, a side of 0 or above 8192, another depth than 255. Feed nothing more after an error.
  Result<bool> Feed(std::span<const uint8_t> bytes, const OnImage& on_image);

 private:
  Status ReadHeader(uint8_t byte);

  std::string header_;
  frames::Image image_;
  size_t filled_ = 0;
};

/// The parts of multipart/x-mixed-replace (RFC 2046): what lies between two boundary lines, without its headers. A
/// part's Content-Length is believed when there is one; without it the next boundary ends the part.
class MultipartSplitter {
 public:
  /// `boundary` from the Content-Type, with or without its leading dashes; cameras disagree. 1..200 bytes.
  MultipartSplitter(std::string boundary, size_t max_part_bytes);

  using OnPart = std::function<bool(std::span<const uint8_t> body)>;
  /// Calls `on_part` for each part completed; false when it returned false.
  /// Errors: kResourceExhausted, a part or its headers above the limit. Feed nothing more after an error.
  Result<bool> Feed(std::span<const uint8_t> bytes, const OnPart& on_part);

 private:
  enum class State { kBoundary, kHeaders, kSizedBody, kBody };
  /// One step in buffer_; false when it needs more bytes.
  Result<bool> Step(const OnPart& on_part, bool* go_on);
  bool StepHeaders();

  std::string boundary_;  // "--x"
  size_t max_part_bytes_;
  std::string buffer_;
  State state_ = State::kBoundary;
  size_t content_length_ = 0;
};

/// The boundary of "multipart/x-mixed-replace; boundary=frame", quotes removed; "" when it is another type or has none.
std::string MultipartBoundary(std::string_view content_type);

}  // namespace pawsight::gateway
