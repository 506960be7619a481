// frames/testing.h: what the tests of this folder share. Not in the library. Defined in testing_test.cc.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "frames/image.h"

namespace pawsight::frames::testing {

/// SHA-256 in lower-case hex.
std::string Sha256(std::span<const uint8_t> bytes);

/// The synthetic images of data/preprocess and of the goldens: "grad", "hash", "check", "edge", "golden".
Image Synthetic(std::string_view kind, int width, int height);

/// The path of a file of the shared data: under $PAWSIGHT_SHARED, or beside the source tree.
std::string SharedPath(std::string_view name);

/// One tensor's bytes out of a safetensors file; nullopt when it has none of that name.
std::optional<std::vector<uint8_t>> TensorBytes(std::span<const uint8_t> safetensors, std::string_view name);

}  // namespace pawsight::frames::testing
