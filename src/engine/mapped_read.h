// engine/mapped_read.h: reading a memory-mapped file that somebody may cut short meanwhile. Touching a page that is no
// longer there raises SIGBUS, which would end the process; here it ends the read. Thread-safe.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"

namespace pawsight::engine {

/// Calls read(context) and returns true; false when a page it touched has gone. `read` must only load, compute and
/// store to memory of the caller: no lock, no allocation, no object with a destructor, no nested call of this function,
/// because it may be left in the middle. The first call installs a SIGBUS handler for the process; a SIGBUS from
/// anywhere else goes to the handler that was there before.
bool SurvivesMissingPages(void (*read)(void*), void* context);

/// Copies `from`, mapped, to `to` of the same size (CHECK). Errors: kDataLoss, reason file_shrunk.
Status CopyMapped(std::span<const uint8_t> from, std::span<uint8_t> to);

/// The error for a read that did not survive.
Status FileShrunk();

}  // namespace pawsight::engine
