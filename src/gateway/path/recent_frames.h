// gateway/path/recent_frames.h: the newest frames of a camera that carried a sequence number, so that one that comes
// again is not judged again: a device that heard no answer sends once more. Thread-compatible; one a camera.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "gateway/path/frame_result.h"

namespace pawsight::gateway {

class RecentFrames {
 public:
  static constexpr size_t kKept = 8;

  struct Entry {
    uint64_t sequence = 0;
    uint64_t fingerprint = 0;                   // of the bytes; a device that makes a collision cheats only itself
    std::string frame;                          // empty: no entry
    std::shared_ptr<const FrameResult> result;  // once there is one
  };

  /// Null when no frame kept has this sequence.
  const Entry* Find(uint64_t sequence) const {
    for (const Entry& entry : entries_) {
      if (entry.sequence == sequence && !entry.frame.empty()) return &entry;
    }
    return nullptr;
  }
  /// The oldest makes room.
  void Add(uint64_t sequence, uint64_t fingerprint, const std::string& frame) {
    entries_[next_] = {sequence, fingerprint, frame, nullptr};
    next_ = (next_ + 1) % kKept;
  }
  void SetResult(const std::string& frame, std::shared_ptr<const FrameResult> result) {
    for (Entry& entry : entries_) {
      if (entry.frame != frame) continue;
      entry.result = std::move(result);
      return;
    }
  }
  /// Of a camera long idle: what it sent is still known, but not what came of it.
  void ForgetResults() {
    for (Entry& entry : entries_) entry.result.reset();
  }

 private:
  std::array<Entry, kKept> entries_;
  size_t next_ = 0;
};

}  // namespace pawsight::gateway
