// gateway/path/gate.h: station 2 of one camera: has the frame changed since the last one that was asked about? Decodes
// as little as that needs (a JPEG at 1/8: the DCT's means). A camera whose picture goes on changing (a dog at play, a
// street by day) is neither looked at nor asked about with every frame. Thread-compatible; one a camera, 10 kB, made
// with its first frame.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>

#include "base/clock.h"
#include "base/status.h"
#include "frames/light.h"
#include "frames/motion.h"

namespace pawsight::gateway {

/// When a change is worth asking about at once. Its first frame is, and then one every kFirstPace: something comes, and
/// what it means shows within seconds, however many frames a second the camera sends. When the picture goes on changing
/// for longer than kFree, one frame every kPace is enough: it adds at most one pace to what begins meanwhile. A pet
/// pauses and goes on, so only when nothing has changed for kRest is the next change a first one again. Not for frames
/// whose answer a rule wants in any case (rules::WantsAnswer): those are never held back. Pure; a value.
class PacePolicy {
 public:
  static constexpr std::chrono::milliseconds kFree{4000};
  /// Just under half a second, so that of two frames a second each is asked about.
  static constexpr std::chrono::milliseconds kFirstPace{450};
  /// Just under two seconds, so that of one frame a second every other one is asked about.
  static constexpr std::chrono::milliseconds kPace{1900};
  static constexpr std::chrono::milliseconds kRest{8000};

  /// True: a frame taken at `now` is neither looked at nor asked about. A `now` before the last one holds nothing back.
  bool HoldsBack(Time now) const {
    const std::chrono::milliseconds pace = changed_ - began_ >= kFree ? kPace : kFirstPace;
    return goes_on_ && now >= changed_ && now - changed_ < pace;
  }
  /// After a look that found a change, or none.
  void OnLook(bool changed, Time now) {
    if (now < changed_ || now - changed_ >= kRest) goes_on_ = false;
    if (!changed) return;
    if (!goes_on_) began_ = now;
    goes_on_ = true;
    changed_ = now;
  }

 private:
  bool goes_on_ = false;
  Time began_{};    // the change that goes on
  Time changed_{};  // its newest frame that was asked about
};

class Gate {
 public:
  explicit Gate(const frames::ChangeOptions& options) : gate_(options) {}

  /// True: the picture goes on changing and was asked about a moment ago; the frame is neither looked at nor asked
  /// about.
  bool HoldsBack(Time time) const { return pace_.HoldsBack(time); }
  /// Whether a frame taken at `time` is worth asking about; `wanted`: it is asked about in any case. When it is asked
  /// about, later ones are compared with it. Gives whether it is.
  /// Errors: frames::Decode's; the gate is as before. Cost: 0.6 ms for a baseline JPEG of 1920x1080 and 150 kB, 2.7 to
  /// 4.8 ns a byte (frames_bench); others frames::DecodeLight's.
  Result<bool> Look(std::span<const uint8_t> encoded, Time time, bool wanted = false);
  /// A frame is asked about without a look: what comes next has nothing to compare with.
  void Skip() { gate_.Forget(); }

 private:
  frames::ChangeGate gate_;
  frames::QuickWay quick_;
  PacePolicy pace_;
};

}  // namespace pawsight::gateway
