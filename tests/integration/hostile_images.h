// tests/integration/hostile_images.h: the images that a worker may be sent by people who mean it no good, and the right
// answer to each. Rows of docs/hostile-inputs.md. For tests only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace pawsight::integration {

/// What the answer must be.
enum class Expect {
  kRefused,    // `status` and `code`
  kAnswered,   // 200, every number finite
  kAsOrdinary  // 200, and the very answer of the ordinary image
};

struct HostileImage {
  std::string row;   // "A1"
  std::string what;  // for a person
  std::vector<uint8_t> bytes;
  Expect expect = Expect::kRefused;
  int status = 422;
  std::string code = "";
};

/// A JPEG that nothing is wrong with.
std::vector<uint8_t> OrdinaryImage();

/// All that can be sent as one image.
std::vector<HostileImage> HostileImages();

}  // namespace pawsight::integration
