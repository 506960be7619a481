// gateway/path/window.h: how many frames may be at the backend at once. Additive increase, multiplicative decrease
// (Chiu and Jain 1989): a backend that says it is full is asked less at once, and more again as it answers. Pure; a
// value.
#pragma once

#include <algorithm>

namespace pawsight::gateway {

class Window {
 public:
  explicit Window(int most) : most_(most), size_(most) {}

  int size() const { return static_cast<int>(size_); }
  void OnAnswered() { size_ = std::min<double>(most_, size_ + 1 / size_); }
  /// `outstanding`: how many were there; the window need not be larger than what was too much.
  void OnFull(int outstanding) { size_ = std::clamp<double>(std::min<double>(size_, outstanding) * 0.7, 1, most_); }

 private:
  int most_;
  double size_;
};

}  // namespace pawsight::gateway
