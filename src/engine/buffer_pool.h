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
  /// Keeps it for later; beyond kMaxBytes the oldest are freed.
  void Give(Floats buffer) EXCLUDES(mu_);

 private:
  static constexpr size_t kMaxBytes = 256U << 20U;  // a dozen frames at BLIP base's size, or two hundred questions
  Mutex mu_;
  std::vector<Floats> kept_ GUARDED_BY(mu_);  // the oldest first
  size_t kept_bytes_ GUARDED_BY(mu_) = 0;
};

}  // namespace pawsight::engine
