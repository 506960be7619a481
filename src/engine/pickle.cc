#include "engine/pickle.h"

#include <set>

#include "engine/pickle_machine.h"
#include "engine/safetensors.h"

namespace pawsight::engine {
namespace {

Result<PickleMachine> RunMachine(std::span<const uint8_t> pickle, size_t* used) {
  if (pickle.size() > kMaxPickleBytes) pickle = pickle.first(kMaxPickleBytes);
  PickleMachine machine(pickle);
  const Status status = machine.Run();
  if (!status.ok()) {
    if (machine.used() < kMaxPickleBytes) return status;
    return InvalidPickle("it has more than " + std::to_string(kMaxPickleBytes) + " bytes");
  }
  if (used != nullptr) *used = machine.used();
  return machine;
}

bool IsTensorName(std::string_view name) {
  if (name.empty() || name.size() > kMaxTensorNameBytes) return false;
  for (const char c : name) {
    if (c <= 0x20 || c > 0x7E) return false;
  }
  return true;
}

}  // namespace

Result<std::vector<std::pair<std::string, PickledTensor>>> ReadTensorPickle(std::span<const uint8_t> pickle,
                                                                            size_t* used) {
  PAWSIGHT_ASSIGN_OR_RETURN(const PickleMachine machine, RunMachine(pickle, used));
  const PickleValue& root = machine.root();
  if (root.kind != PickleKind::kDict) return InvalidPickle("it holds no dictionary of tensors");
  if (root.items.size() / 2 > kMaxTensors)
    return InvalidPickle("more than " + std::to_string(kMaxTensors) + " tensors");
  std::vector<std::pair<std::string, PickledTensor>> tensors;
  std::set<std::string_view> seen;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleValue& key = machine.at(root.items[i]);
    const PickleValue& value = machine.at(root.items[i + 1]);
    if (key.kind != PickleKind::kText || !IsTensorName(key.text)) return InvalidPickle("a key that is no tensor name");
    if (value.kind != PickleKind::kTensor) {
      return InvalidPickle("`" + PrintablePickle(key.text) +
                           "` is no tensor; want the plain dictionary that state_dict() gives");
    }
    if (!seen.insert(key.text).second) return InvalidPickle("tensor `" + PrintablePickle(key.text) + "` stands twice");
    tensors.emplace_back(key.text, machine.tensor(value));
  }
  return tensors;
}

Result<std::vector<std::string>> ReadStringListPickle(std::span<const uint8_t> pickle, size_t* used) {
  PAWSIGHT_ASSIGN_OR_RETURN(const PickleMachine machine, RunMachine(pickle, used));
  if (machine.root().kind != PickleKind::kList) return InvalidPickle("want the list of storage keys");
  std::vector<std::string> strings;
  for (const uint32_t item : machine.root().items) {
    if (machine.at(item).kind != PickleKind::kText) return InvalidPickle("a storage key that is no string");
    strings.push_back(machine.at(item).text);
  }
  return strings;
}

Status SkipSystemPickle(std::span<const uint8_t> pickle, size_t* used) {
  PAWSIGHT_ASSIGN_OR_RETURN(const PickleMachine machine, RunMachine(pickle, used));
  const PickleValue& root = machine.root();
  if (root.kind != PickleKind::kDict) return InvalidPickle("want the dictionary that describes the system");
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const PickleValue& key = machine.at(root.items[i]);
    const PickleValue& value = machine.at(root.items[i + 1]);
    if (key.kind == PickleKind::kText && key.text == "little_endian" && value.kind == PickleKind::kBool &&
        value.integer == 0) {
      return Unimplemented("pickle: the checkpoint was written on a big-endian machine");
    }
  }
  return Ok();
}

}  // namespace pawsight::engine
