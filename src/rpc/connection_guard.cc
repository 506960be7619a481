#include "rpc/connection_guard.h"

#include <fcntl.h>
#include <linux/tcp.h>
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

#include "base/check.h"
#include "base/log.h"
#include "base/memory.h"
#include "net/socket_address.h"

namespace pawsight::rpc {
namespace {

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

uint64_t SharedFloor(size_t limit, size_t num_connections) {
  const uint64_t share = limit / kHeldForOne / std::max<size_t>(num_connections, 1);
  return std::clamp<uint64_t>(share, kLeastShared, kLeastUnaccounted);
}

std::vector<size_t> SteadyWatch::Look(std::span<const GuardedConnection> connections, size_t limit) {
  std::unordered_map<std::string, uint64_t> least;
  for (const GuardedConnection& connection : connections) {
    const auto before = least_.find(connection.peer);
    if (looks_ > 0 && before == least_.end()) continue;
    const uint64_t now = Unaccounted(connection);
    least[connection.peer] = looks_ == 0 ? now : std::min(now, before->second);
  }
  least_ = std::move(least);
  std::vector<size_t> chosen;
  if (++looks_ < kLooks) return chosen;
  const uint64_t floor = SharedFloor(limit, connections.size());
  for (size_t i = 0; i < connections.size(); ++i) {
    const auto found = least_.find(connections[i].peer);
    if (found != least_.end() && found->second >= floor) chosen.push_back(i);
  }
  Reset();
  return chosen;
}

std::vector<size_t> CutPolicy::Look(std::span<const GuardedConnection> connections, size_t limit,
                                    std::chrono::nanoseconds now) {
  std::vector<size_t> chosen;
  if (now >= next_cut_) chosen = ConnectionsToCut(connections);
  if (!chosen.empty()) next_cut_ = now + kPatience;
  for (const size_t steady : steady_.Look(connections, limit)) {
    if (std::ranges::find(chosen, steady) == chosen.end()) chosen.push_back(steady);
  }
  none_to_cut_ = chosen.empty() && !steady_.looking() && now >= next_cut_;
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

void ConnectionGuard::Began(const std::string& peer, size_t message_bytes) {
  MutexLock lock(mu_);
  at_models_[peer] += AccountFor(message_bytes);
}

void ConnectionGuard::Answered(const std::string& peer, size_t message_bytes) {
  MutexLock lock(mu_);
  const auto found = at_models_.find(peer);
  CHECK(found != at_models_.end());
  found->second -= AccountFor(message_bytes);
  if (found->second == 0) at_models_.erase(found);
}

void ConnectionGuard::Ended(const std::string& peer, size_t message_bytes) {
  MutexLock lock(mu_);
  accounted_[peer] += AccountFor(message_bytes);
}

void ConnectionGuard::Watch() {
  (void)pthread_setname_np(pthread_self(), "grpc_guard");
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
    if (!HoldsTooMuch()) {
      policy_.Reset();
      continue;
    }
    const std::vector<GuardedConnection> connections = Connections();
    const std::vector<size_t> chosen = policy_.Look(connections, limit_, now);
    if (policy_.none_to_cut()) {
      LogWarning("grpc_none_to_cut", {{"reason", "the process holds too much, and no connection has sent much of it"}});
    }
    Cut(connections, chosen);
  }
}

/// What is resident is quickly read, but stays when it is freed; what is allocated takes a walk over what is free.
bool ConnectionGuard::HoldsTooMuch() const {
  return ResidentBytes() > resident_at_start_ + limit_ && AllocatedBytes() > allocated_at_start_ + limit_;
}

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
    if (const auto found = accounted_.find(connection.peer); found != accounted_.end()) {
      connection.accounted = std::min(found->second, connection.received);
    }
    if (connection.accounted > 0) known.emplace(connection.peer, connection.accounted);
    if (const auto found = at_models_.find(connection.peer); found != at_models_.end()) {
      connection.accounted = std::min(connection.accounted + found->second, connection.received);
    }
  }
  accounted_ = std::move(known);
  return connections;
}

void ConnectionGuard::Cut(const std::vector<GuardedConnection>& connections, const std::vector<size_t>& chosen) {
  constexpr size_t kTold = 8;  // of many at once
  for (size_t n = 0; n < chosen.size(); ++n) {
    const GuardedConnection& connection = connections[chosen[n]];
    // Our own number for it: gRPC may close its own at any moment, and the next file would have that.
    const int own = fcntl(connection.socket, F_DUPFD_CLOEXEC, 0);
    if (own < 0) continue;
    if (PeerOf(own, port_) == connection.peer) {  // else it has gone by itself
      num_cut_.fetch_add(1);                      // who sees it cut sees it counted
      // Disconnecting resets it and drops what was not read; shutting it down would have gRPC read that first.
      const sockaddr nobody{.sa_family = AF_UNSPEC, .sa_data = {}};
      if (connect(own, &nobody, sizeof nobody) != 0) {
        num_cut_.fetch_sub(1);
      } else if (n < kTold) {
        LogWarning("grpc_connection_cut",
                   {{"peer", connection.peer},
                    {"of", std::to_string(chosen.size())},
                    {"reason", "the process held too much, and it had sent the most that ended in nothing"}});
      }
    }
    close(own);
  }
}

}  // namespace pawsight::rpc
