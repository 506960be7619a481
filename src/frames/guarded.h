// frames/guarded.h: calls into C libraries that report errors with longjmp (libjpeg, libpng), contained.
// Internal to frames. Used by one thread at a time.
#pragma once

#include <csetjmp>
#include <type_traits>

namespace pawsight::frames {

/// Where the library's error handler goes. A handler calls Jump() only while a Guarded() with this target is running.
class JumpTarget {
 public:
  [[noreturn]] void Jump() { std::longjmp(env_, 1); }

 private:
  template <typename Body>
  friend bool Guarded(JumpTarget& target, const Body& body);
  std::jmp_buf env_;
};

/// Runs body(); false when the library jumped out of it. The jump skips destructors, so a body, and what it calls down
/// to the library, must own nothing: whatever needs freeing belongs to the object outside. Values that the body changed
/// live there too, so that they are defined after a jump.
template <typename Body>
[[nodiscard]] bool Guarded(JumpTarget& target, const Body& body) {
  static_assert(std::is_trivially_destructible_v<Body>, "a jump would skip the destructor");
  if (setjmp(target.env_) != 0) return false;
  body();
  return true;
}

}  // namespace pawsight::frames
