#include "engine/arena.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace pawsight::engine {
namespace {

constexpr size_t kLine = 64;                 // bytes
constexpr size_t kHugePage = 2U << 20U;      // bytes
constexpr size_t kFirstBlock = 1U << 20U;    // floats

}  // namespace

Floats::Floats(size_t size) : size_(size) {
  if (size == 0) return;
  const size_t alignment = size * sizeof(float) >= kHugePage ? kHugePage : kLine;
  const size_t bytes = (size * sizeof(float) + alignment - 1) / alignment * alignment;
  data_.reset(static_cast<float*>(std::aligned_alloc(alignment, bytes)));
  CHECK(data_ != nullptr);
  if (alignment == kHugePage) ::madvise(data_.get(), bytes, MADV_HUGEPAGE);
  std::memset(data_.get(), 0, bytes);
}

Floats Floats::Clone() const {
  Floats copy(size_);
  if (size_ != 0) std::memcpy(copy.data(), data(), bytes());
  return copy;
}

float* Arena::Take(size_t n) {
  n = (n + kLine / sizeof(float) - 1) / (kLine / sizeof(float)) * (kLine / sizeof(float));
  while (block_ < blocks_.size() && used_ + n > blocks_[block_].size()) {
    ++block_;
    used_ = 0;
  }
  if (block_ == blocks_.size()) {
    const size_t last = blocks_.empty() ? kFirstBlock / 2 : blocks_.back().size();
    blocks_.emplace_back(std::max(n, 2 * last));
    used_ = 0;
  }
  float* piece = blocks_[block_].data() + used_;
  used_ += n;
  return piece;
}

void Arena::Release(size_t block, size_t used) {
  block_ = block;
  used_ = used;
}

}  // namespace pawsight::engine
