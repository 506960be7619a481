#include "rpc/connection_guard.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <malloc.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/memory.h"
#include "net/socket_address.h"

namespace pawsight::rpc {
namespace {

/// What malloc has given out; 0 where another allocator stands in its place, as under the sanitizers.
size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/// An IPv4 address in IPv6's clothes is told as what it is, as gRPC does.
net::SocketAddress Plain(const net::SocketAddress& address) {
  if (address.any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr)) return address;
  net::SocketAddress plain{};
  plain.v4.sin_family = AF_INET;
  plain.v4.sin_port = address.v6.sin6_port;
  std::memcpy(&plain.v4.sin_addr, &address.v6.sin6_addr.s6_addr[12], sizeof plain.v4.sin_addr);
  return plain;
}

/// Its peer, when it is a connection that was accepted on `port`; else "".
std::string PeerOf(int socket, int port) {
  net::SocketAddress own{};
  socklen_t size = sizeof own;
  if (getsockname(socket, &own.any, &size) != 0) return "";
  const bool inet = own.any.sa_family == AF_INET || own.any.sa_family == AF_INET6;
  if (!inet || ntohs(own.v4.sin_port) != port) return "";  // both kinds have the port in the same place
  net::SocketAddress peer{};
  size = sizeof peer;
  if (getpeername(socket, &peer.any, &size) != 0) return "";
  return net::ToString(Plain(peer));
}

}  // namespace

std::vector<size_t> ConnectionsToCut(std::span<const GuardedConnection> connections) {
  uint64_t most = 0;
  for (const GuardedConnection& connection : connections) most = std::max(most, Unaccounted(connection));
  const uint64_t least = std::max(kLeastUnaccounted, most / 2);
  std::vector<size_t> chosen;
  for (size_t i = 0; i < connections.size(); ++i) {
    if (Unaccounted(connections[i]) >= least) chosen.push_back(i);
  }
  return chosen;
}

ConnectionGuard::ConnectionGuard(size_t limit, const Clock& clock)
    : limit_(limit), clock_(clock), resident_at_start_(ResidentBytes()), allocated_at_start_(AllocatedBytes()) {}

void ConnectionGuard::Start(int port) {
  port_ = port;
  thread_ = std::thread([this] { Watch(); });
}

ConnectionGuard::~ConnectionGuard() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
}

void ConnectionGuard::Ended(const std::string& peer, size_t message_bytes) {
  MutexLock lock(mu_);
  accounted_[peer] += AccountFor(message_bytes);
}

void ConnectionGuard::Watch() {
  (void)pthread_setname_np(pthread_self(), "grpc_guard");
  std::chrono::nanoseconds next_cut{0};
  std::chrono::nanoseconds next_settle{0};
  while (true) {
    {
      MutexLock lock(mu_);
      if (!stopping_) clock_.WaitUntil(mu_, changed_, clock_.Monotonic() + kLook);
      if (stopping_) return;
    }
    const std::chrono::nanoseconds now = clock_.Monotonic();
    if (now >= next_settle) {
      (void)Connections();
      next_settle = now + kSettle;
    }
    if (now < next_cut || !HoldsTooMuch()) continue;
    Cut();
    next_cut = now + kPatience;
  }
}

/// What is resident is quickly read, but stays when it is freed; what is allocated takes a walk over what is free.
bool ConnectionGuard::HoldsTooMuch() const {
  return ResidentBytes() > resident_at_start_ + limit_ && AllocatedBytes() > allocated_at_start_ + limit_;
}

/// Those that there are; forgets the others, and what calls account for beyond what was sent.
std::vector<GuardedConnection> ConnectionGuard::Connections() {
  std::vector<GuardedConnection> connections;
  std::error_code ended;
  for (std::filesystem::directory_iterator it("/proc/self/fd", ended), end; !ended && it != end; it.increment(ended)) {
    const int socket = std::atoi(it->path().filename().c_str());
    GuardedConnection connection{.peer = PeerOf(socket, port_), .socket = socket};
    if (connection.peer.empty()) continue;
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) continue;
    connection.received = info.tcpi_bytes_received;
    connections.push_back(std::move(connection));
  }
  MutexLock lock(mu_);
  std::unordered_map<std::string, uint64_t> known;
  for (GuardedConnection& connection : connections) {
    const auto found = accounted_.find(connection.peer);
    if (found == accounted_.end()) continue;
    connection.accounted = std::min(found->second, connection.received);
    known.emplace(connection.peer, connection.accounted);
  }
  accounted_ = std::move(known);
  return connections;
}

void ConnectionGuard::Cut() {
  const std::vector<GuardedConnection> connections = Connections();
  const std::vector<size_t> chosen = ConnectionsToCut(connections);
  if (chosen.empty()) {
    LogWarning("grpc_none_to_cut", {{"reason", "the process holds too much, and no connection has sent much of it"}});
  }
  for (const size_t i : chosen) {
    const GuardedConnection& connection = connections[i];
    // Our own number for it: gRPC may close its own at any moment, and the next file would have that.
    const int own = fcntl(connection.socket, F_DUPFD_CLOEXEC, 0);
    if (own < 0) continue;
    if (PeerOf(own, port_) == connection.peer) {  // else it has gone by itself
      num_cut_.fetch_add(1);                      // who sees it cut sees it counted
      // Disconnecting resets it and drops what was not read; shutting it down would have gRPC read that first.
      const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
      if (connect(own, &nobody, sizeof nobody) == 0) {
        LogWarning("grpc_connection_cut",
                   {{"peer", connection.peer},
                    {"reason", "the process held too much, and it had sent the most that ended in nothing"}});
      } else {
        num_cut_.fetch_sub(1);
      }
    }
    close(own);
  }
}

}  // namespace pawsight::rpc
