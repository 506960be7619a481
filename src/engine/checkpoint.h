// engine/checkpoint.h: finds the tensors in a PyTorch checkpoint (`pytorch_model.bin`): the ZIP form of torch.save
// since 1.6, and the older form of five pickles and raw storages. Only dictionaries of tensors, see pickle.h. Byte by
// byte: docs/formats/weights.md. Thread-safe: no state.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"
#include "engine/tensor_view.h"

namespace pawsight::engine {

/// Views into `file`, which must outlive them; tensors that share a storage share bytes.
/// Errors: kInvalidArgument, reason checkpoint_unsafe or checkpoint_invalid, and kUnimplemented, as in pickle.h and
/// zip_directory.h. kDataLoss, the mapped file has shrunk.
Result<TensorMap> ReadCheckpoint(std::span<const uint8_t> file);

}  // namespace pawsight::engine
