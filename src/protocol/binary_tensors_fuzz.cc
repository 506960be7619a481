// Any bytes as a BYTES tensor of as many elements as the first two bytes say: split into views that cover it, or
// refused.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "protocol/binary_tensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::protocol;
  if (size < 2) return 0;
  const size_t count = data[0] | static_cast<size_t>(data[1]) << 8U;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const auto elements = SplitBytesTensor(bytes, count);
  if (!elements.ok()) return 0;
  CHECK(elements->size() == count);
  if (count == 0) return 0;
  const OutputTensor again =
      BytesOutput("x", {static_cast<int64_t>(count)}, std::vector<std::string>(elements->begin(), elements->end()));
  std::string out;
  AppendRawContents(again, &out);
  CHECK(out == bytes && RawContentsBytes(again) == bytes.size());
  return 0;
}
