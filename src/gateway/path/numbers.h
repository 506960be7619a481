// gateway/path/numbers.h: what each station of the path did, counted. Numbers only: no owner, no question. Thread-safe
// and lock-free. Not here: what there is just now (FramePath::Metrics adds that).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

#include "base/metrics.h"

namespace pawsight::gateway {

/// Why a frame is not taken.
enum class Refusal : uint8_t {
  kCameraUnknown,
  kImage,      // empty, too large, of no known type
  kQuestions,  // the submission's own are unfit
  kStale,
  kDuplicate,
  kConflict,
  kDeviceRate,
  kOwnerFull,
  kPathFull,
  kDraining,
};
inline constexpr std::array<std::string_view, 10> kRefusalNames = {
    "camera_unknown", "image",       "questions",  "stale",     "duplicate_frame",
    "id_conflict",    "device_rate", "owner_full", "path_full", "draining"};

struct PathNumbers {
  using Count = std::atomic<uint64_t>;
  static void Bump(Count& count, uint64_t by = 1) { count.fetch_add(by, std::memory_order_relaxed); }

  Count arrived{0};   // accepted
  Count replaced{0};  // by a newer one, before their turn
  std::array<Count, kRefusalNames.size()> refused{};
  Count late{0}, expired{0};  // taken late; waited past their deadline
  Count looks{0}, unchanged{0}, looks_skipped{0}, held_back{0}, undecodable{0};  // the gate's
  Count asked{0}, questions{0}, answered{0}, unanswered{0}, shed{0};
  Count fired{0}, updated{0}, resolved{0}, not_recorded{0};
  Count states_unreadable{0};
  Count reconciled{0};  // turns that took over an edit
  Buckets waited{Bound()}, looked{Bound()}, answering{Bound()}, recording{Bound()}, total{Bound()};

  void Refused(Refusal why) { Bump(refused[static_cast<size_t>(why)]); }
  /// Adds the samples of all of these.
  void WriteTo(MetricsWriter& out) const;

 private:
  static constexpr uint64_t Bound() { return 50'000; }  // 50 us, 100 us .. 52 s
};

}  // namespace pawsight::gateway
