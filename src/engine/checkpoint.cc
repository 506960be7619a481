#include "engine/checkpoint.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/mapped_read.h"
#include "engine/pickle.h"
#include "engine/zip_directory.h"

namespace pawsight::engine {
namespace {

/// What the older form begins with: the pickled integers 0x1950a86a20f9469cfc6c and 1001.
constexpr uint8_t kMagic[] = {0x80, 2, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, '.'};
constexpr uint8_t kProtocol[] = {0x80, 2, 'M', 0xE9, 3, '.'};

using NamedTensors = std::vector<std::pair<std::string, PickledTensor>>;

Status Invalid(const std::string& message) { return InvalidArgument("checkpoint: " + message, "checkpoint_invalid"); }

/// A storage's bytes by its key.
using StorageMap = std::map<std::string, std::span<const uint8_t>, std::less<>>;

/// The tensors as views into their storages, whose sizes must be what the pickle says.
Result<TensorMap> Resolve(const NamedTensors& pickled, const StorageMap& storages) {
  TensorMap tensors;
  for (const auto& [name, tensor] : pickled) {
    const auto found = storages.find(tensor.storage.key);
    if (found == storages.end()) {
      return Invalid("tensor `" + name + "` lies in storage " + JsonQuote(tensor.storage.key.substr(0, 80)) +
                     ", which is not there");
    }
    const size_t element = ElementBytes(tensor.storage.dtype);
    const size_t storage_bytes = static_cast<size_t>(tensor.storage.num_elements) * element;
    if (found->second.size() != storage_bytes) {
      return Invalid("storage " + JsonQuote(tensor.storage.key.substr(0, 80)) + " of tensor `" + name + "` has " +
                     std::to_string(found->second.size()) + " bytes, want " + std::to_string(storage_bytes));
    }
    TensorView view{tensor.storage.dtype, tensor.shape, {}};
    view.bytes = found->second.subspan(static_cast<size_t>(tensor.offset) * element,
                                       static_cast<size_t>(view.num_elements()) * element);
    tensors.emplace(name, std::move(view));
  }
  return tensors;
}

/// At most `limit` bytes of `from`, copied: a pickle is read byte by byte, which a vanishing page must not interrupt.
Result<std::vector<uint8_t>> Head(std::span<const uint8_t> from, size_t limit) {
  std::vector<uint8_t> copy(std::min(from.size(), limit));
  PAWSIGHT_RETURN_IF_ERROR(CopyMapped(from.first(copy.size()), copy));
  return copy;
}

/// `x/data.pkl`, `x/data/KEY` for each storage, and perhaps `x/byteorder`, where x is any folder.
Result<TensorMap> ReadZipForm(std::span<const uint8_t> file) {
  PAWSIGHT_ASSIGN_OR_RETURN(const auto files, ReadZipDirectory(file));
  constexpr std::string_view kPickle = "data.pkl";
  std::string folder;
  const std::span<const uint8_t>* pickle = nullptr;
  for (const auto& [name, bytes] : files) {
    const size_t slash = name.find('/');
    if (slash == std::string::npos || name.substr(slash + 1) != kPickle) continue;
    if (pickle != nullptr) return Invalid("two data.pkl");
    pickle = &bytes;
    folder = name.substr(0, slash + 1);
  }
  if (pickle == nullptr) return Invalid("no data.pkl in the archive; want one written by torch.save");
  if (files.contains(folder + "constants.pkl")) {
    return Unimplemented(
        "checkpoint: this is a TorchScript archive; want the dictionary of tensors that torch.save("
        "model.state_dict()) writes");
  }
  if (const auto order = files.find(folder + "byteorder"); order != files.end()) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> text, Head(order->second, 16));
    if (std::string(text.begin(), text.end()) != "little") {
      return Unimplemented("checkpoint: it was written on a big-endian machine");
    }
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> code, Head(*pickle, kMaxPickleBytes));
  PAWSIGHT_ASSIGN_OR_RETURN(const NamedTensors tensors, ReadTensorPickle(code));
  StorageMap storages;
  const std::string prefix = folder + "data/";
  for (const auto& [name, bytes] : files) {
    if (name.starts_with(prefix)) storages.emplace(name.substr(prefix.size()), bytes);
  }
  return Resolve(tensors, storages);
}

/// The storages behind the pickles: for each key its number of elements in 8 bytes, then the elements. How long an
/// element is only the tensors tell.
Result<StorageMap> ReadStorages(std::span<const uint8_t> file, const std::vector<std::string>& keys,
                                const NamedTensors& tensors) {
  std::map<std::string_view, const PickledStorage*> declared;
  for (const auto& [name, tensor] : tensors) {
    const auto [it, fresh] = declared.emplace(tensor.storage.key, &tensor.storage);
    if (!fresh &&
        (it->second->dtype != tensor.storage.dtype || it->second->num_elements != tensor.storage.num_elements)) {
      return Invalid("storage " + JsonQuote(tensor.storage.key.substr(0, 80)) + " has two types or sizes");
    }
  }
  StorageMap storages;
  for (const std::string& key : keys) {
    const auto it = declared.find(key);
    if (it == declared.end()) return Invalid("a storage that no tensor uses");
    const PickledStorage& storage = *it->second;
    if (file.size() < 8) return Invalid("it is cut short");
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> raw, Head(file, 8));
    uint64_t count = 0;
    for (size_t i = 0; i < raw.size(); ++i) count |= static_cast<uint64_t>(raw[i]) << (8 * i);
    if (count != static_cast<uint64_t>(storage.num_elements)) {
      return Invalid("a storage of " + std::to_string(count) + " elements, want " +
                     std::to_string(storage.num_elements));
    }
    const size_t bytes = static_cast<size_t>(count) * ElementBytes(storage.dtype);
    if (bytes > file.size() - 8) return Invalid("it is cut short");
    if (!storages.emplace(key, file.subspan(8, bytes)).second) return Invalid("a storage key stands twice");
    file = file.subspan(8 + bytes);
  }
  if (!file.empty()) return Invalid(std::to_string(file.size()) + " bytes behind the last storage");
  return storages;
}

/// Five pickles (magic number, protocol, system, tensors, storage keys), then the storages in the order of the keys.
Result<TensorMap> ReadOlderForm(std::span<const uint8_t> file) {
  file = file.subspan(sizeof kMagic);
  PAWSIGHT_ASSIGN_OR_RETURN(std::vector<uint8_t> code, Head(file, sizeof kProtocol));
  if (!std::equal(code.begin(), code.end(), std::begin(kProtocol), std::end(kProtocol))) {
    return Invalid("another protocol than 1001 of the older form");
  }
  file = file.subspan(sizeof kProtocol);
  size_t used = 0;
  PAWSIGHT_ASSIGN_OR_RETURN(code, Head(file, kMaxPickleBytes));
  PAWSIGHT_RETURN_IF_ERROR(SkipSystemPickle(code, &used));
  file = file.subspan(used);
  PAWSIGHT_ASSIGN_OR_RETURN(code, Head(file, kMaxPickleBytes));
  PAWSIGHT_ASSIGN_OR_RETURN(const NamedTensors tensors, ReadTensorPickle(code, &used));
  file = file.subspan(used);
  PAWSIGHT_ASSIGN_OR_RETURN(code, Head(file, kMaxPickleBytes));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<std::string> keys, ReadStringListPickle(code, &used));
  PAWSIGHT_ASSIGN_OR_RETURN(const StorageMap storages, ReadStorages(file.subspan(used), keys, tensors));
  return Resolve(tensors, storages);
}

}  // namespace

Result<TensorMap> ReadCheckpoint(std::span<const uint8_t> file) {
  if (LooksLikeZip(file)) return ReadZipForm(file);
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> start, Head(file, sizeof kMagic));
  if (std::equal(start.begin(), start.end(), std::begin(kMagic), std::end(kMagic))) return ReadOlderForm(file);
  // A bare pickle is neither form, but what it would have done is worth a name.
  if (!start.empty() && start[0] == 0x80) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> code, Head(file, kMaxPickleBytes));
    if (const auto bare = ReadTensorPickle(code); !bare.ok()) return bare.status();
  }
  return Invalid("neither a ZIP archive nor the older form of torch.save");
}

}  // namespace pawsight::engine
