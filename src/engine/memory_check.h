// engine/memory_check.h: refuses a model that cannot fit before it is loaded, so that nothing is killed for memory half
// way. Thread-safe: functions without state.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/status.h"

namespace pawsight::engine {

/// Bytes this process may still take: what the kernel calls available, or what the control group has left, whichever is
/// less. Falls back to no limit where neither can be read.
uint64_t AvailableMemory();

/// Bytes after "MemAvailable:" in the text of /proc/meminfo; the largest number when it is not there.
uint64_t ParseMemAvailable(std::string_view meminfo);

/// `need` bytes out of `available`, less a tenth for everything else. Errors: kResourceExhausted, reason
/// model_too_large, with both figures.
Status CheckMemory(uint64_t need, uint64_t available);

}  // namespace pawsight::engine
