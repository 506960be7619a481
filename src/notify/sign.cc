#include "notify/sign.h"

#include <openssl/hmac.h>
#include <sys/random.h>

#include "base/base64.h"

namespace pawsight::notify {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr size_t kMinBytes = 24;
constexpr size_t kMaxBytes = 64;
constexpr size_t kNewBytes = 32;

std::string HmacSha256(std::string_view key, std::string_view text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  const unsigned char* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
                                   reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &length);
  CHECK(made != nullptr);
  return {reinterpret_cast<const char*>(digest), length};
}

}  // namespace

Result<SigningSecret> SigningSecret::Parse(std::string_view text) {
  const Status wanted = InvalidArgument("want \"whsec_\" and the base64 of 24..64 random bytes");
  if (!text.starts_with(kPrefix) || text.size() > 256) return wanted;
  auto bytes = DecodeBase64(text.substr(kPrefix.size()));
  if (!bytes.ok() || bytes->size() < kMinBytes || bytes->size() > kMaxBytes) return wanted;
  return SigningSecret(*std::move(bytes));
}

Result<SigningSecret> SigningSecret::Make() {
  std::string bytes(kNewBytes, '\0');
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return Unavailable("the system gives no random numbers");
  return SigningSecret(std::move(bytes));
}

std::string SigningSecret::Text() const { return std::string(kPrefix) + EncodeBase64(bytes_); }

std::string SignatureHeader(std::span<const SigningSecret> secrets, std::string_view id, int64_t timestamp,
                            std::string_view body) {
  CHECK(id.find('.') == std::string_view::npos);
  std::string signed_text;
  signed_text.reserve(id.size() + body.size() + 24);
  signed_text.append(id).append(".").append(std::to_string(timestamp)).append(".").append(body);
  std::string header;
  for (const SigningSecret& secret : secrets) {
    if (!header.empty()) header += ' ';
    header += "v1," + EncodeBase64(HmacSha256(secret.bytes(), signed_text));
  }
  return header;
}

}  // namespace pawsight::notify
