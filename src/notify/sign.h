// notify/sign.h: signatures of webhooks as Standard Webhooks 1.0.0 defines them
// (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md), the symmetric scheme
// v1: HMAC-SHA256 over "ID.TIMESTAMP.BODY" with a secret that sender and receiver share. Values; thread-compatible.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace pawsight::notify {

/// 24 to 64 bytes, written "whsec_" and their base64.
class SigningSecret {
 public:
  /// Errors: kInvalidArgument; the message never holds the text.
  static Result<SigningSecret> Parse(std::string_view text);
  /// A new one of 32 bytes from the system's random numbers. Errors: kUnavailable, there are none.
  static Result<SigningSecret> Make();

  /// "whsec_...": to be shown once, kept sealed, never logged.
  std::string Text() const;
  const std::string& bytes() const { return bytes_; }
  friend bool operator==(const SigningSecret&, const SigningSecret&) = default;

 private:
  explicit SigningSecret(std::string bytes) : bytes_(std::move(bytes)) {}
  std::string bytes_;
};

/// The value of the header `webhook-signature`: "v1,BASE64" for each secret, separated by spaces, so that a receiver
/// that knows one of two takes it while a secret is being replaced. `id` holds no dot (CHECK): else two messages could
/// have one signature. `timestamp` is that of the attempt, Unix seconds.
std::string SignatureHeader(std::span<const SigningSecret> secrets, std::string_view id, int64_t timestamp,
                            std::string_view body);

}  // namespace pawsight::notify
