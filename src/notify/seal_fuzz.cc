// Any bytes as a file of keys and as a stored secret: refused, or what is read is written back to the same; nothing
// opens that was not sealed.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "notify/seal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::notify;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const ReceiverKey receiver{"own_a", "rcv_a"};
  if (const auto keys = SecretKeys::Parse(text); keys.ok()) {
    CHECK(SecretKeys::Parse(keys->Text())->Text() == keys->Text());
    CHECK(keys->Open(receiver, keys->Seal(receiver, text).value()).value() == text);
  }
  static const SecretKeys kKeys = SecretKeys::Make().value();
  const auto opened = kKeys.Open(receiver, text);
  CHECK(opened.ok() != text.starts_with("sealed.1."));
  (void)kKeys.WantsSealing(text);
  return 0;
}
