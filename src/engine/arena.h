// engine/arena.h: aligned float memory: `Floats` owns a block, `Arena` hands out pieces for one forward pass.
// Used by one thread at a time.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

namespace pawsight::engine {

/// `size` floats aligned to a cache line, zeroed. Large blocks ask for huge pages. Move-only.
class Floats {
 public:
  Floats() = default;
  explicit Floats(size_t size);
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(float); }
  /// A deep copy.
  Floats Clone() const;

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float, Free> data_;
  size_t size_ = 0;
};

/// Pieces live until the `Scope` in which they were taken ends. Memory grows to the largest pass seen and is kept, so a
/// repeated forward pass allocates nothing.
class Arena {
 public:
  /// n floats, aligned to a cache line, not cleared.
  float* Take(size_t n);
  /// n values of a plain type, not cleared.
  template <typename T>
  std::span<T> TakeSpan(size_t n) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T> && alignof(T) <= 64);
    return {reinterpret_cast<T*>(Take((n * sizeof(T) + sizeof(float) - 1) / sizeof(float))), n};
  }

  class Scope {
   public:
    explicit Scope(Arena& arena) : arena_(arena), block_(arena.block_), used_(arena.used_) {}
    ~Scope() { arena_.Release(block_, used_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Arena& arena_;
    size_t block_;
    size_t used_;
  };

 private:
  void Release(size_t block, size_t used);

  std::vector<Floats> blocks_;
  size_t block_ = 0;  // the block in use
  size_t used_ = 0;   // floats taken of it
};

}  // namespace pawsight::engine
