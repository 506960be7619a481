#include "engine/buffer_pool.h"

#include <iterator>
#include <utility>

namespace pawsight::engine {

Floats BufferPool::Take(size_t size) {
  {
    MutexLock lock(mu_);
    for (size_t i = kept_.size(); i-- > 0;) {
      if (kept_[i].size() != size) continue;
      Floats found = std::move(kept_[i]);
      kept_.erase(kept_.begin() + static_cast<std::ptrdiff_t>(i));
      kept_bytes_ -= found.bytes();
      return found;
    }
  }
  return Floats(size);
}

void BufferPool::Give(Floats buffer) {
  if (buffer.size() == 0) return;
  std::vector<Floats> oldest;  // freed after the lock is let go
  MutexLock lock(mu_);
  kept_bytes_ += buffer.bytes();
  kept_.push_back(std::move(buffer));
  size_t count = 0;
  for (; kept_bytes_ > kMaxBytes; ++count) kept_bytes_ -= kept_[count].bytes();
  const auto end = kept_.begin() + static_cast<std::ptrdiff_t>(count);
  oldest.assign(std::make_move_iterator(kept_.begin()), std::make_move_iterator(end));
  kept_.erase(kept_.begin(), end);
}

}  // namespace pawsight::engine
