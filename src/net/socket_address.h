// net/socket_address.h: an IP address and port as the system has them. Values; functions without state.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "net/http.h"

namespace pawsight::net {

union SocketAddress {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

/// The length, or 0 when the host is no IP address.
socklen_t ToSocketAddress(const ListenAddress& listen, SocketAddress* address);

bool IsLoopback(const SocketAddress& address);

/// "127.0.0.1", "::1"; "" when it is neither IPv4 nor IPv6.
std::string IpOf(const SocketAddress& address);
/// "127.0.0.1:51324", "[::1]:51324"; "" when it is neither IPv4 nor IPv6.
std::string ToString(const SocketAddress& address);

}  // namespace pawsight::net
