// notify/url.h: the URL of a receiver, read strictly: what two programs could read differently is refused, so that what
// is checked is what is connected to. Not here: whether its address may be used (notify/address.h).
// Values; thread-compatible.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace pawsight::notify {

inline constexpr size_t kMaxUrlBytes = 2048;

/// A checked host: a DNS name in lower case or an IP address as IpAddress::ToString writes it, without brackets.
struct Host {
  std::string name;
  bool is_address = false;
};
/// A name is 1..253 bytes of labels of 1..63 letters, digits and hyphens, no dot at its end; names in other scripts are
/// written as xn--. One whose last label is a number is an IPv4 address written plainly or nothing: 2130706433,
/// 0177.0.0.1, 0x7f.1 and 127.1 are refused.
/// Errors: kInvalidArgument.
Result<Host> ParseHost(std::string_view text);

struct Url {
  bool secure = true;  // https
  Host host;
  int port = 443;
  std::string target = "/";  // path and query, as written

  /// "https://host:port/target"; IPv6 in brackets, the port only when it is not the scheme's own.
  std::string ToString() const;
  /// "https://host:port": what may be shown; a target may hold a secret.
  std::string Origin() const;
};

/// http and https only. Refused: a user or password, a fragment, spaces, controls, bytes that are not ASCII,
/// backslashes, %00, %0a, %0d, a host that ParseHost refuses, and a port on which something else than HTTP is usual:
/// all below 1024 but 80 and 443, and those of well-known databases and such. Errors: kInvalidArgument.
Result<Url> ParseUrl(std::string_view text);

/// False for the ports that ParseUrl refuses.
bool IsWebPort(int port);

}  // namespace pawsight::notify
