// protocol/binary_tensors.h: tensors as raw bytes: numbers little-endian, row-major and packed; BYTES as elements that
// each follow their length in four little-endian bytes. HTTP's binary extension and gRPC's raw contents are both this.
// Source: "Binary Tensor Data Extension". Thread-safe: functions without state.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "protocol/messages.h"

namespace pawsight::protocol {

/// Exactly `count` elements, views into `bytes`. Errors: kInvalidArgument, an element that ends behind the bytes, fewer
/// or more elements than that.
Result<std::vector<std::string_view>> SplitBytesTensor(std::string_view bytes, size_t count);

/// Sets the data or elements of `input`, which has name, datatype and shape, to views into `bytes`.
/// Errors: kInvalidArgument, naming the input: the shape, or bytes that do not fit it.
Status SetRawContents(std::string_view bytes, const InferLimits& limits, InputTensor* input);

/// The raw bytes of a tensor, added to `out`. CHECK that no element has 4 GiB.
void AppendRawContents(const OutputTensor& output, std::string* out);
void AppendRawContents(const InputTensor& input, std::string* out);
/// What AppendRawContents adds.
size_t RawContentsBytes(const OutputTensor& output);
size_t RawContentsBytes(const InputTensor& input);

}  // namespace pawsight::protocol
