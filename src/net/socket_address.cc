#include "net/socket_address.h"

#include <arpa/inet.h>

#include <array>

namespace pawsight::net {

socklen_t ToSocketAddress(const ListenAddress& listen, SocketAddress* address) {
  *address = {};
  if (inet_pton(AF_INET, listen.host.c_str(), &address->v4.sin_addr) == 1) {
    address->v4.sin_family = AF_INET;
    address->v4.sin_port = htons(static_cast<uint16_t>(listen.port));
    return sizeof address->v4;
  }
  if (inet_pton(AF_INET6, listen.host.c_str(), &address->v6.sin6_addr) != 1) return 0;
  address->v6.sin6_family = AF_INET6;
  address->v6.sin6_port = htons(static_cast<uint16_t>(listen.port));
  return sizeof address->v6;
}

bool IsLoopback(const SocketAddress& address) {
  if (address.any.sa_family == AF_INET) return ntohl(address.v4.sin_addr.s_addr) >> 24U == 127;
  return IN6_IS_ADDR_LOOPBACK(&address.v6.sin6_addr);
}

std::string IpOf(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.any.sa_family == AF_INET) inet_ntop(AF_INET, &address.v4.sin_addr, text.data(), text.size());
  if (address.any.sa_family == AF_INET6) inet_ntop(AF_INET6, &address.v6.sin6_addr, text.data(), text.size());
  return text.data();
}

std::string ToString(const SocketAddress& address) {
  if (address.any.sa_family == AF_INET) return IpOf(address) + ":" + std::to_string(ntohs(address.v4.sin_port));
  if (address.any.sa_family != AF_INET6) return "";
  return "[" + IpOf(address) + "]:" + std::to_string(ntohs(address.v6.sin6_port));
}

}  // namespace pawsight::net
