#include "notify/seal.h"

#include <openssl/evp.h>
#include <sys/random.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>

#include "base/base64.h"
#include "base/hexadecimal.h"

namespace pawsight::notify {
namespace {

constexpr std::string_view kStart = "sealed.1.";
constexpr size_t kIdDigits = 16;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

using Cipher = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Status FillRandom(void* bytes, size_t size) {
  if (getrandom(bytes, size, 0) == static_cast<ssize_t>(size)) return Ok();
  return Unavailable("the system gives no random numbers");
}

/// A cipher that knows key and nonce and has seen whose secret it is; null when OpenSSL has none.
Cipher Begin(bool seal, const uint8_t* key, std::string_view nonce, const ReceiverKey& receiver) {
  Cipher cipher(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  const std::string whose = "receiver " + receiver.owner + " " + receiver.receiver;  // ids have no spaces
  int ignored = 0;
  const bool begun =
      cipher != nullptr &&
      EVP_CipherInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key, Bytes(nonce), seal ? 1 : 0) == 1 &&
      EVP_CipherUpdate(cipher.get(), nullptr, &ignored, Bytes(std::string_view(whose)),
                       static_cast<int>(whose.size())) == 1;
  return begun ? std::move(cipher) : Cipher(nullptr, EVP_CIPHER_CTX_free);
}

/// The key's id and what follows it; empty of what is not sealed.
std::pair<std::string_view, std::string_view> Parts(std::string_view stored) {
  if (!stored.starts_with(kStart) || stored.size() <= kStart.size() + kIdDigits) return {};
  const std::string_view rest = stored.substr(kStart.size());
  if (rest[kIdDigits] != '.') return {};
  return {rest.substr(0, kIdDigits), rest.substr(kIdDigits + 1)};
}

Status Sealed(const std::string& why) { return DataLoss("the receiver's secret " + why, "secret_sealed"); }

}  // namespace

SecretKeys::Key SecretKeys::KeyOf(std::string_view bytes) {
  Key key;
  std::memcpy(key.bytes.data(), bytes.data(), kKeyBytes);
  unsigned char digest[EVP_MAX_MD_SIZE];
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest, nullptr, EVP_sha256(), nullptr) == 1);
  key.id = Hexadecimal(std::span(digest).first(kIdDigits / 2));
  return key;
}

Result<SecretKeys> SecretKeys::Make() {
  std::string bytes(kKeyBytes, '\0');
  PAWSIGHT_RETURN_IF_ERROR(FillRandom(bytes.data(), bytes.size()));
  SecretKeys keys;
  keys.keys_.push_back(KeyOf(bytes));
  return keys;
}

Result<SecretKeys> SecretKeys::Parse(std::string_view text) {
  SecretKeys keys;
  int number = 0;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    ++number;
    while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
    if (line.empty() || line.starts_with('#')) continue;
    const Result<std::string> bytes = DecodeBase64(line);
    if (!bytes.ok() || bytes->size() != kKeyBytes || keys.keys_.size() >= kMaxKeys) {
      return InvalidArgument("line " + std::to_string(number) + ": want the base64 of 32 bytes, at most " +
                             std::to_string(kMaxKeys) + " lines of it");
    }
    keys.keys_.push_back(KeyOf(*bytes));
  }
  if (keys.keys_.empty()) return InvalidArgument("want a line with the base64 of 32 random bytes");
  return keys;
}

SecretKeys SecretKeys::Unusable(Status why) {
  SecretKeys keys;
  keys.trouble_ = std::move(why);
  return keys;
}

std::string SecretKeys::Text() const {
  std::string text;
  for (const Key& key : keys_) {
    text += EncodeBase64({reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size()}) + "\n";
  }
  return text;
}

bool SecretKeys::IsSealed(std::string_view stored) { return stored.starts_with(kStart); }

bool SecretKeys::WantsSealing(std::string_view stored) const {
  return !keys_.empty() && !stored.empty() && Parts(stored).first != keys_.front().id;
}

Result<std::string> SecretKeys::Seal(const ReceiverKey& receiver, std::string_view secret) const {
  PAWSIGHT_RETURN_IF_ERROR(trouble_);
  if (keys_.empty()) return std::string(secret);
  const Key& key = keys_.front();
  std::string nonce(kNonceBytes, '\0');
  PAWSIGHT_RETURN_IF_ERROR(FillRandom(nonce.data(), nonce.size()));
  std::string data(secret.size(), '\0'), tag(kTagBytes, '\0');
  int written = 0, rest = 0;
  const Cipher cipher = Begin(true, key.bytes.data(), nonce, receiver);
  CHECK(cipher != nullptr);
  CHECK(EVP_EncryptUpdate(cipher.get(), Bytes(data), &written, Bytes(secret), static_cast<int>(secret.size())) == 1);
  CHECK(EVP_EncryptFinal_ex(cipher.get(), Bytes(data) + written, &rest) == 1);
  CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(tag.size()), tag.data()) == 1);
  return std::string(kStart) + key.id + "." + EncodeBase64(nonce + data + tag);
}

Result<std::string> SecretKeys::Open(const ReceiverKey& receiver, const std::string& stored) const {
  if (!stored.starts_with(kStart)) return stored;
  PAWSIGHT_RETURN_IF_ERROR(trouble_);
  const auto [id, text] = Parts(stored);
  const auto key = std::find_if(keys_.begin(), keys_.end(), [id = id](const Key& each) { return each.id == id; });
  if (key == keys_.end()) return Sealed("is sealed under the key " + std::string(id) + ", which is not there");
  const Result<std::string> bytes = DecodeBase64(text);
  if (!bytes.ok() || bytes->size() < kNonceBytes + kTagBytes) return Sealed("is damaged");
  const std::string_view nonce = std::string_view(*bytes).substr(0, kNonceBytes);
  const std::string_view data = std::string_view(*bytes).substr(kNonceBytes, bytes->size() - kNonceBytes - kTagBytes);
  std::string tag = bytes->substr(bytes->size() - kTagBytes);
  std::string secret(data.size(), '\0');
  int written = 0, rest = 0;
  const Cipher cipher = Begin(false, key->bytes.data(), nonce, receiver);
  CHECK(cipher != nullptr);
  const bool genuine =
      EVP_DecryptUpdate(cipher.get(), Bytes(secret), &written, Bytes(data), static_cast<int>(data.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(tag.size()), tag.data()) == 1 &&
      EVP_DecryptFinal_ex(cipher.get(), Bytes(secret) + written, &rest) == 1;
  if (!genuine) return Sealed("is damaged, or another receiver's");
  return secret;
}

}  // namespace pawsight::notify
