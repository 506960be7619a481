// Any bytes as a PyTorch checkpoint (ZIP form, older form, bare pickle): read or refused, and all that is read lies
// inside.
#include <cstddef>
#include <cstdint>

#include "base/check.h"
#include "engine/checkpoint.h"
#include "engine/pickle.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::engine;
  const std::span<const uint8_t> file(data, size);
  const pawsight::Result<TensorMap> tensors = ReadCheckpoint(file);
  if (tensors.ok()) {
    for (const auto& [name, tensor] : *tensors) {
      CHECK(tensor.bytes.empty() ||
            (tensor.bytes.data() >= data && tensor.bytes.data() + tensor.bytes.size() <= data + size));
      if (IsFloating(tensor.dtype)) (void)ToFloat(tensor);  // NaN is an error and no crash
    }
  } else {
    CHECK(!tensors.status().message().empty());
  }
  // The archive's checks hide the pickle from most inputs; here it is on its own.
  size_t used = 0;
  const auto pickle = ReadTensorPickle(file, &used);
  if (pickle.ok()) CHECK(used <= size);
  (void)ReadStringListPickle(file, &used);
  (void)SkipSystemPickle(file, &used);
  return 0;
}
