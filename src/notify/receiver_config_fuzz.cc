// Any JSON as a receiver: refused with a reason, or a checked configuration, and its document in two parts is the same
// again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "notify/receiver_config.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight;
  const auto json = Json::Parse({reinterpret_cast<const char*>(data), size}, {.max_bytes = 4096});
  if (!json.ok()) return 0;
  const notify::ReceiverPolicy open = {notify::ParseAddressPolicy({"0.0.0.0/0", "::/0"}).value(), true};
  const auto config = notify::ParseReceiver(*json, open);
  if (!config.ok()) {
    CHECK(!config.status().message().empty());
    return 0;
  }
  const notify::SplitDocument split = notify::SplitSecrets(*json);
  CHECK(notify::ParseReceiver(notify::JoinSecrets(split.open, split.secret), open).ok());
  CHECK(notify::PlaceOf(*config).second >= 1);
  return 0;
}
