// gateway/camera_watch.h: brings the frames of one camera to the path's door for whoever started the program: a live
// source's newest, a recorded one's each in its turn at its own time. What `watch` and `demo --once` have in common.
// Not here: the home that the camera stands in (apps/home.h), what is said of the frames (gateway/lines.h), fetching
// for many cameras and for ever (gateway/path/puller.h). Used by one thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "gateway/path/frame_path.h"
#include "gateway/source.h"

namespace pawsight::gateway {

/// The machine's clock, until it is given the time of day: that of a recorded frame. Thread-safe.
class FrameClock : public Clock {
 public:
  Time Now() const override {
    const int64_t told = now_;
    return told == kNotTold ? clock_.Now() : Time(std::chrono::nanoseconds(told));
  }
  std::chrono::nanoseconds Monotonic() const override { return clock_.Monotonic(); }
  void WaitUntil(Mutex& mu, CondVar& cv, std::chrono::nanoseconds until) const override REQUIRES(mu) {
    clock_.WaitUntil(mu, cv, until);
  }
  void SetNow(Time now) { now_ = now.time_since_epoch().count(); }

 private:
  static constexpr int64_t kNotTold = -1;
  const SystemClock clock_{};
  std::atomic<int64_t> now_{kNotTold};
};

class CameraWatch {
 public:
  /// `clock` is the path's. `told` hears of frames that the path refuses at its door, as of those that it takes. All
  /// outlive the watch. The path must not drop what a recorded source brings: Take waits for one before the next.
  CameraWatch(FramePath& path, FrameClock& clock, std::string owner, std::string camera, Watcher& told)
      : path_(path), clock_(clock), owner_(std::move(owner)), camera_(std::move(camera)), told_(told) {}

  /// Takes the source's frames until it ends or `stop`. Of a live source the newest frame wins; a recorded one waits
  /// for each answer, and its frames' times are the time of day. Errors: how the source failed (KeepRunning's, giving
  /// up).
  Status Run(Source& source, std::stop_token stop);

  /// Takes one frame at its own time, JPEG or PNG bytes or pixels, and waits for what came of it. Bytes that are no
  /// image are told in the result.
  std::shared_ptr<const FrameResult> Take(Frame frame);

 private:
  /// Through the path's door; a refusal is told as what came of the frame.
  std::shared_ptr<const FrameResult> Offer(Frame frame, FramePath::Done done);

  FramePath& path_;
  FrameClock& clock_;
  const std::string owner_, camera_;
  Watcher& told_;
  uint64_t number_ = 0;  // of the last frame offered
};

}  // namespace pawsight::gateway
