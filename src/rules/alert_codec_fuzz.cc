// Any text as a stored alert state; what is taken must survive being written and read again, and Advance must take it.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rules/alert_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::rules;
  const pawsight::Result<StoredState> stored = DecodeState({reinterpret_cast<const char*>(data), size});
  if (!stored.ok()) return 0;
  const pawsight::Result<StoredState> again = DecodeState(EncodeState(*stored));
  CHECK(again.ok() && *again == *stored);
  return 0;
}
