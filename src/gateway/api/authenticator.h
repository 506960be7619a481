// gateway/api/authenticator.h: who a request is from, by its bearer token. A token is looked up by its SHA-256, so how
// long that takes tells nothing of the token; whatever is wrong with it, the answer is the same. What the store said is
// kept for a few seconds, so that thousands of frames a second cost no read each; Forget makes a revocation hold at
// once. Guessing is limited by address and not by name: an address that has sent `max_wrong` different wrong tokens
// within a minute is refused without a look, but for tokens that opened something before, so that a neighbour behind
// the same address is not shut out. Not here: what a role may do (gateway/api/api_router.h). Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "events/rows.h"
#include "gateway/api/token.h"

namespace pawsight::gateway {

/// Who asks. Everything it may see is of `owner`; empty: an admin, who says whose it means.
struct Principal {
  std::string credential;
  std::string owner;
  std::string device;  // exactly of a device's token
  events::Role role = events::Role::kViewer;
  std::optional<Time> expires;  // from then on it is nobody
};

struct AuthenticatorOptions {
  std::chrono::seconds keep{5};     // what the store said counts so long
  size_t max_known = 65536;         // tokens kept; when there is one more, all are forgotten
  size_t max_wrong = 20;            // different wrong tokens from one address within `window`
  std::chrono::seconds window{60};  // of counting them
  size_t max_addresses = 10000;     // with wrong tokens; when there is one more, all are forgotten
};

class Authenticator {
 public:
  /// Store::FindCredential, or what a test puts there.
  using Find = std::function<Result<events::Credential>(const TokenHash&)>;
  /// `clock` must outlive it.
  Authenticator(Find find, const Clock& clock, const AuthenticatorOptions& options = {})
      : find_(std::move(find)), clock_(clock), options_(options) {}

  /// The Authorization header's value and the client's address.
  /// Errors: kUnauthenticated `token_wrong`: none, no token, unknown, expired or revoked. kResourceExhausted
  /// `too_many_wrong_tokens`. kUnavailable, the store cannot say.
  /// Cost: a SHA-256 (0.3 us); once in `keep` a read of the store.
  Result<Principal> Admit(std::string_view authorization, std::string_view address) EXCLUDES(mu_);

  /// To be called once a credential was revoked or removed: every token is looked up anew.
  void Forget() EXCLUDES(mu_);

 private:
  struct HashOfHash {
    size_t operator()(const TokenHash& hash) const;
  };
  struct Known {
    Principal principal;
    std::chrono::nanoseconds until{0};  // Monotonic: looked up again from then on
  };
  struct Wrong {
    std::chrono::nanoseconds start{0};
    std::unordered_set<uint64_t> tokens;  // the first bytes of their hashes
  };
  enum class Look { kFresh, kUp, kWrong, kRefused };
  Look FindKnown(const TokenHash& hash, std::string_view address, Principal* principal, uint64_t* generation)
      EXCLUDES(mu_);
  void NoteWrong(const TokenHash& hash, std::string_view address) EXCLUDES(mu_);

  const Find find_;
  const Clock& clock_;
  const AuthenticatorOptions options_;
  mutable Mutex mu_;
  uint64_t generation_ GUARDED_BY(mu_) = 0;  // of Forget: an answer from before it is not kept
  std::unordered_map<TokenHash, Known, HashOfHash> known_ GUARDED_BY(mu_);
  std::unordered_map<std::string, Wrong> wrong_ GUARDED_BY(mu_);
};

}  // namespace pawsight::gateway
