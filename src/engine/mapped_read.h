// engine/mapped_read.h: reading a memory-mapped file that somebody may cut short meanwhile. Touching a page that is no
// longer there raises SIGBUS, which would end the process; here it ends the read, or it is noted and the page reads as
// zeros. Thread-safe. Either installs a SIGBUS handler for the process, once; a SIGBUS from anywhere else goes to the
// handler that was there before.
#pragma once

#include <cstdint>
#include <span>

#include "base/status.h"

namespace pawsight::engine {

/// Calls read(context) and returns true; false when a page it touched has gone. `read` must only load, compute and
/// store to memory of the caller: no lock, no allocation, no object with a destructor, no nested call of this function,
/// because it may be left in the middle.
bool SurvivesMissingPages(void (*read)(void*), void* context);

/// Copies `from`, mapped, to `to` of the same size (CHECK). Errors: kDataLoss, reason file_shrunk.
Status CopyMapped(std::span<const uint8_t> from, std::span<uint8_t> to);

/// The error for a read that did not survive.
Status FileShrunk();

inline constexpr int kMaxWatchedMappings = 256;  // at once

/// For a mapping that any code of any thread reads at any time: when a page has gone, it and all that follow read as
/// zeros from then on, and the watch says so. Whoever computes with the mapping asks afterwards whether it is whole and
/// throws the result away when it is not. Move-only.
class MappingWatch {
 public:
  /// Watches `mapping`, page-aligned, until destroyed, which is before it is unmapped.
  /// Errors: kResourceExhausted, kMaxWatchedMappings are watched.
  static Result<MappingWatch> Start(std::span<const uint8_t> mapping);
  MappingWatch(MappingWatch&& other) noexcept;
  MappingWatch& operator=(MappingWatch&& other) noexcept;
  ~MappingWatch();

  /// No page has been missing. Cost: a load.
  bool whole() const;

 private:
  explicit MappingWatch(int slot) : slot_(slot) {}
  int slot_;
};

}  // namespace pawsight::engine
