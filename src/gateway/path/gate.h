// gateway/path/gate.h: station 2 of one camera: has the frame changed since the last one that was asked about? Decodes
// as little as that needs (a JPEG at 1/8: the DCT's means). Adaptive: where nearly every look finds a change (a street
// by day), most frames are let through without one. Thread-compatible; one a camera, 10 kB, made with its first frame.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/status.h"
#include "frames/motion.h"

namespace pawsight::gateway {

/// When looking is worth its cost. Of a busy camera, one look in kCycle is measured; as soon as one finds nothing new,
/// every frame is looked at again. Pure; a value.
class LookPolicy {
 public:
  static constexpr int kCycle = 8;

  /// True: look. False: ask without looking.
  bool WantsLook() const { return share_ < kBusy || place_ < 2; }
  /// After a look. `first`: the look had nothing to compare with and says nothing.
  void OnLook(bool worth_asking, bool first) {
    if (!first) share_ += 0.3F * ((worth_asking ? 1.0F : 0.0F) - share_);
    place_ = share_ < kBusy ? 0 : (place_ + 1) % kCycle;
  }
  void OnSkip() { place_ = (place_ + 1) % kCycle; }

 private:
  static constexpr float kBusy = 0.8F;
  float share_ = 0;  // of looks that found a change
  int place_ = 0;    // in the cycle: 0 sets what to compare with, 1 is measured, the rest go unseen
};

class Gate {
 public:
  explicit Gate(const frames::ChangeOptions& options) : gate_(options) {}

  /// Whether a frame taken at `time` is worth asking about. When it is and was asked, later ones are compared with it.
  /// Errors: frames::Decode's; the gate is as before. Cost: about 1 ms for a 1920x1080 JPEG of 100 kB (path_bench).
  Result<bool> Look(std::span<const uint8_t> encoded, Time time);
  /// A frame is asked about without a look (rules in doubt, a busy camera): what comes next has nothing to compare
  /// with.
  void Skip() {
    gate_.Forget();
    policy_.OnSkip();
  }
  bool WantsLook() const { return policy_.WantsLook(); }

 private:
  frames::ChangeGate gate_;
  LookPolicy policy_;
};

}  // namespace pawsight::gateway
