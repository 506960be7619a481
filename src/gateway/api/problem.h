// gateway/api/problem.h: what a caller is told when something is wrong: application/problem+json (RFC 9457) with a
// stable code, and the HTTP status that fits it. Not here: what net/http_server itself refuses. Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "net/http.h"

namespace pawsight::gateway {

/// The member `field` of a body names something that its owner does not have: 422 "KIND_unknown", where one in the path
/// is 404. `kind`: "camera", "receiver", "rule".
Status UnknownName(const std::string& field, const std::string& kind);
/// Whether an answer says that what was named, in the path or the body, is not there, or is another's.
bool SaysUnknown(int http_status, std::string_view reason);

/// The HTTP status of a Status: by its reason where that says more than its code (`disk_full` is 507, `image_truncated`
/// 422), else by net::HttpStatusFor. What the store could not do is never 500.
int ProblemStatus(const Status& status);
/// The stable code: the reason, or the canonical code's name in lower case.
std::string ProblemCode(const Status& status);
/// With Retry-After where coming back may help.
net::HttpResponse Problem(const Status& status);

/// Counts refusals by their code, for metrics, and writes one log line for each, at most ten a second: those between
/// are counted in the next. Codes are ours, so they are few; past kMaxCodes they count as "other". Thread-safe.
class RefusalLog {
 public:
  static constexpr size_t kMaxCodes = 256;
  /// `clock` must outlive it.
  explicit RefusalLog(const Clock& clock) : clock_(clock) {}

  /// `credential` may be empty: nobody knows who it was.
  void Note(const std::string& code, const std::string& credential, std::string_view path) EXCLUDES(mu_);
  std::map<std::string, uint64_t> Counts() const EXCLUDES(mu_);

 private:
  const Clock& clock_;
  mutable Mutex mu_;
  std::map<std::string, uint64_t> counts_ GUARDED_BY(mu_);
  std::optional<std::chrono::nanoseconds> last_line_ GUARDED_BY(mu_);
  uint64_t unlogged_ GUARDED_BY(mu_) = 0;
};

}  // namespace pawsight::gateway
