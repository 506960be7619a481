// Any bytes as a safetensors file: read or refused, and what is read can be converted.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "engine/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::engine;
  const std::span<const uint8_t> file(data, size);
  const pawsight::Result<TensorMap> tensors = ReadSafetensors(file);
  if (!tensors.ok()) {
    CHECK(!tensors.status().reason().empty());
    return 0;
  }
  size_t total = 0;
  for (const auto& [name, tensor] : *tensors) {
    CHECK(tensor.bytes.size() == static_cast<size_t>(tensor.num_elements()) * ElementBytes(tensor.dtype));
    total += tensor.bytes.size();
    if (IsFloating(tensor.dtype)) {
      (void)ToFloat(tensor);  // values may be NaN, which is an error and no crash
    } else {
      (void)ToInt64(tensor);  // and integers too large
    }
  }
  CHECK(total <= size);  // no overlap
  return 0;
}
