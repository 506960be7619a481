// Any bytes as a URL, a host, an address and a network: refused, or what is read is written back to the same, and a
// host that is an address is one that the classifier knows.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "notify/address.h"
#include "notify/url.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::notify;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto url = ParseUrl(text); url.ok()) {
    const auto again = ParseUrl(url->ToString());
    CHECK(again.ok() && again->ToString() == url->ToString() && IsWebPort(url->port));
    CHECK(url->ToString().find_first_of("\r\n\t @#\\") == std::string::npos ||
          url->target.find('@') != std::string::npos);
    CHECK(!url->host.is_address || IpAddress::Parse(url->host.name).ok());
  }
  if (const auto address = IpAddress::Parse(text); address.ok()) {
    CHECK(IpAddress::Parse(address->ToString()).value() == *address);
    const bool open = CheckAddress(*address, {}).ok();
    CHECK(open == (Classify(*address) == AddressKind::kPublic));
    const auto own = ParseAddressPolicy({address->ToString()});
    CHECK(own.ok());
    (void)CheckAddress(*address, *own);
  }
  if (const auto network = Network::Parse(text); network.ok()) (void)network->Contains(IpAddress::V4(0x7F000001));
  return 0;
}
