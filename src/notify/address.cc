#include "notify/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <charconv>
#include <cstring>

namespace pawsight::notify {
namespace {

constexpr size_t kMaxNetworks = 64;

struct V4Row {
  uint32_t base;
  int prefix;
  AddressKind kind;
};
/// The first row that contains the address says its kind; in none, it is public.
constexpr V4Row kV4Rows[] = {
    {0x00000000, 8, AddressKind::kUnspecified},     // 0.0.0.0/8
    {0x7F000000, 8, AddressKind::kLoopback},        // 127.0.0.0/8
    {0x0A000000, 8, AddressKind::kPrivate},         // 10.0.0.0/8
    {0xAC100000, 12, AddressKind::kPrivate},        // 172.16.0.0/12
    {0xC0A80000, 16, AddressKind::kPrivate},        // 192.168.0.0/16
    {0xA9FE0000, 16, AddressKind::kLinkLocal},      // 169.254.0.0/16
    {0x64400000, 10, AddressKind::kSharedNat},      // 100.64.0.0/10
    {0xC0000200, 24, AddressKind::kDocumentation},  // 192.0.2.0/24
    {0xC6336400, 24, AddressKind::kDocumentation},  // 198.51.100.0/24
    {0xCB007100, 24, AddressKind::kDocumentation},  // 203.0.113.0/24
    {0xC0586300, 24, AddressKind::kTunnel},         // 192.88.99.0/24, the relays of 6to4
    {0xC0000000, 24, AddressKind::kReserved},       // 192.0.0.0/24
    {0xC6120000, 15, AddressKind::kReserved},       // 198.18.0.0/15, benchmarks
    {0xE0000000, 4, AddressKind::kMulticast},       // 224.0.0.0/4
    {0xF0000000, 4, AddressKind::kReserved},        // 240.0.0.0/4 and broadcast
};

struct V6Row {
  uint64_t high;
  uint64_t low;
  int prefix;
  AddressKind kind;
};
/// As above; in none, it is public within 2000::/3 and reserved outside.
constexpr V6Row kV6Rows[] = {
    {0, 0, 128, AddressKind::kUnspecified},                    // ::
    {0, 1, 128, AddressKind::kLoopback},                       // ::1
    {0xFC00000000000000, 0, 7, AddressKind::kPrivate},         // fc00::/7
    {0xFEC0000000000000, 0, 10, AddressKind::kPrivate},        // fec0::/10, deprecated
    {0xFE80000000000000, 0, 10, AddressKind::kLinkLocal},      // fe80::/10
    {0xFF00000000000000, 0, 8, AddressKind::kMulticast},       // ff00::/8
    {0x0064FF9B00000000, 0, 96, AddressKind::kTunnel},         // 64:ff9b::/96, NAT64
    {0x0064FF9B00010000, 0, 48, AddressKind::kTunnel},         // 64:ff9b:1::/48, NAT64 of one's own
    {0x2002000000000000, 0, 16, AddressKind::kTunnel},         // 2002::/16, 6to4
    {0x2001000000000000, 0, 32, AddressKind::kTunnel},         // 2001::/32, Teredo
    {0x20010DB800000000, 0, 32, AddressKind::kDocumentation},  // 2001:db8::/32
    {0x3FFF000000000000, 0, 20, AddressKind::kDocumentation},  // 3fff::/20
    {0x2001000000000000, 0, 23, AddressKind::kReserved},       // 2001::/23, protocols' own
};

/// The first `prefix` bits of 64, 0..64.
constexpr uint64_t Mask(int prefix) {
  return prefix <= 0 ? 0 : prefix >= 64 ? ~uint64_t{0} : ~uint64_t{0} << (64 - prefix);
}

constexpr bool InV4(uint32_t bits, uint32_t base, int prefix) {
  return ((uint64_t{bits} << 32U) & Mask(prefix)) == ((uint64_t{base} << 32U) & Mask(prefix));
}

constexpr bool InV6(uint64_t high, uint64_t low, uint64_t base_high, uint64_t base_low, int prefix) {
  return (high & Mask(prefix)) == (base_high & Mask(prefix)) &&
         (low & Mask(prefix - 64)) == (base_low & Mask(prefix - 64));
}

bool IsAllowed(const IpAddress& address, const AddressPolicy& policy) {
  for (const Network& network : policy.allowed) {
    if (network.Contains(address)) return true;
  }
  return false;
}

}  // namespace

IpAddress IpAddress::V4(uint32_t bits) { return {true, 0, bits}; }

IpAddress IpAddress::V6(const std::array<uint8_t, 16>& bytes) {
  uint64_t high = 0, low = 0;
  for (size_t i = 0; i < 8; ++i) {
    high = high << 8U | bytes[i];
    low = low << 8U | bytes[i + 8];
  }
  if (high == 0 && low >> 32U == 0xFFFF) return V4(static_cast<uint32_t>(low));
  return {false, high, low};
}

Result<IpAddress> IpAddress::Parse(std::string_view text) {
  const std::string copy(text);
  if (copy.size() == text.size() && copy.find('\0') == std::string::npos) {
    in_addr v4{};
    if (inet_pton(AF_INET, copy.c_str(), &v4) == 1) return V4(ntohl(v4.s_addr));
    std::array<uint8_t, 16> bytes{};
    if (inet_pton(AF_INET6, copy.c_str(), bytes.data()) == 1) return V6(bytes);
  }
  return InvalidArgument("want an IP address: four decimal numbers without leading zeros, or IPv6 without a zone");
}

Result<IpAddress> IpAddress::FromSockaddr(const sockaddr* address) {
  // Copied, not cast: the pointer may be to bytes of any alignment.
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return V4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    std::array<uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return V6(bytes);
  }
  return InvalidArgument("no internet address");
}

std::string IpAddress::ToString() const {
  char text[INET6_ADDRSTRLEN] = {};
  if (is_v4_) {
    const in_addr bytes{htonl(v4())};
    inet_ntop(AF_INET, &bytes, text, sizeof text);
    return text;
  }
  in6_addr v6{};
  for (size_t i = 0; i < 8; ++i) {
    v6.s6_addr[i] = static_cast<uint8_t>(high_ >> (56 - 8 * i));
    v6.s6_addr[i + 8] = static_cast<uint8_t>(low_ >> (56 - 8 * i));
  }
  inet_ntop(AF_INET6, &v6, text, sizeof text);
  return text;
}

std::string_view AddressKindName(AddressKind kind) {
  switch (kind) {
    case AddressKind::kPublic:
      return "public";
    case AddressKind::kUnspecified:
      return "unspecified";
    case AddressKind::kLoopback:
      return "loopback";
    case AddressKind::kPrivate:
      return "private";
    case AddressKind::kLinkLocal:
      return "link-local";
    case AddressKind::kSharedNat:
      return "shared NAT";
    case AddressKind::kMulticast:
      return "multicast";
    case AddressKind::kDocumentation:
      return "documentation";
    case AddressKind::kTunnel:
      return "IPv4 inside IPv6";
    case AddressKind::kReserved:
      return "reserved";
  }
  CHECK(false);
}

std::optional<IpAddress> CarriedV4(const IpAddress& address) {
  if (address.is_v4()) return std::nullopt;
  if (address.high() == 0x0064FF9B00000000 && address.low() >> 32U == 0) {
    return IpAddress::V4(static_cast<uint32_t>(address.low()));
  }
  if (address.high() >> 48U == 0x2002) return IpAddress::V4(static_cast<uint32_t>(address.high() >> 16U));
  return std::nullopt;
}

AddressKind Classify(const IpAddress& address) {
  if (address.is_v4()) {
    for (const V4Row& row : kV4Rows) {
      if (InV4(address.v4(), row.base, row.prefix)) return row.kind;
    }
    return AddressKind::kPublic;
  }
  for (const V6Row& row : kV6Rows) {
    if (InV6(address.high(), address.low(), row.high, row.low, row.prefix)) return row.kind;
  }
  return address.high() >> 61U == 1 ? AddressKind::kPublic : AddressKind::kReserved;
}

Result<Network> Network::Parse(std::string_view text) {
  const size_t slash = text.find('/');
  PAWSIGHT_ASSIGN_OR_RETURN(const IpAddress base, IpAddress::Parse(text.substr(0, slash)));
  const int longest = base.is_v4() ? 32 : 128;
  int prefix = longest;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc{} || end != digits.data() + digits.size() || prefix < 0 || prefix > longest)
      return InvalidArgument("want a prefix of 0.." + std::to_string(longest) + " behind the slash");
  }
  const bool bits_behind = base.is_v4() ? ((uint64_t{base.v4()} << 32U) & ~Mask(prefix)) != 0
                                        : (base.high() & ~Mask(prefix)) != 0 || (base.low() & ~Mask(prefix - 64)) != 0;
  if (bits_behind) return InvalidArgument("bits are set behind the prefix");
  return Network(base, prefix);
}

bool Network::Contains(const IpAddress& address) const {
  if (address.is_v4() != base_.is_v4()) return false;
  return address.is_v4() ? InV4(address.v4(), base_.v4(), prefix_)
                         : InV6(address.high(), address.low(), base_.high(), base_.low(), prefix_);
}

Result<AddressPolicy> ParseAddressPolicy(const std::vector<std::string>& networks) {
  if (networks.size() > kMaxNetworks)
    return InvalidArgument("want at most " + std::to_string(kMaxNetworks) + " networks");
  AddressPolicy policy;
  for (const std::string& text : networks) {
    auto network = Network::Parse(text);
    if (!network.ok()) return Annotate(network.status(), text);
    policy.allowed.push_back(*network);
  }
  return policy;
}

Status CheckAddress(const IpAddress& address, const AddressPolicy& policy) {
  const AddressKind kind = Classify(address);
  if (kind == AddressKind::kPublic) return Ok();
  const Status refused = PermissionDenied("the receiver's address is " + std::string(AddressKindName(kind)) +
                                              ", which receivers may not use unless the operator allows that network",
                                          "address_refused");
  if (!IsAllowed(address, policy)) return refused;
  const std::optional<IpAddress> inside = CarriedV4(address);
  if (!inside) return Ok();
  return Classify(*inside) == AddressKind::kPublic || IsAllowed(*inside, policy) ? Ok() : refused;
}

Status CheckAddresses(const std::vector<IpAddress>& addresses, const AddressPolicy& policy) {
  if (addresses.empty()) return Unavailable("the receiver's name has no address");
  for (const IpAddress& address : addresses) PAWSIGHT_RETURN_IF_ERROR(CheckAddress(address, policy));
  return Ok();
}

}  // namespace pawsight::notify
