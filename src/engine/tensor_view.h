// engine/tensor_view.h: a tensor as it lies in a model file: its type, its shape and its bytes, owned by someone else.
// Not here: arithmetic (kernels), reading files (weights.h). Values; thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pawsight::engine {

enum class DType { kBool, kU8, kI8, kI16, kU16, kF16, kBF16, kI32, kU32, kF32, kF64, kI64, kU64 };

/// Bytes of one element.
size_t ElementBytes(DType dtype);
/// Safetensors' spelling: "F32", "BF16".
std::string_view DTypeName(DType dtype);
/// What ToFloat takes.
bool IsFloating(DType dtype);

/// Row-major, little-endian; `bytes` need not be aligned. It lives as long as the Weights (or span) that it came from.
struct TensorView {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // empty: one number
  std::span<const uint8_t> bytes;

  /// The readers have checked that the product fits and equals bytes / ElementBytes.
  int64_t num_elements() const;
};

/// By name, sorted.
using TensorMap = std::map<std::string, TensorView, std::less<>>;

/// "[2, 3]".
std::string ShapeText(std::span<const int64_t> shape);

/// Elements in `shape`, its bytes in `dtype`. Errors: kInvalidArgument, a negative dimension, more than 8 dimensions,
/// or a product that does not fit in 2^48 bytes.
Result<int64_t> CheckedBytes(std::span<const int64_t> shape, DType dtype);

/// Converts F32, F16, BF16 and F64 to float; out.size() must be num_elements() (CHECK). One pass over the bytes.
/// Errors: kInvalidArgument, another type (reason dtype_unsupported), or a NaN, an infinity, or an F64 beyond float's
/// range (reason weights_not_finite; the message has the place). kDataLoss, the file behind the bytes has shrunk
/// (reason file_shrunk).
Status ToFloat(const TensorView& tensor, std::span<float> out);
Result<std::vector<float>> ToFloat(const TensorView& tensor);

/// Integers of any width, and booleans. Errors: kInvalidArgument, a float type, or a U64 above 2^63-1. kDataLoss as
/// above.
Result<std::vector<int64_t>> ToInt64(const TensorView& tensor);

}  // namespace pawsight::engine
