// The values that a dictionary of tensors makes by calling: what torch.save writes, and not one name more.
#include <optional>
#include <utility>

#include "engine/pickle_machine.h"
#include "engine/safetensors.h"

namespace pawsight::engine {
namespace {

constexpr size_t kMaxKeyBytes = 64;
constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";

struct StorageName {
  std::string_view name;
  DType dtype;
};
constexpr StorageName kStorages[] = {
    {"torch.FloatStorage", DType::kF32},  {"torch.HalfStorage", DType::kF16}, {"torch.BFloat16Storage", DType::kBF16},
    {"torch.DoubleStorage", DType::kF64}, {"torch.LongStorage", DType::kI64}, {"torch.IntStorage", DType::kI32},
    {"torch.ShortStorage", DType::kI16},  {"torch.CharStorage", DType::kI8},  {"torch.ByteStorage", DType::kU8},
    {"torch.BoolStorage", DType::kBool},
};

std::optional<DType> StorageDType(std::string_view name) {
  for (const StorageName& storage : kStorages) {
    if (storage.name == name) return storage.dtype;
  }
  return std::nullopt;
}

}  // namespace

Status InvalidPickle(const std::string& message) { return InvalidArgument("pickle: " + message, "checkpoint_invalid"); }
Status UnsafePickle(const std::string& message) {
  return InvalidArgument("pickle " + message + ": a checkpoint may hold tensors and nothing else", "checkpoint_unsafe");
}

/// At most 80 characters; what is not printable ASCII shows as "?".
std::string PrintablePickle(std::string_view text) {
  std::string out(text.substr(0, 80));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7E) c = '?';
  }
  return out;
}

Status PickleMachine::PushGlobal(const std::string& module, const std::string& name) {
  std::string global = module + "." + name;
  if (global != kOrderedDict && global != kRebuildTensor && global != kRebuildParameter &&
      !StorageDType(global).has_value()) {
    return UnsafePickle("global `" + PrintablePickle(global) + "` is not allowed");
  }
  return Push({.kind = PickleKind::kGlobal, .integer = 0, .text = std::move(global), .items = {}});
}

Status PickleMachine::PushStackGlobal() {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t name, Pop());
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t module, Pop());
  if (at(name).kind != PickleKind::kText || at(module).kind != PickleKind::kText)
    return InvalidPickle("a global's name is no string");
  return PushGlobal(at(module).text, at(name).text);
}

/// ("storage", torch.FloatStorage, key, place, number of elements[, None]).
Status PickleMachine::LoadStorage() {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t idx, Pop());
  const PickleValue& id = at(idx);
  if (id.kind != PickleKind::kTuple || id.items.empty() || at(id.items[0]).kind != PickleKind::kText) {
    return InvalidPickle("a persistent id that is no storage");
  }
  const std::string& what = at(id.items[0]).text;
  if (what != "storage") return UnsafePickle("persistent id `" + PrintablePickle(what) + "` is not allowed");
  if ((id.items.size() != 5 && id.items.size() != 6) || at(id.items[1]).kind != PickleKind::kGlobal ||
      at(id.items[2]).kind != PickleKind::kText || at(id.items[3]).kind != PickleKind::kText ||
      at(id.items[4]).kind != PickleKind::kInteger) {
    return InvalidPickle("a storage of another layout");
  }
  if (id.items.size() == 6 && at(id.items[5]).kind != PickleKind::kNone) {
    return Unimplemented(
        "pickle: a storage that is a view of another storage; save the checkpoint again with PyTorch 1.6"
        " or newer");
  }
  const std::optional<DType> dtype = StorageDType(at(id.items[1]).text);
  if (!dtype.has_value()) return InvalidPickle("a storage of type `" + PrintablePickle(at(id.items[1]).text) + "`");
  const int64_t num_elements = at(id.items[4]).integer;
  if (const Result<int64_t> bytes = CheckedBytes({&num_elements, 1}, *dtype); !bytes.ok()) {
    return InvalidPickle("a storage: " + bytes.status().message());
  }
  if (at(id.items[2]).text.size() > kMaxKeyBytes) return InvalidPickle("a storage key of more than 64 bytes");
  if (storages_.size() == kMaxTensors) return InvalidPickle("more than " + std::to_string(kMaxTensors) + " storages");
  storages_.push_back({*dtype, at(id.items[2]).text, num_elements});
  return Push(
      {.kind = PickleKind::kStorage, .integer = static_cast<int64_t>(storages_.size() - 1), .text = {}, .items = {}});
}

Status PickleMachine::Call() {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t arguments_idx, Pop());
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t callee_idx, Pop());
  const PickleValue& arguments = at(arguments_idx);
  const PickleValue& callee = at(callee_idx);
  if (callee.kind != PickleKind::kGlobal || arguments.kind != PickleKind::kTuple)
    return InvalidPickle("a call of what is no function");
  if (callee.text == kRebuildTensor) return RebuildTensor(arguments);
  if (callee.text == kRebuildParameter) return RebuildParameter(arguments);
  if (callee.text == kOrderedDict && arguments.items.empty()) {
    return Push({.kind = PickleKind::kDict, .integer = 0, .text = {}, .items = {}});
  }
  return UnsafePickle("call of `" + callee.text + "` with " + std::to_string(arguments.items.size()) +
                      " arguments is not allowed");
}

Result<std::vector<int64_t>> PickleMachine::Integers(uint32_t idx, const char* what) const {
  const PickleValue& tuple = at(idx);
  if (tuple.kind != PickleKind::kTuple) return InvalidPickle(std::string("a tensor's ") + what + " is no tuple");
  if (tuple.items.size() > 8) return InvalidPickle("a tensor of more than 8 dimensions");
  std::vector<int64_t> integers;
  for (const uint32_t item : tuple.items) {
    if (at(item).kind != PickleKind::kInteger)
      return InvalidPickle(std::string("a tensor's ") + what + " holds no integers");
    integers.push_back(at(item).integer);
  }
  return integers;
}

/// (storage, offset, shape, strides, requires_grad, hooks[, metadata]).
Status PickleMachine::RebuildTensor(const PickleValue& arguments) {
  const std::vector<uint32_t>& a = arguments.items;
  if ((a.size() != 6 && a.size() != 7) || at(a[0]).kind != PickleKind::kStorage ||
      at(a[1]).kind != PickleKind::kInteger || at(a[4]).kind != PickleKind::kBool || !IsEmptyDict(a[5]) ||
      (a.size() == 7 && at(a[6]).kind != PickleKind::kNone && !IsEmptyDict(a[6]))) {
    return InvalidPickle("a tensor of another layout than _rebuild_tensor_v2's");
  }
  PickledTensor tensor;
  tensor.storage = storages_[static_cast<size_t>(at(a[0]).integer)];
  tensor.offset = at(a[1]).integer;
  PAWSIGHT_ASSIGN_OR_RETURN(tensor.shape, Integers(a[2], "shape"));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, Integers(a[3], "strides"));
  if (strides.size() != tensor.shape.size())
    return InvalidPickle("a tensor with more or fewer strides than dimensions");
  const Result<int64_t> bytes = CheckedBytes(tensor.shape, tensor.storage.dtype);
  if (!bytes.ok()) return InvalidPickle("a tensor: " + bytes.status().message());
  const int64_t num_elements = *bytes / static_cast<int64_t>(ElementBytes(tensor.storage.dtype));
  if (tensor.offset < 0 || tensor.offset > tensor.storage.num_elements ||
      num_elements > tensor.storage.num_elements - tensor.offset) {
    return InvalidPickle("a tensor " + ShapeText(tensor.shape) + " at " + std::to_string(tensor.offset) +
                         " lies outside its storage of " + std::to_string(tensor.storage.num_elements));
  }
  int64_t want = 1;
  for (size_t i = strides.size(); i-- > 0 && num_elements > 0;) {
    if (tensor.shape[i] != 1 && strides[i] != want) {
      return Unimplemented("pickle: a tensor " + ShapeText(tensor.shape) + " with strides " + ShapeText(strides) +
                           " is not row-major; save it with .contiguous()");
    }
    want *= tensor.shape[i];
  }
  if (tensors_.size() == kMaxTensors) return InvalidPickle("more than " + std::to_string(kMaxTensors) + " tensors");
  tensors_.push_back(std::move(tensor));
  return Push(
      {.kind = PickleKind::kTensor, .integer = static_cast<int64_t>(tensors_.size() - 1), .text = {}, .items = {}});
}

/// (tensor, requires_grad, hooks).
Status PickleMachine::RebuildParameter(const PickleValue& arguments) {
  const std::vector<uint32_t>& a = arguments.items;
  if (a.size() != 3 || at(a[0]).kind != PickleKind::kTensor || at(a[1]).kind != PickleKind::kBool ||
      !IsEmptyDict(a[2])) {
    return InvalidPickle("a parameter of another layout than _rebuild_parameter's");
  }
  return PushRef(a[0]);
}

/// torch.nn.Module.state_dict puts `_metadata` on its OrderedDict; it says nothing about tensors.
Status PickleMachine::SetState() {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t state, Pop());
  const Result<PickleValue*> target = TopOf(PickleKind::kDict, "a dictionary to describe");
  if (!target.ok() || at(state).kind != PickleKind::kDict)
    return UnsafePickle("BUILD of anything but a dictionary is not allowed");
  return Ok();
}

}  // namespace pawsight::engine
