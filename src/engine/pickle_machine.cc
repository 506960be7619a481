#include "engine/pickle_machine.h"

#include <cstdio>

#include "engine/pickle_opcodes.h"

namespace pawsight::engine {
namespace {

constexpr size_t kMaxValues = 500000;
constexpr size_t kMaxStack = 100000;
constexpr size_t kMaxTextBytes = 4096;
constexpr int kMaxProtocol = 5;

}  // namespace

Status PickleMachine::Run() {
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t op, ReadUnsigned(1));
    if (op == kOpStop) break;
    PAWSIGHT_RETURN_IF_ERROR(Step(static_cast<uint8_t>(op)));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(root_, Pop());
  if (!stack_.empty() || !marks_.empty()) return InvalidPickle("values are left over at its end");
  return Ok();
}

Status PickleMachine::Step(uint8_t op) {
  switch (op) {
    case kOpProto: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t protocol, ReadUnsigned(1));
      if (protocol > kMaxProtocol) return InvalidPickle("protocol " + std::to_string(protocol) + " is not known");
      return Ok();
    }
    case kOpFrame: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t bytes, ReadUnsigned(8));
      return bytes <= code_.size() - at_ ? Ok() : InvalidPickle("it is cut short inside a frame");
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

Status PickleMachine::StepValue(uint8_t op) {
  switch (op) {
    case kOpNone: return Push({});
    case kOpNewTrue:
    case kOpNewFalse:
      return Push({.kind = PickleKind::kBool, .integer = op == kOpNewTrue ? 1 : 0, .text = {}, .items = {}});
    case kOpEmptyTuple: return Push({.kind = PickleKind::kTuple, .integer = 0, .text = {}, .items = {}});
    case kOpEmptyList: return Push({.kind = PickleKind::kList, .integer = 0, .text = {}, .items = {}});
    case kOpEmptyDict: return Push({.kind = PickleKind::kDict, .integer = 0, .text = {}, .items = {}});
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
      return Push({.kind = PickleKind::kText, .integer = 0, .text = std::move(text), .items = {}});
    }
    default: return NotAllowed(op);
  }
}

Status PickleMachine::StepContainer(uint8_t op) {
  switch (op) {
    case kOpMark:
      if (marks_.size() >= kMaxStack) return InvalidPickle("too many marks");
      marks_.push_back(stack_.size());
      return Ok();
    case kOpTuple: {
      PAWSIGHT_ASSIGN_OR_RETURN(std::vector<uint32_t> items, PopToMark());
      return Push({.kind = PickleKind::kTuple, .integer = 0, .text = {}, .items = std::move(items)});
    }
    case kOpTuple1: return MakeTuple(1);
    case kOpTuple2: return MakeTuple(2);
    case kOpTuple3: return MakeTuple(3);
    case kOpAppend: {
      PAWSIGHT_ASSIGN_OR_RETURN(const uint32_t item, Pop());
      PAWSIGHT_ASSIGN_OR_RETURN(PickleValue * list, TopOf(PickleKind::kList, "a list to append to"));
      list->items.push_back(item);
      return Ok();
    }
    case kOpAppends: {
      PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint32_t> items, PopToMark());
      PAWSIGHT_ASSIGN_OR_RETURN(PickleValue * list, TopOf(PickleKind::kList, "a list to append to"));
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

Status PickleMachine::StepMemo(uint8_t op) {
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

Status PickleMachine::NotAllowed(uint8_t op) const {
  char hex[8];
  std::snprintf(hex, sizeof hex, "0x%02x", static_cast<unsigned>(op));
  return UnsafePickle("instruction " + std::string(OpcodeName(op)) + " (" + hex + ") at byte " +
                      std::to_string(at_ - 1) + " is not allowed");
}

Result<uint64_t> PickleMachine::ReadUnsigned(size_t bytes) {
  if (bytes > code_.size() - at_) return InvalidPickle("it is cut short");
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(code_[at_ + i]) << (8 * i);
  at_ += bytes;
  return value;
}

Result<std::string> PickleMachine::ReadText(size_t length_bytes) {
  PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t length, ReadUnsigned(length_bytes));
  if (length > code_.size() - at_) return InvalidPickle("it is cut short inside a string");
  if (length > kMaxTextBytes) return InvalidPickle("a string of " + std::to_string(length) + " bytes");
  std::string text(reinterpret_cast<const char*>(code_.data()) + at_, static_cast<size_t>(length));
  at_ += text.size();
  return text;
}

Result<std::string> PickleMachine::ReadLine() {
  std::string line;
  while (line.size() <= kMaxTextBytes) {
    PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t byte, ReadUnsigned(1));
    if (byte == '\n') return line;
    line += static_cast<char>(byte);
  }
  return InvalidPickle("a name of more than " + std::to_string(kMaxTextBytes) + " bytes");
}

Status PickleMachine::Push(PickleValue value) {
  if (values_.size() >= kMaxValues) return InvalidPickle("more than " + std::to_string(kMaxValues) + " values");
  values_.push_back(std::move(value));
  return PushRef(static_cast<uint32_t>(values_.size() - 1));
}

Status PickleMachine::PushRef(uint32_t idx) {
  if (stack_.size() >= kMaxStack)
    return InvalidPickle("more than " + std::to_string(kMaxStack) + " values on its stack");
  stack_.push_back(idx);
  return Ok();
}

Status PickleMachine::PushInteger(int64_t value) {
  return Push({.kind = PickleKind::kInteger, .integer = value, .text = {}, .items = {}});
}

Result<uint32_t> PickleMachine::Pop() {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) return InvalidPickle("it takes from an empty stack");
  const uint32_t top = stack_.back();
  stack_.pop_back();
  return top;
}

Result<std::vector<uint32_t>> PickleMachine::PopToMark() {
  if (marks_.empty()) return InvalidPickle("a mark is missing");
  const auto from = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<uint32_t> items(from, stack_.end());
  stack_.erase(from, stack_.end());
  marks_.pop_back();
  return items;
}

Result<PickleValue*> PickleMachine::TopOf(PickleKind kind, const char* wanted) {
  if (stack_.size() <= (marks_.empty() ? 0 : marks_.back()) || at(stack_.back()).kind != kind) {
    return InvalidPickle("want " + std::string(wanted));
  }
  return &values_[stack_.back()];
}

Status PickleMachine::ReadLong(size_t bytes) {
  if (bytes > 8) return InvalidPickle("an integer of " + std::to_string(bytes) + " bytes");
  PAWSIGHT_ASSIGN_OR_RETURN(const uint64_t raw, ReadUnsigned(bytes));
  if (bytes == 0 || bytes == 8) return PushInteger(static_cast<int64_t>(raw));
  const uint64_t sign = uint64_t{1} << (8 * bytes - 1);
  return PushInteger(static_cast<int64_t>((raw ^ sign) - sign));
}

Status PickleMachine::MakeTuple(size_t count) {
  std::vector<uint32_t> items(count);
  for (size_t i = count; i-- > 0;) {
    PAWSIGHT_ASSIGN_OR_RETURN(items[i], Pop());
  }
  return Push({.kind = PickleKind::kTuple, .integer = 0, .text = {}, .items = std::move(items)});
}

Status PickleMachine::AddItems(const std::vector<uint32_t>& items) {
  if (items.size() % 2 != 0) return InvalidPickle("a key without a value");
  PAWSIGHT_ASSIGN_OR_RETURN(PickleValue * dict, TopOf(PickleKind::kDict, "a dictionary to add to"));
  dict->items.insert(dict->items.end(), items.begin(), items.end());
  return Ok();
}

Status PickleMachine::Remember(uint64_t slot) {
  if (slot >= kMaxValues) return InvalidPickle("memo slot " + std::to_string(slot));
  if (stack_.empty()) return InvalidPickle("it takes from an empty stack");
  if (slot >= memo_.size()) memo_.resize(static_cast<size_t>(slot) + 1);
  memo_[static_cast<size_t>(slot)] = stack_.back();
  return Ok();
}

Status PickleMachine::Recall(uint64_t slot) {
  if (slot >= memo_.size() || !memo_[static_cast<size_t>(slot)].has_value()) {
    return InvalidPickle("memo slot " + std::to_string(slot) + " is empty");
  }
  return PushRef(*memo_[static_cast<size_t>(slot)]);
}

}  // namespace pawsight::engine
