// notify/seal.h: receivers' secrets as they lie in the store: sealed with AES-256-GCM under a key that is kept beside
// the store and not in it, so that a copy of the store alone (a backup, a disk that is sent in) tells none of them.
// What is sealed is bound to its owner and receiver: moved to another row it does not open. It names its key, so a new
// key seals from now on while the old one still opens. Not here: the file (apps/receiver_keys.h), the rows
// (notify/seal_store.h). A value; thread-compatible, and thread-safe once made.
//
// Sealed: "sealed.1.KEY.DATA". KEY: 16 hexadecimal digits, the start of the key's SHA-256. DATA: base64 of a random
// nonce (12 bytes), as many bytes as the secret has, and the tag (16). Source: NIST SP 800-38D; nonces are random, so
// one key is good for some four billion sealings.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "notify/outbox.h"

namespace pawsight::notify {

class SecretKeys {
 public:
  static constexpr size_t kKeyBytes = 32;
  static constexpr size_t kMaxKeys = 16;

  /// None: secrets are stored and given as they are. For tests.
  SecretKeys() = default;
  /// One new key. Errors: kUnavailable, the system gives no random numbers.
  static Result<SecretKeys> Make();
  /// A key a line, the base64 of 32 random bytes; the first seals, all open. Empty lines and those that begin with "#"
  /// are passed over. Errors: kInvalidArgument, another text, no key or more than kMaxKeys; the message has none of it.
  static Result<SecretKeys> Parse(std::string_view text);
  /// Nothing can be sealed or opened, because of `why`; what lies unsealed is given all the same.
  static SecretKeys Unusable(Status why);

  /// As Parse reads it.
  std::string Text() const;

  /// Errors: that of Unusable; kUnavailable, no random numbers.
  Result<std::string> Seal(const ReceiverKey& receiver, std::string_view secret) const;
  /// What is not sealed is given as it is. Errors: that of Unusable; kDataLoss `secret_sealed`: sealed under a key that
  /// is not here, for another receiver, or damaged.
  Result<std::string> Open(const ReceiverKey& receiver, const std::string& stored) const;
  /// It is sealed, under whatever key.
  static bool IsSealed(std::string_view stored);
  /// There is a key, and it is not sealed or not under the newest.
  bool WantsSealing(std::string_view stored) const;

 private:
  struct Key {
    std::string id;
    std::array<uint8_t, kKeyBytes> bytes{};
  };
  static Key KeyOf(std::string_view bytes);

  Status trouble_;
  std::vector<Key> keys_;
};

}  // namespace pawsight::notify
