// net/secret.h: comparing what a caller sent with a secret. Thread-safe: functions without state.
#pragma once

#include <string_view>

namespace pawsight::net {

/// Looks at every byte of `given`, so that the time taken tells nothing of where the two differ.
inline bool SameSecret(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() && !secret.empty() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i) {
    const char other = secret.empty() ? '\0' : secret[i % secret.size()];
    difference |= static_cast<unsigned>(static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(other));
  }
  return difference == 0;
}

/// Whether the value of an Authorization header is "Bearer TOKEN".
inline bool IsBearer(std::string_view authorization, std::string_view token) {
  static constexpr std::string_view kScheme = "Bearer ";
  return authorization.starts_with(kScheme) && SameSecret(authorization.substr(kScheme.size()), token);
}

}  // namespace pawsight::net
