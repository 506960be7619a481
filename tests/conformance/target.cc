#include "target.h"

#include "base/base64.h"

namespace pawsight::conformance {

constexpr std::string_view kImage =  // 64x64, one colour
    "iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAT0lEQVR42u3PQQkAAAgEsMtpEuMY1Qi+hcEKLD31WgQEBAQEBAQEBAQE"
    "BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELgvCmiFaQyDbOAAAAABJRU5ErkJggg==";

Target& TheTarget() {
  static Target target;
  return target;
}

std::string ImageBase64() { return std::string(kImage); }
std::string Image() { return DecodeBase64(kImage).value(); }

std::string Element(std::string_view bytes) {
  std::string element;
  for (size_t i = 0; i < 4; ++i) element += static_cast<char>(bytes.size() >> (8 * i));
  return element + std::string(bytes);
}

}  // namespace pawsight::conformance
