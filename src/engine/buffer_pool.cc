#include "engine/buffer_pool.h"

#include <utility>

namespace pawsight::engine {

Floats BufferPool::Take(size_t size) {
  {
    MutexLock lock(mu_);
    for (size_t i = kept_.size(); i-- > 0;) {
      if (kept_[i].size() != size) continue;
      Floats found = std::move(kept_[i]);
      kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(i));
      return found;
    }
  }
  return Floats(size);
}

void BufferPool::Give(Floats buffer) {
  if (buffer.size() == 0) return;
  Floats oldest;  // freed after the lock is let go
  MutexLock lock(mu_);
  if (kept_.size() == kMaxKept) {
    oldest = std::move(kept_.front());
    kept_.erase(kept_.begin());
  }
  kept_.push_back(std::move(buffer));
}

}  // namespace pawsight::engine
