// gateway/api/stream_expiry.h: when the credentials that live streams were opened with expire. Pure; the time is the
// caller's. Thread-compatible.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

namespace pawsight::gateway {

class StreamExpiry {
 public:
  /// Credentials remembered, until they expire.
  static constexpr size_t kMaxCredentials = 100'000;

  /// A stream was opened with it. Errors: kResourceExhausted `too_many_streams`, kMaxCredentials.
  Status Note(const std::string& credential, Time expires) {
    if (ends_.size() >= kMaxCredentials && !ends_.contains({expires, credential})) {
      return ResourceExhausted("too many streams with credentials that expire", "too_many_streams");
    }
    ends_.insert({expires, credential});
    return Ok();
  }

  /// When the next one expires; nothing when none does.
  std::optional<Time> Next() const { return ends_.empty() ? std::nullopt : std::optional(ends_.begin()->first); }

  /// Those that have expired by `now`; each is given once.
  std::vector<std::string> TakeExpired(Time now) {
    std::vector<std::string> expired;
    while (!ends_.empty() && ends_.begin()->first <= now) {
      expired.push_back(ends_.begin()->second);
      ends_.erase(ends_.begin());
    }
    return expired;
  }

 private:
  std::set<std::pair<Time, std::string>> ends_;  // the next to expire first
};

}  // namespace pawsight::gateway
