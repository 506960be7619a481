// engine/pickle_machine.h: the stack machine behind pickle.h. Instructions and values are in pickle_machine.cc, the few
// calls that a dictionary of tensors makes in pickle_calls.cc. Include pickle.h instead. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/pickle.h"

namespace pawsight::engine {

/// Errors with their reasons: checkpoint_invalid, checkpoint_unsafe.
Status InvalidPickle(const std::string& message);
Status UnsafePickle(const std::string& message);
/// At most 80 characters; what is not printable ASCII shows as "?".
std::string PrintablePickle(std::string_view text);

enum class PickleKind { kNone, kBool, kInteger, kText, kGlobal, kTuple, kList, kDict, kStorage, kTensor };

/// Values refer to each other by index into PickleMachine::values_, so a pickle that shares or nests them costs nothing
/// extra.
struct PickleValue {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;          // kBool, kInteger; index into storages or tensors
  std::string text;             // kText, kGlobal ("module.name")
  std::vector<uint32_t> items;  // kTuple, kList; kDict: key, value, key, value...
};

class PickleMachine {
 public:
  explicit PickleMachine(std::span<const uint8_t> code) : code_(code) {}

  /// Runs to STOP. The result is root().
  Status Run();
  size_t used() const { return at_; }
  const PickleValue& root() const { return values_[root_]; }
  const PickleValue& at(uint32_t idx) const { return values_[idx]; }
  const PickledTensor& tensor(const PickleValue& value) const { return tensors_[static_cast<size_t>(value.integer)]; }

 private:
  Status Step(uint8_t op);
  Status StepValue(uint8_t op);
  Status StepContainer(uint8_t op);
  Status StepMemo(uint8_t op);

  Status NotAllowed(uint8_t op) const;
  Result<uint64_t> ReadUnsigned(size_t bytes);
  Result<std::string> ReadText(size_t length_bytes);
  Result<std::string> ReadLine();

  Status Push(PickleValue value);
  Status PushRef(uint32_t idx);
  Status PushInteger(int64_t value);
  /// The top value, taken off. Never takes what lies below the innermost mark.
  Result<uint32_t> Pop();
  Result<std::vector<uint32_t>> PopToMark();
  Result<PickleValue*> TopOf(PickleKind kind, const char* wanted);

  Status ReadLong(size_t bytes);
  Status MakeTuple(size_t count);
  Status AddItems(const std::vector<uint32_t>& items);
  Status Remember(uint64_t slot);
  Status Recall(uint64_t slot);
  Status PushGlobal(const std::string& module, const std::string& name);
  Status PushStackGlobal();
  Status LoadStorage();
  Status Call();
  Status RebuildTensor(const PickleValue& arguments);
  Status RebuildParameter(const PickleValue& arguments);
  Status SetState();
  Result<std::vector<int64_t>> Integers(uint32_t idx, const char* what) const;
  bool IsEmptyDict(uint32_t idx) const { return at(idx).kind == PickleKind::kDict && at(idx).items.empty(); }

  std::span<const uint8_t> code_;
  size_t at_ = 0;
  std::vector<PickleValue> values_;
  std::vector<uint32_t> stack_;
  std::vector<size_t> marks_;  // stack depths
  std::vector<std::optional<uint32_t>> memo_;
  std::vector<PickledStorage> storages_;
  std::vector<PickledTensor> tensors_;
  uint32_t root_ = 0;
};

}  // namespace pawsight::engine
