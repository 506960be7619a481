// gateway/path/device_rates.h: how many frames a second one device may bring. Token buckets: a device that is within
// its rate is never refused because of another. Pure but for its memory; the time is the caller's. Thread-compatible.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace pawsight::gateway {

struct Rate {
  double per_second = 30;  // above 0
  double burst = 60;       // at least 1
};

struct TokenBucket {
  double tokens = 0;
  std::chrono::nanoseconds at{0};
};

/// What the bucket holds at `now` (monotonic).
inline double TokensAt(const TokenBucket& bucket, const Rate& rate, std::chrono::nanoseconds now) {
  const double seconds = std::chrono::duration<double>(now - bucket.at).count();
  return std::min(rate.burst, bucket.tokens + std::max(0.0, seconds) * rate.per_second);
}

class DeviceRates {
 public:
  explicit DeviceRates(const Rate& rate) : rate_(rate) {}

  /// Devices remembered; beyond, those that have been quiet long enough to have a full bucket are forgotten, and when
  /// there are none a new device is let in without being counted.
  static constexpr size_t kMaxDevices = 200'000;

  /// 0: it may come. Otherwise how long until it may.
  std::chrono::nanoseconds Take(std::string_view device, std::chrono::nanoseconds now) {
    auto at = buckets_.find(std::string(device));
    if (at == buckets_.end()) {
      if (buckets_.size() >= kMaxDevices) Forget(now);
      if (buckets_.size() >= kMaxDevices) return std::chrono::nanoseconds(0);
      at = buckets_.emplace(device, TokenBucket{rate_.burst, now}).first;
    }
    TokenBucket& bucket = at->second;
    bucket = {TokensAt(bucket, rate_, now), now};
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return std::chrono::nanoseconds(0);
    }
    const std::chrono::duration<double> wait((1 - bucket.tokens) / rate_.per_second);
    return std::max(std::chrono::nanoseconds(1), std::chrono::duration_cast<std::chrono::nanoseconds>(wait));
  }

  /// From now on.
  void SetRate(const Rate& rate) { rate_ = rate; }

  /// Full buckets are as good as none.
  void Forget(std::chrono::nanoseconds now) {
    std::erase_if(buckets_, [&](const auto& entry) { return TokensAt(entry.second, rate_, now) >= rate_.burst; });
  }
  size_t size() const { return buckets_.size(); }

 private:
  Rate rate_;
  std::unordered_map<std::string, TokenBucket> buckets_;
};

}  // namespace pawsight::gateway
