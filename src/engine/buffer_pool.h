// engine/buffer_pool.h: memory that comes and goes with frames, kept for the next: touching fresh pages costs more than
// filling them. Thread-safe.
#pragma once

#include <vector>

#include "base/mutex.h"
#include "engine/arena.h"

namespace pawsight::engine {

class BufferPool {
 public:
  /// `size` floats, of one given back or fresh; not cleared.
  Floats Take(size_t size) EXCLUDES(mu_);
  /// Keeps it for later; beyond kMaxKept the oldest is freed.
  void Give(Floats buffer) EXCLUDES(mu_);

 private:
  static constexpr size_t kMaxKept = 16;
  Mutex mu_;
  std::vector<Floats> kept_ GUARDED_BY(mu_);
};

}  // namespace pawsight::engine
