#include "gateway/api/idempotency.h"

#include <cstring>

#include "gateway/api/token.h"

namespace pawsight::gateway {
namespace {

/// Of a cryptographic hash, so that no two bodies are taken for one.
uint64_t HashOf(const std::string& body) {
  const TokenHash hash = HashToken(body);
  uint64_t first = 0;
  std::memcpy(&first, hash.data(), sizeof first);
  return first;
}

bool IsFinal(int status) { return status < 500 && status != 429 && status != 409; }

}  // namespace

Result<std::optional<net::HttpResponse>> IdempotencyKeys::Begin(const std::string& key, const std::string& body) {
  const uint64_t body_hash = HashOf(body);
  const std::chrono::nanoseconds now = clock_.Monotonic();
  MutexLock lock(mu_);
  while (!entries_.empty() &&
         (now - entries_.front().made >= options_.keep || entries_.size() >= options_.max_answers)) {
    by_key_.erase(entries_.front().key);
    entries_.pop_front();
  }
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) {
    entries_.push_back({key, body_hash, now, std::nullopt});
    by_key_[key] = std::prev(entries_.end());
    return std::optional<net::HttpResponse>();
  }
  const Entry& entry = *known->second;
  if (entry.body_hash != body_hash) {
    return InvalidArgument("Idempotency-Key: was sent with another body", "key_reused");
  }
  if (!entry.response) return Status(StatusCode::kAborted, "the first request is not answered yet", "in_progress");
  return entry.response;
}

void IdempotencyKeys::Finish(const std::string& key, const net::HttpResponse& response) {
  MutexLock lock(mu_);
  const auto known = by_key_.find(key);
  if (known == by_key_.end()) return;  // forgotten meanwhile
  if (IsFinal(response.status) && response.body.size() <= options_.max_body_bytes) {
    known->second->response = response;
    return;
  }
  entries_.erase(known->second);
  by_key_.erase(known);
}

}  // namespace pawsight::gateway
