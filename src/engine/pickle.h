// engine/pickle.h: reads a Python pickle that holds a dictionary of tensors, and nothing else. A pickle is a program
// for a small stack machine that may call anything; this machine has only the instructions that torch.save writes for
// such a dictionary, and the only "calls" it knows are values of its own. It never executes, imports or opens anything:
// an instruction or a name outside the list ends the read and is named. The list: docs/formats/weights.md.
// Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "engine/tensor_view.h"

namespace pawsight::engine {

/// Bytes a pickle may have; a BLIP checkpoint's has 0.1 million.
inline constexpr size_t kMaxPickleBytes = 4U << 20U;

/// A run of elements that lies elsewhere in the checkpoint.
struct PickledStorage {
  DType dtype = DType::kF32;
  std::string key;
  int64_t num_elements = 0;
};

/// A row-major view into a storage.
struct PickledTensor {
  PickledStorage storage;
  int64_t offset = 0;  // elements into the storage; offset plus the shape's product fits in it
  std::vector<int64_t> shape;
};

/// The tensors by name, in the pickle's order. `used`, when not null, is set to the pickle's length in bytes.
/// Errors: kInvalidArgument, reason checkpoint_unsafe: an instruction, a name or a call that a dictionary of tensors
/// does not need, named ("pickle global `os.system` is not allowed"). Reason checkpoint_invalid: cut short, a value of
/// the wrong kind, more than a limit (4 MB, 500000 values), a tensor outside its storage, a name twice. kUnimplemented:
/// a tensor that is not row-major.
Result<std::vector<std::pair<std::string, PickledTensor>>> ReadTensorPickle(std::span<const uint8_t> pickle,
                                                                            size_t* used = nullptr);

/// A list of strings (the storage keys of the older form). Errors as above.
Result<std::vector<std::string>> ReadStringListPickle(std::span<const uint8_t> pickle, size_t* used);

/// A dictionary of string to bool, integer or another such (the system's description in the older form): skips it, and
/// checks that `little_endian` is not false. Errors as above, and kUnimplemented for a big-endian checkpoint.
Status SkipSystemPickle(std::span<const uint8_t> pickle, size_t* used);

}  // namespace pawsight::engine
