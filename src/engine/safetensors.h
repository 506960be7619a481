// engine/safetensors.h: finds the tensors in a safetensors file. Format: 8 bytes little-endian N, N bytes of JSON
// header, then the tensors' bytes without gaps. Every length and offset is checked before it is used; nothing is
// allocated by a size that the file claims. What is accepted, byte by byte: docs/formats/weights.md. Thread-safe: no
// state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/status.h"
#include "engine/tensor_view.h"

namespace pawsight::engine {

inline constexpr size_t kMaxHeaderBytes = 4U << 20U;
inline constexpr size_t kMaxTensors = 10000;
inline constexpr size_t kMaxTensorNameBytes = 1024;

/// Model files must place every tensor at a multiple of its element; files of test numbers written by other tools need
/// not.
enum class Alignment { kElements, kAny };

/// Views into `file`, which must outlive them. Reads the header only.
/// Errors: kInvalidArgument, reason header_invalid, the message names the tensor and the fault; kDataLoss, the mapped
/// file has shrunk.
Result<TensorMap> ReadSafetensors(std::span<const uint8_t> file, Alignment alignment = Alignment::kElements);

}  // namespace pawsight::engine
