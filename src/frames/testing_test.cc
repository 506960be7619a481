#include "frames/testing.h"

#include <openssl/sha.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/json.h"

namespace pawsight::frames::testing {
namespace {

// The formulas of the "synthetic" entry in data/preprocess/pillow_bicubic384_vectors.json and of goldens/README.md.
int SyntheticValue(std::string_view kind, int x, int y, int c, int w, int h) {
  if (kind == "grad") {
    if (c == 0) return x * 255 / std::max(w - 1, 1);
    if (c == 1) return y * 255 / std::max(h - 1, 1);
    return (x + y) * 255 / std::max(w + h - 2, 1);
  }
  if (kind == "hash") {
    const int64_t mixed = (int64_t{x} * 73856093) ^ (int64_t{y} * 19349663) ^ (int64_t{c} * 83492791);
    return static_cast<int>(mixed & 255);
  }
  if (kind == "check") return 255 * (((x / 3) + (y / 5)) & 1);
  if (kind == "edge") return x >= w / 2 ? 255 : 0;
  CHECK(kind == "golden");
  if (c == 0) return (x * 255 / std::max(w - 1, 1) + (((x / 8 + y / 8) & 1) * 40)) % 256;
  if (c == 1) return (y * 255 / std::max(h - 1, 1) + ((x * y >> 4) % 64)) % 256;
  return ((x * 7 + y * 13) ^ (x * y)) % 256;
}

}  // namespace

std::string Sha256(std::span<const uint8_t> bytes) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(bytes.data(), bytes.size(), digest);
  std::string hex;
  for (const unsigned char byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return hex;
}

Image Synthetic(std::string_view kind, int width, int height) {
  Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c)
        image.pixel(x, y)[c] = static_cast<uint8_t>(SyntheticValue(kind, x, y, c, width, height));
    }
  }
  return image;
}

std::string SharedPath(std::string_view name) {
  const char* shared = std::getenv("PAWSIGHT_SHARED");
  return (shared != nullptr ? std::string(shared) : std::string(PAWSIGHT_SOURCE_DIR "/../shared")) + "/" +
         std::string(name);
}

std::optional<std::vector<uint8_t>> TensorBytes(std::span<const uint8_t> safetensors, std::string_view name) {
  uint64_t header_size = 0;
  CHECK(safetensors.size() > sizeof header_size);
  std::memcpy(&header_size, safetensors.data(), sizeof header_size);
  CHECK(header_size <= safetensors.size() - sizeof header_size);
  const auto header = safetensors.subspan(sizeof header_size, header_size);
  const Json json = Json::Parse({reinterpret_cast<const char*>(header.data()), header.size()}).value();
  const Json* tensor = json.Find(name);
  if (tensor == nullptr) return std::nullopt;
  const Json::Array& offsets = *tensor->GetArray("data_offsets").value();
  const auto begin = static_cast<size_t>(offsets.at(0).as_integer());
  const auto end = static_cast<size_t>(offsets.at(1).as_integer());
  const auto data = safetensors.subspan(sizeof header_size + header_size).subspan(begin, end - begin);
  return std::vector<uint8_t>(data.begin(), data.end());
}

}  // namespace pawsight::frames::testing
