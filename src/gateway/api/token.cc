#include "gateway/api/token.h"

#include <openssl/sha.h>
#include <sys/random.h>

#include <algorithm>

#include "base/check.h"

namespace pawsight::gateway {
namespace {

constexpr std::string_view kPrefix = "paw_";
constexpr std::string_view kBearer = "Bearer ";
constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t kSecretBytes = 32;
constexpr size_t kSecretLetters = 43;
constexpr std::string_view kRoleLetters = "aovd";  // in the order of events::Role

}  // namespace

std::string EncodeBase64Url(std::string_view bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t bits = 0;
  int held = 0;
  for (const char byte : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(byte);
    for (held += 8; held >= 6; held -= 6) text += kLetters[bits >> static_cast<unsigned>(held - 6) & 63U];
  }
  if (held > 0) text += kLetters[bits << static_cast<unsigned>(6 - held) & 63U];
  return text;
}

std::string NewToken(events::Role role) {
  std::array<char, kSecretBytes> secret{};
  CHECK(getrandom(secret.data(), secret.size(), 0) == static_cast<ssize_t>(secret.size()));
  return std::string(kPrefix) + kRoleLetters[static_cast<size_t>(role)] +
         EncodeBase64Url({secret.data(), secret.size()});
}

std::optional<std::string_view> TokenOf(std::string_view authorization) {
  if (!authorization.starts_with(kBearer)) return std::nullopt;
  const std::string_view token = authorization.substr(kBearer.size());
  if (token.size() != kPrefix.size() + 1 + kSecretLetters || !token.starts_with(kPrefix)) return std::nullopt;
  if (kRoleLetters.find(token[kPrefix.size()]) == std::string_view::npos) return std::nullopt;
  const std::string_view secret = token.substr(kPrefix.size() + 1);
  const bool letters =
      std::all_of(secret.begin(), secret.end(), [](char c) { return kLetters.find(c) != std::string_view::npos; });
  return letters ? std::optional(token) : std::nullopt;
}

TokenHash HashToken(std::string_view token) {
  TokenHash hash{};
  SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
  return hash;
}

}  // namespace pawsight::gateway
