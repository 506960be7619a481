// rules/camera_selector.h: which of an owner's cameras a rule looks through. A value; thread-compatible.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace pawsight::rules {

/// A camera's labels: {"room": "kitchen", "floor": "1"}.
using Labels = std::map<std::string, std::string, std::less<>>;

inline constexpr size_t kMaxLabels = 16;
inline constexpr size_t kMaxLabelBytes = 64;  // of a key, and of a value
inline constexpr size_t kMaxSelected = 256;   // ids

/// Both empty: every camera of the owner.
struct CameraSelector {
  std::vector<std::string> ids;
  Labels labels;  // all must be there

  bool Selects(std::string_view camera, const Labels& of_camera) const;
  friend bool operator==(const CameraSelector&, const CameraSelector&) = default;
};

/// ["cam_a", "cam_b"], or an object of labels: {"room": "kitchen"}.
/// Errors: kInvalidArgument, neither, empty, or above the limits.
Result<CameraSelector> ParseCameraSelector(const Json& json);
Json CameraSelectorToJson(const CameraSelector& selector);

/// An object of text to text. Errors: kInvalidArgument, another value, or above the limits.
Result<Labels> ParseLabels(const Json& json);

/// An array of 1 to `most` ids of 1 to 64 bytes of letters, digits, "-" and "_". Errors: kInvalidArgument, other
/// things.
Result<std::vector<std::string>> ParseIds(const Json& json, size_t most);

}  // namespace pawsight::rules
