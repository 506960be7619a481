// gateway/api/idempotency.h: a POST that is sent again with the same Idempotency-Key, because its first answer never
// came, gets that answer instead of a second object (draft-ietf-httpapi-idempotency-key-header). Kept in memory: for an
// hour, and not over a restart. Not here: frames, which are known by their sequence (gateway/api/frames.h).
// Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "net/http.h"

namespace pawsight::gateway {

struct IdempotencyOptions {
  std::chrono::hours keep{1};
  size_t max_answers = 4096;           // another makes room by forgetting the oldest
  size_t max_body_bytes = 16U << 10U;  // of one answer; a larger one is not kept
};

class IdempotencyKeys {
 public:
  /// `clock` must outlive it.
  explicit IdempotencyKeys(const Clock& clock, const IdempotencyOptions& options = {})
      : clock_(clock), options_(options) {}

  /// The answer that was given to this key, or nothing: do it, then say so by Finish. `key` names the credential, the
  /// path and what the client sent; `body` is the request's.
  /// Errors: kInvalidArgument `key_reused`, with another body; kAborted `in_progress`, the first is not answered yet.
  Result<std::optional<net::HttpResponse>> Begin(const std::string& key, const std::string& body) EXCLUDES(mu_);
  /// What failed for reasons that pass (5xx, 429, 409) is not kept: it may be tried again.
  void Finish(const std::string& key, const net::HttpResponse& response) EXCLUDES(mu_);

 private:
  struct Entry {
    std::string key;
    uint64_t body_hash = 0;
    std::chrono::nanoseconds made{0};
    std::optional<net::HttpResponse> response;  // empty: not answered yet
  };
  const Clock& clock_;
  const IdempotencyOptions options_;
  Mutex mu_;
  std::list<Entry> entries_ GUARDED_BY(mu_);  // oldest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_ GUARDED_BY(mu_);
};

}  // namespace pawsight::gateway
