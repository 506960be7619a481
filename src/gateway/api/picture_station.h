// gateway/api/picture_station.h: makes the pictures of alerts that are kept, on a thread of its own: decoding and
// encoding a frame takes 5 to 20 ms, and whoever judges it has others to judge. Owners take turns, each owner's in the
// order they came, and when no more may wait an owner with many gives way to one with few. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "gateway/path/fair_share.h"

namespace pawsight::gateway {

class PictureStation {
 public:
  /// Frames that wait, and their bytes. Beyond, one gets no picture, for its alert is not held up: the one that came,
  /// or the newest of the owner with the most, if that has two more than the newcomer's. Eight of a camera's size are
  /// made in 160 ms, of the 300 that an alert may take. For want of bytes it is always the one that came: of as many
  /// frames as large as may be decoded (frames::DecodeLimits) there is none.
  static constexpr size_t kMaxWaiting = 8;
  static constexpr size_t kMaxWaitingBytes = 64U << 20U;

  using Frame = std::shared_ptr<const std::vector<uint8_t>>;
  using Make = std::function<Result<std::vector<uint8_t>>(std::span<const uint8_t> encoded)>;
  using Done = std::function<void(Result<std::vector<uint8_t>> picture)>;

  /// Starts its thread. `make` is PictureOf, but in a test.
  explicit PictureStation(Make make);
  ~PictureStation() { Stop(); }
  PictureStation(const PictureStation&) = delete;
  PictureStation& operator=(const PictureStation&) = delete;

  /// OK: `done` is called once, on its thread, or with TooMany inside an Offer of another owner. Errors, and then
  /// `done` is left as it was: kResourceExhausted, TooMany, or `image_too_large`, it alone has more than
  /// kMaxWaitingBytes; kUnavailable `draining`, it was stopped. Never blocks.
  Status Offer(const std::string& owner, Frame frame, Done& done) EXCLUDES(mu_);

  /// What is told of a frame for which there was no room.
  static Status TooMany() { return ResourceExhausted("too many alerts at once", "queue_full"); }

  /// Makes what waits, takes no more, and ends its thread; calls nothing any more when it returns, on no thread. May be
  /// called again, by one thread at a time; not by a `done`.
  void Stop() EXCLUDES(mu_);

  struct Counts {
    size_t waiting = 0;
    uint64_t made = 0, unfit = 0, refused = 0;
  };
  Counts counts() const EXCLUDES(mu_);

 private:
  struct Job {
    Frame frame;
    Done done;
  };
  void Run() EXCLUDES(mu_);

  const Make make_;
  mutable Mutex mu_;
  CondVar changed_;
  FairShare<Job> waiting_ GUARDED_BY(mu_){1};  // a picture costs 1
  size_t waiting_bytes_ GUARDED_BY(mu_) = 0;
  Counts counts_ GUARDED_BY(mu_);
  int telling_ GUARDED_BY(mu_) = 0;  // Offers that tell of one that gave way
  bool ending_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace pawsight::gateway
