// notify/address.h: at which addresses a receiver may stand. An owner names a receiver's host, and the gateway connects
// to it from inside its own network: without this guard that host may be the router's page, a database or a cloud's
// metadata service (server-side request forgery). Pure functions of the address; used when a receiver is made and again
// for the address that is connected to. Not here: resolving names (notify/lookup.h), reading URLs (notify/url.h).
// Values; thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

struct sockaddr;

namespace pawsight::notify {

/// An IPv4 or IPv6 address. An IPv4 address written as IPv6 (::ffff:a.b.c.d) is that IPv4 address: the system connects
/// to the same host.
class IpAddress {
 public:
  /// "192.0.2.7" (four decimal numbers without leading zeros, nothing else) or "2001:db8::7" without a zone.
  /// Errors: kInvalidArgument.
  static Result<IpAddress> Parse(std::string_view text);
  /// Errors: kInvalidArgument, another family than AF_INET and AF_INET6.
  static Result<IpAddress> FromSockaddr(const sockaddr* address);
  static IpAddress V4(uint32_t bits);
  static IpAddress V6(const std::array<uint8_t, 16>& bytes);

  bool is_v4() const { return is_v4_; }
  /// Of an IPv4 address: the most significant byte is the first number.
  uint32_t v4() const { return static_cast<uint32_t>(low_); }
  /// Of an IPv6 address: its first and its last 64 bits.
  uint64_t high() const { return high_; }
  uint64_t low() const { return low_; }
  std::string ToString() const;

  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  IpAddress(bool is_v4, uint64_t high, uint64_t low) : is_v4_(is_v4), high_(high), low_(low) {}
  bool is_v4_;
  uint64_t high_;
  uint64_t low_;
};

/// What an address is for, by the registries of special-purpose addresses (RFC 6890 and its updates).
enum class AddressKind {
  kPublic,
  kUnspecified,    // 0.0.0.0/8, ::
  kLoopback,       // 127.0.0.0/8, ::1
  kPrivate,        // 10/8, 172.16/12, 192.168/16, fc00::/7, fec0::/10
  kLinkLocal,      // 169.254/16, fe80::/10; metadata services of clouds stand here
  kSharedNat,      // 100.64/10
  kMulticast,      // 224/4, ff00::/8
  kDocumentation,  // 192.0.2/24, 198.51.100/24, 203.0.113/24, 2001:db8::/32, 3fff::/20
  kTunnel,         // an IPv4 address in IPv6: 64:ff9b::/96, 64:ff9b:1::/48, 2002::/16, Teredo; and 192.88.99/24
  kReserved,       // all else that is no ordinary host: 240/4, 192.0.0/24, 198.18/15, outside of 2000::/3, 2001::/23
};
/// "public", "loopback", "link-local" and so on.
std::string_view AddressKindName(AddressKind kind);
AddressKind Classify(const IpAddress& address);
/// The IPv4 address that is reached by way of this one: NAT64's well-known prefix has it in its last 32 bits (RFC
/// 6052), 6to4 behind its first 16 (RFC 3056). Of any other none.
std::optional<IpAddress> CarriedV4(const IpAddress& address);

/// "192.168.0.0/16", "fd00::/8"; without a slash one address.
class Network {
 public:
  /// Errors: kInvalidArgument: no address, a prefix out of range, or bits set behind the prefix.
  static Result<Network> Parse(std::string_view text);
  bool Contains(const IpAddress& address) const;

 private:
  Network(IpAddress base, int prefix) : base_(base), prefix_(prefix) {}
  IpAddress base_;
  int prefix_;
};

/// What the operator lets owners reach besides public addresses; a home sets its own network.
struct AddressPolicy {
  std::vector<Network> allowed;
};

/// A list as the setting has it: networks separated by commas, at most 64. Errors: kInvalidArgument, naming the
/// network.
Result<AddressPolicy> ParseAddressPolicy(const std::vector<std::string>& networks);

/// OK when the address is public or in an allowed network. An address that carries an IPv4 one (CarriedV4)
/// also needs that one to be so: an allowed translator does not open what stands behind it.
/// Errors: kPermissionDenied `address_refused`, with the kind; it names no address, so that a name cannot be used to
/// learn how the inside is numbered.
Status CheckAddress(const IpAddress& address, const AddressPolicy& policy);

/// All of them, and there is at least one. Errors: CheckAddress's of the first that is refused; kUnavailable, none.
Status CheckAddresses(const std::vector<IpAddress>& addresses, const AddressPolicy& policy);

}  // namespace pawsight::notify
