#include "gateway/api/authenticator.h"

#include <cstring>
#include <utility>

namespace pawsight::gateway {
namespace {

Status WrongToken() {
  return {StatusCode::kUnauthenticated, "Authorization: want \"Bearer TOKEN\" with a token that is valid",
          "token_wrong"};
}

uint64_t FirstBytes(const TokenHash& hash) {
  uint64_t first = 0;
  std::memcpy(&first, hash.data(), sizeof first);
  return first;
}

}  // namespace

size_t Authenticator::HashOfHash::operator()(const TokenHash& hash) const { return FirstBytes(hash); }

Authenticator::Look Authenticator::FindKnown(const TokenHash& hash, std::string_view address, Principal* principal,
                                             uint64_t* generation) {
  const std::chrono::nanoseconds now = clock_.Monotonic();
  MutexLock lock(mu_);
  *generation = generation_;
  const auto known = known_.find(hash);
  if (known != known_.end()) {
    const std::optional<Time>& expires = known->second.principal.expires;
    const bool expired = expires && clock_.Now() >= *expires;
    if (now >= known->second.until || expired) return Look::kUp;
    *principal = known->second.principal;
    return Look::kFresh;
  }
  const auto wrong = wrong_.find(std::string(address));
  if (wrong == wrong_.end()) return Look::kUp;
  if (now - wrong->second.start >= options_.window) {
    wrong_.erase(wrong);
    return Look::kUp;
  }
  if (wrong->second.tokens.count(FirstBytes(hash)) != 0) return Look::kWrong;
  return wrong->second.tokens.size() >= options_.max_wrong ? Look::kRefused : Look::kUp;
}

void Authenticator::NoteWrong(const TokenHash& hash, std::string_view address) {
  MutexLock lock(mu_);
  known_.erase(hash);
  if (wrong_.size() >= options_.max_addresses && wrong_.count(std::string(address)) == 0) wrong_.clear();
  Wrong& wrong = wrong_[std::string(address)];
  if (wrong.tokens.empty()) wrong.start = clock_.Monotonic();
  if (wrong.tokens.size() < options_.max_wrong) wrong.tokens.insert(FirstBytes(hash));
}

Result<Principal> Authenticator::Admit(std::string_view authorization, std::string_view address) {
  const std::optional<std::string_view> token = TokenOf(authorization);
  if (!token) return WrongToken();
  const TokenHash hash = HashToken(*token);
  Principal principal;
  uint64_t generation = 0;
  switch (FindKnown(hash, address, &principal, &generation)) {
    case Look::kFresh:
      return principal;
    case Look::kWrong:
      return WrongToken();
    case Look::kRefused:
      return ResourceExhausted("too many wrong tokens from this address; come back in a minute",
                               "too_many_wrong_tokens");
    case Look::kUp:
      break;
  }
  const Result<events::Credential> found = find_(hash);
  if (!found.ok() && found.status().code() != StatusCode::kNotFound) {
    return Unavailable("the store cannot be read: " + found.status().message(), "store_unavailable");
  }
  if (!found.ok() || !events::IsUsable(*found, clock_.Now())) {
    NoteWrong(hash, address);
    return WrongToken();
  }
  principal = {found->id, found->owner, found->device, found->role, found->expires};
  MutexLock lock(mu_);
  if (generation != generation_) return principal;  // true of the moment of the look, not to be kept
  if (known_.size() >= options_.max_known) known_.clear();
  known_[hash] = {principal, clock_.Monotonic() + options_.keep};
  return principal;
}

void Authenticator::Forget() {
  MutexLock lock(mu_);
  ++generation_;
  for (auto& [hash, known] : known_) known.until = std::chrono::nanoseconds{0};
}

}  // namespace pawsight::gateway
