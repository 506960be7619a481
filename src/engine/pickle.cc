#include "engine/pickle.h"

#include <cstdio>
#include <optional>
#include <set>

#include "engine/pickle_opcodes.h"
#include "engine/safetensors.h"

namespace pawsight::engine {
namespace {

constexpr size_t kMaxValues = 500000;
constexpr size_t kMaxStack = 100000;
constexpr size_t kMaxTextBytes = 4096;
constexpr int kMaxProtocol = 5;

constexpr std::string_view kOrderedDict = "collections.OrderedDict";
constexpr std::string_view kRebuildTensor = "torch._utils._rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils._rebuild_parameter";

struct StorageName {
  std::string_view name;
  DType dtype;
};
constexpr StorageName kStorages[] = {
    {"torch.FloatStorage", DType::kF32}, {"torch.HalfStorage", DType::kF16},  {"torch.BFloat16Storage", DType::kBF16},
    {"torch.DoubleStorage", DType::kF64}, {"torch.LongStorage", DType::kI64},  {"torch.IntStorage", DType::kI32},
    {"torch.ShortStorage", DType::kI16},  {"torch.CharStorage", DType::kI8},   {"torch.ByteStorage", DType::kU8},
    {"torch.BoolStorage", DType::kBool},
};

std::optional<DType> StorageDType(std::string_view name) {
  for (const StorageName& storage : kStorages) {
    if (storage.name == name) return storage.dtype;
  }
  return std::nullopt;
}

/// At most 80 characters; what is not printable ASCII shows as "?".
std::string Printable(std::string_view text) {
  std::string out(text.substr(0, 80));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7E) c = '?';
  }
  return out;
}

Status Invalid(const std::string& message) { return InvalidArgument("pickle: " + message, "checkpoint_invalid"); }
Status Unsafe(const std::string& message) {
  return InvalidArgument("pickle " + message + ": a checkpoint may hold tensors and nothing else", "checkpoint_unsafe");
}

enum class Kind { kNone, kBool, kInteger, kText, kGlobal, kTuple, kList, kDict, kStorage, kTensor };

/// Values refer to each other by index into Machine::values_, so a pickle that shares or nests them costs nothing extra.
struct Value {
  Kind kind = Kind::kNone;
  int64_t integer = 0;            // kBool, kInteger; index into storages or tensors
  std::string text;               // kText, kGlobal ("module.name")
  std::vector<uint32_t> items;    // kTuple, kList; kDict: key, value, key, value...
};

class Machine {
 public:
  explicit Machine(std::span<const uint8_t> code) : code_(code) {}

  /// Runs to STOP. The result is root().
  Status Run();
  size_t used() const { return at_; }
  const Value& root() const { return values_[root_]; }
  const Value& at(uint32_t idx) const { return values_[idx]; }
  const PickledTensor& tensor(const Value& value) const { return tensors_[static_cast<size_t>(value.integer)]; }

 private:
  Status Step(uint8_t op);
  Status StepValue(uint8_t op);
  Status StepContainer(uint8_t op);
  Status StepMemo(uint8_t op);

  Status NotAllowed(uint8_t op) const;
  Result<uint64_t> ReadUnsigned(size_t bytes);
  Result<std::string> ReadText(size_t length_bytes);
  Result<std::string> ReadLine();

  Status Push(Value value);
  Status PushRef(uint32_t idx);
  Status PushInteger(int64_t value);
  /// The top value, taken off. Never takes what lies below the innermost mark.
  Result<uint32_t> Pop();
  Result<std::vector<uint32_t>> PopToMark();
  Result<Value*> TopOf(Kind kind, const char* wanted);

  Status ReadLong(size_t bytes);
  Status MakeTuple(size_t count);
  Status AddItems(const std::vector<uint32_t>& items);
  Status Remember(uint64_t slot);
  Status Recall(uint64_t slot);
  Status PushGlobal(const std::string& module, const std::string& name);
  Status PushStackGlobal();
  Status LoadStorage();
  Status Call();
  Status RebuildTensor(const Value& arguments);
  Status RebuildParameter(const Value& arguments);
  Status SetState();
  Result<std::vector<int64_t>> Integers(uint32_t idx, const char* what) const;
  bool IsEmptyDict(uint32_t idx) const { return at(idx).kind == Kind::kDict && at(idx).items.empty(); }

  std::span<const uint8_t> code_;
  size_t at_ = 0;
  std::vector<Value> values_;
  std::vector<uint32_t> stack_;
  std::vector<size_t> marks_;  // stack depths
  std::vector<std::optional<uint32_t>> memo_;
  std::vector<PickledStorage> storages_;
  std::vector<PickledTensor> tensors_;
  uint32_t root_ = 0;
};

Status Machine::Run() {
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t op, ReadUnsigned(1));
    if (op == kOpStop) break;
    PAWSIGHT_RETURN_IF_ERROR(Step(static_cast<uint8_t>(op)));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(root_, Pop());
  if (!stack_.empty() || !marks_.empty()) return Invalid("values are left over at its end");
  return Ok();
}

Status Machine::Step(uint8_t op) {
  switch (op) {
    case kOpProto: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t protocol, ReadUnsigned(1));
      if (protocol > kMaxProtocol) return Invalid("protocol " + std::to_string(protocol) + " is not known");
      return Ok();
    }
    case kOpFrame: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t bytes, ReadUnsigned(8));
      return bytes <= code_.size() - at_ ? Ok() : Invalid("it is cut short inside a frame");
    }
    case kOpGlobal: {
      PAWSIGHT_ASSIGN_OR_RETURN(const std::string module, ReadLine());
      PAWSIGHT_ASSIGN_OR_RETURN(const std::string name, ReadLine());
      return PushGlobal(module, name);
    }
    case kOpStackGlobal: return PushStackGlobal();
    case kOpBinPersId: return LoadStorage();
    case kOpReduce: return Call();
    case kOpBuild: return SetState();
    case kOpBinPut:
    case kOpLongBinPut:
    case kOpMemoize:
    case kOpBinGet:
    case kOpLongBinGet: return StepMemo(op);
    case kOpMark:
    case kOpTuple:
    case kOpTuple1:
    case kOpTuple2:
    case kOpTuple3:
    case kOpAppend:
    case kOpAppends:
    case kOpSetItem:
    case kOpSetItems: return StepContainer(op);
    default: return StepValue(op);
  }
}

Status Machine::StepValue(uint8_t op) {
  switch (op) {
    case kOpNone: return Push({});
    case kOpNewTrue:
    case kOpNewFalse: return Push({.kind = Kind::kBool, .integer = op == kOpNewTrue ? 1 : 0, .text = {}, .items = {}});
    case kOpEmptyTuple: return Push({.kind = Kind::kTuple, .integer = 0, .text = {}, .items = {}});
    case kOpEmptyList: return Push({.kind = Kind::kList, .integer = 0, .text = {}, .items = {}});
    case kOpEmptyDict: return Push({.kind = Kind::kDict, .integer = 0, .text = {}, .items = {}});
    case kOpBinInt1:
    case kOpBinInt2: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t value, ReadUnsigned(op == kOpBinInt1 ? 1 : 2));
      return PushInteger(static_cast<int64_t>(value));
    }
    case kOpBinInt: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t value, ReadUnsigned(4));
      return PushInteger(static_cast<int32_t>(static_cast<uint32_t>(value)));
    }
    case kOpLong1: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t bytes, ReadUnsigned(1));
      return ReadLong(static_cast<size_t>(bytes));
    }
    case kOpBinUnicode:
    case kOpShortBinUnicode: {
      PAWSIGHT_ASSIGN_OR_RETURN(std::string text, ReadText(op == kOpBinUnicode ? 4 : 1));
      return Push({.kind = Kind::kText, .integer = 0, .text = std::move(text), .items = {}});
    }
    default: return NotAllowed(op);
  }
}

Status Machine::StepContainer(uint8_t op) {
  switch (op) {
    case kOpMark:
      if (marks_.size() >= kMaxStack) return Invalid("too many marks");
      marks_.push_back(stack_.size());
      return Ok();
    case kOpTuple: {
      PAWSIGHT_ASSIGN_OR_RETURN(std::vector<uint32_t> items, PopToMark());
      return Push({.kind = Kind::kTuple, .integer = 0, .text = {}, .items = std::move(items)});
    }
    case kOpTuple1: return MakeTuple(1);
    case kOpTuple2: return MakeTuple(2);
    case kOpTuple3: return MakeTuple(3);
    case kOpAppend: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t item, Pop());
      PAWSIGHT_ASSIGN_OR_RETURN(Value* list, TopOf(Kind::kList, "a list to append to"));
      list->items.push_back(item);
      return Ok();
    }
    case kOpAppends: {
      PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint32_t> items, PopToMark());
      PAWSIGHT_ASSIGN_OR_RETURN(Value* list, TopOf(Kind::kList, "a list to append to"));
      list->items.insert(list->items.end(), items.begin(), items.end());
      return Ok();
    }
    case kOpSetItem: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t value, Pop());
      PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t key, Pop());
      return AddItems({key, value});
    }
    case kOpSetItems: {
      PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint32_t> items, PopToMark());
      return AddItems(items);
    }
    default: return NotAllowed(op);
  }
}

Status Machine::StepMemo(uint8_t op) {
  switch (op) {
    case kOpMemoize: return Remember(memo_.size());
    case kOpBinPut:
    case kOpLongBinPut: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t slot, ReadUnsigned(op == kOpBinPut ? 1 : 4));
      return Remember(slot);
    }
    case kOpBinGet:
    case kOpLongBinGet: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t slot, ReadUnsigned(op == kOpBinGet ? 1 : 4));
      return Recall(slot);
    }
    default: return NotAllowed(op);
  }
}

Status Machine::NotAllowed(uint8_t op) const {
  char hex[8];
  std::snprintf(hex, sizeof hex, "0x%02x", static_cast<unsigned>(op));
  return Unsafe("instruction " + std::string(OpcodeName(op)) + " (" + hex + ") at byte " + std::to_string(at_ - 1) +
                " is not allowed");
}

Result<uint64_t> Machine::ReadUnsigned(size_t bytes) {
  if (bytes > code_.size() - at_) return Invalid("it is cut short");
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(code_[at_ + i]) << (8 * i);
  at_ += bytes;
  return value;
}

Result<std::string> Machine::ReadText(size_t length_bytes) {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t length, ReadUnsigned(length_bytes));
  if (length > code_.size() - at_) return Invalid("it is cut short inside a string");
  if (length > kMaxTextBytes) return Invalid("a string of " + std::to_string(length) + " bytes");
  std::string text(reinterpret_cast<const char*>(code_.data()) + at_, static_cast<size_t>(length));
  at_ += text.size();
  return text;
}

Result<std::string> Machine::ReadLine() {
  std::string line;
  while (line.size() <= kMaxTextBytes) {
    PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t byte, ReadUnsigned(1));
    if (byte == '\n') return line;
    line += static_cast<char>(byte);
  }
  return Invalid("a name of more than " + std::to_string(kMaxTextBytes) + " bytes");
}

Status Machine::Push(Value value) {
  if (values_.size() >= kMaxValues) return Invalid("more than " + std::to_string(kMaxValues) + " values");
  values_.push_back(std::move(value));
  return PushRef(static_cast<uint32_t>(values_.size() - 1));
}

Status Machine::PushRef(uint32_t idx) {
  if (stack_.size() >= kMaxStack) return Invalid("more than " + std::to_string(kMaxStack) + " values on its stack");
  stack_.push_back(idx);
  return Ok();
}

Status Machine::PushInteger(int64_t value) {
  return Push({.kind = Kind::kInteger, .integer = value, .text = {}, .items = {}});
}

Result<uint32_t> Machine::Pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) return Invalid("it takes from an empty stack");
  const uint32_t top = stack_.back();
  stack_.pop_back();
  return top;
}

Result<std::vector<uint32_t>> Machine::PopToMark() {
  if (marks_.empty()) return Invalid("a mark is missing");
  const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<uint32_t> items(from, stack_.end());
  stack_.erase(from, stack_.end());
  marks_.pop_back();
  return items;
}

Result<Value*> Machine::TopOf(Kind kind, const char* wanted) {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()) || at(stack_.back()).kind != kind) {
    return Invalid("want " + std::string(wanted));
  }
  return &values_[stack_.back()];
}

Status Machine::ReadLong(size_t bytes) {
  if (bytes > 8) return Invalid("an integer of " + std::to_string(bytes) + " bytes");
  PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t raw, ReadUnsigned(bytes));
  if (bytes == 0 || bytes == 8) return PushInteger(static_cast<int64_t>(raw));
  const uint64_t sign = uint64_t{1} << (8 * bytes - 1);
  return PushInteger(static_cast<int64_t>((raw ^ sign) - sign));
}

Status Machine::MakeTuple(size_t count) {
  std::vector<uint32_t> items(count);
  for (size_t i = count; i-- > 0;) {
    PAWSIGHT_ASSIGN_OR_RETURN(items[i], Pop());
  }
  return Push({.kind = Kind::kTuple, .integer = 0, .text = {}, .items = std::move(items)});
}

Status Machine::AddItems(const std::vector<uint32_t>& items) {
  if (items.size() % 2 != 0) return Invalid("a key without a value");
  PAWSIGHT_ASSIGN_OR_RETURN(Value* dict, TopOf(Kind::kDict, "a dictionary to add to"));
  dict->items.insert(dict->items.end(), items.begin(), items.end());
  return Ok();
}

Status Machine::Remember(uint64_t slot) {
  if (slot >= kMaxValues) return Invalid("memo slot " + std::to_string(slot));
  if (stack_.empty()) return Invalid("it takes from an empty stack");
  if (slot >= memo_.size()) memo_.resize(static_cast<size_t>(slot) + 1);
  memo_[static_cast<size_t>(slot)] = stack_.back();
  return Ok();
}

Status Machine::Recall(uint64_t slot) {
  if (slot >= memo_.size() || !memo_[static_cast<size_t>(slot)].has_value()) {
    return Invalid("memo slot " + std::to_string(slot) + " is empty");
  }
  return PushRef(*memo_[static_cast<size_t>(slot)]);
}

Status Machine::PushGlobal(const std::string& module, const std::string& name) {
  std::string global = module + "." + name;
  if (global != kOrderedDict && global != kRebuildTensor && global != kRebuildParameter &&
      !StorageDType(global).has_value()) {
    return Unsafe("global `" + Printable(global) + "` is not allowed");
  }
  return Push({.kind = Kind::kGlobal, .integer = 0, .text = std::move(global), .items = {}});
}

Status Machine::PushStackGlobal() {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t name, Pop());
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t module, Pop());
  if (at(name).kind != Kind::kText || at(module).kind != Kind::kText) return Invalid("a global's name is no string");
  return PushGlobal(at(module).text, at(name).text);
}

/// ("storage", torch.FloatStorage, key, place, number of elements[, None]).
Status Machine::LoadStorage() {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t idx, Pop());
  const Value& id = at(idx);
  if (id.kind != Kind::kTuple || id.items.empty() || at(id.items[0]).kind != Kind::kText) {
    return Invalid("a persistent id that is no storage");
  }
  const std::string& what = at(id.items[0]).text;
  if (what != "storage") return Unsafe("persistent id `" + Printable(what) + "` is not allowed");
  if ((id.items.size() != 5 && id.items.size() != 6) || at(id.items[1]).kind != Kind::kGlobal ||
      at(id.items[2]).kind != Kind::kText || at(id.items[3]).kind != Kind::kText ||
      at(id.items[4]).kind != Kind::kInteger) {
    return Invalid("a storage of another layout");
  }
  if (id.items.size() == 6 && at(id.items[5]).kind != Kind::kNone) {
    return Unimplemented("pickle: a storage that is a view of another storage; save the checkpoint again with PyTorch 1.6"
                         " or newer");
  }
  const std::optional<DType> dtype = StorageDType(at(id.items[1]).text);
  if (!dtype.has_value()) return Invalid("a storage of type `" + Printable(at(id.items[1]).text) + "`");
  const int64_t num_elements = at(id.items[4]).integer;
  if (const Result<int64_t> bytes = CheckedBytes({&num_elements, 1}, *dtype); !bytes.ok()) {
    return Invalid("a storage: " + bytes.status().message());
  }
  storages_.push_back({*dtype, at(id.items[2]).text, num_elements});
  return Push({.kind = Kind::kStorage, .integer = static_cast<int64_t>(storages_.size() - 1), .text = {}, .items = {}});
}

Status Machine::Call() {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t arguments_idx, Pop());
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t callee_idx, Pop());
  const Value& arguments = at(arguments_idx);
  const Value& callee = at(callee_idx);
  if (callee.kind != Kind::kGlobal || arguments.kind != Kind::kTuple) return Invalid("a call of what is no function");
  if (callee.text == kRebuildTensor) return RebuildTensor(arguments);
  if (callee.text == kRebuildParameter) return RebuildParameter(arguments);
  if (callee.text == kOrderedDict && arguments.items.empty()) {
    return Push({.kind = Kind::kDict, .integer = 0, .text = {}, .items = {}});
  }
  return Unsafe("call of `" + callee.text + "` with " + std::to_string(arguments.items.size()) +
                " arguments is not allowed");
}

Result<std::vector<int64_t>> Machine::Integers(uint32_t idx, const char* what) const {
  const Value& tuple = at(idx);
  if (tuple.kind != Kind::kTuple) return Invalid(std::string("a tensor's ") + what + " is no tuple");
  if (tuple.items.size() > 8) return Invalid("a tensor of more than 8 dimensions");
  std::vector<int64_t> integers;
  for (const uint32_t item : tuple.items) {
    if (at(item).kind != Kind::kInteger) return Invalid(std::string("a tensor's ") + what + " holds no integers");
    integers.push_back(at(item).integer);
  }
  return integers;
}

/// (storage, offset, shape, strides, requires_grad, hooks[, metadata]).
Status Machine::RebuildTensor(const Value& arguments) {
  const std::vector<uint32_t>& a = arguments.items;
  if ((a.size() != 6 && a.size() != 7) || at(a[0]).kind != Kind::kStorage || at(a[1]).kind != Kind::kInteger ||
      at(a[4]).kind != Kind::kBool || !IsEmptyDict(a[5]) ||
      (a.size() == 7 && at(a[6]).kind != Kind::kNone && !IsEmptyDict(a[6]))) {
    return Invalid("a tensor of another layout than _rebuild_tensor_v2's");
  }
  PickledTensor tensor;
  tensor.storage = storages_[static_cast<size_t>(at(a[0]).integer)];
  tensor.offset = at(a[1]).integer;
  PAWSIGHT_ASSIGN_OR_RETURN(tensor.shape, Integers(a[2], "shape"));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<int64_t> strides, Integers(a[3], "strides"));
  if (strides.size() != tensor.shape.size()) return Invalid("a tensor with more or fewer strides than dimensions");
  const Result<int64_t> bytes = CheckedBytes(tensor.shape, tensor.storage.dtype);
  if (!bytes.ok()) return Invalid("a tensor: " + bytes.status().message());
  const int64_t num_elements = *bytes / static_cast<int64_t>(ElementBytes(tensor.storage.dtype));
  if (tensor.offset < 0 || tensor.offset > tensor.storage.num_elements ||
      num_elements > tensor.storage.num_elements - tensor.offset) {
    return Invalid("a tensor " + ShapeText(tensor.shape) + " at " + std::to_string(tensor.offset) +
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
  tensors_.push_back(std::move(tensor));
  return Push({.kind = Kind::kTensor, .integer = static_cast<int64_t>(tensors_.size() - 1), .text = {}, .items = {}});
}

/// (tensor, requires_grad, hooks).
Status Machine::RebuildParameter(const Value& arguments) {
  const std::vector<uint32_t>& a = arguments.items;
  if (a.size() != 3 || at(a[0]).kind != Kind::kTensor || at(a[1]).kind != Kind::kBool || !IsEmptyDict(a[2])) {
    return Invalid("a parameter of another layout than _rebuild_parameter's");
  }
  return PushRef(a[0]);
}

/// torch.nn.Module.state_dict puts `_metadata` on its OrderedDict; it says nothing about tensors.
Status Machine::SetState() {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t state, Pop());
  const Result<Value*> target = TopOf(Kind::kDict, "a dictionary to describe");
  if (!target.ok() || at(state).kind != Kind::kDict) return Unsafe("BUILD of anything but a dictionary is not allowed");
  return Ok();
}

Result<Machine> RunMachine(std::span<const uint8_t> pickle, size_t* used) {
  if (pickle.size() > kMaxPickleBytes) pickle = pickle.first(kMaxPickleBytes);
  Machine machine(pickle);
  const Status status = machine.Run();
  if (!status.ok()) {
    if (machine.used() < kMaxPickleBytes) return status;
    return Invalid("it has more than " + std::to_string(kMaxPickleBytes) + " bytes");
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
  PAWSIGHT_ASSIGN_OR_RETURN(const Machine machine, RunMachine(pickle, used));
  const Value& root = machine.root();
  if (root.kind != Kind::kDict) return Invalid("it holds no dictionary of tensors");
  if (root.items.size() / 2 > kMaxTensors) return Invalid("more than " + std::to_string(kMaxTensors) + " tensors");
  std::vector<std::pair<std::string, PickledTensor>> tensors;
  std::set<std::string_view> seen;
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const Value& key = machine.at(root.items[i]);
    const Value& value = machine.at(root.items[i + 1]);
    if (key.kind != Kind::kText || !IsTensorName(key.text)) return Invalid("a key that is no tensor name");
    if (value.kind != Kind::kTensor) {
      return Invalid("`" + Printable(key.text) + "` is no tensor; want the plain dictionary that state_dict() gives");
    }
    if (!seen.insert(key.text).second) return Invalid("tensor `" + Printable(key.text) + "` stands twice");
    tensors.emplace_back(key.text, machine.tensor(value));
  }
  return tensors;
}

Result<std::vector<std::string>> ReadStringListPickle(std::span<const uint8_t> pickle, size_t* used) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Machine machine, RunMachine(pickle, used));
  if (machine.root().kind != Kind::kList) return Invalid("want the list of storage keys");
  std::vector<std::string> strings;
  for (const uint32_t item : machine.root().items) {
    if (machine.at(item).kind != Kind::kText) return Invalid("a storage key that is no string");
    strings.push_back(machine.at(item).text);
  }
  return strings;
}

Status SkipSystemPickle(std::span<const uint8_t> pickle, size_t* used) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Machine machine, RunMachine(pickle, used));
  const Value& root = machine.root();
  if (root.kind != Kind::kDict) return Invalid("want the dictionary that describes the system");
  for (size_t i = 0; i + 1 < root.items.size(); i += 2) {
    const Value& key = machine.at(root.items[i]);
    const Value& value = machine.at(root.items[i + 1]);
    if (key.kind == Kind::kText && key.text == "little_endian" && value.kind == Kind::kBool && value.integer == 0) {
      return Unimplemented("pickle: the checkpoint was written on a big-endian machine");
    }
  }
  return Ok();
}

}  // namespace pawsight::engine
