// net/testing.h: blocking sockets for tests that speak to a server byte by byte, or are one. Thread-compatible, but for
// Listener::Stop.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace pawsight::net::testing {

/// Listens on loopback, at a free port.
class Listener {
 public:
  explicit Listener(int backlog = 128) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    CHECK(bind(fd_, reinterpret_cast<sockaddr*>(&address), length) == 0 && listen(fd_, backlog) == 0);
    CHECK(getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    port_ = ntohs(address.sin_port);
  }
  ~Listener() { close(fd_); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int port() const { return port_; }
  /// The next client's socket, which is the caller's to close; -1 once stopped.
  int Accept() { return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }
  /// From any thread: an Accept that waits returns.
  void Stop() { shutdown(fd_, SHUT_RDWR); }

 private:
  const int fd_;
  int port_ = 0;
};

class RawClient {
 public:
  /// What does not come within `patience` counts as the end.
  explicit RawClient(int port, std::chrono::seconds patience = std::chrono::seconds(20))
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval longest{patience.count(), 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
    CHECK(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  ~RawClient() { close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has closed; what it said is read next
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  /// Everything until the server closes.
  std::string ReadAll() {
    while (ReadSome()) {
    }
    return std::exchange(read_, {});
  }
  /// Up to and with `mark`, or everything when the server closes before it.
  std::string ReadUntil(std::string_view mark) {
    while (read_.find(mark) == std::string::npos && ReadSome()) {
    }
    const size_t at = read_.find(mark);
    const std::string text = read_.substr(0, at == std::string::npos ? at : at + mark.size());
    read_.erase(0, text.size());
    return text;
  }
  /// As many bytes, or fewer when the server closes before.
  std::string ReadBytes(size_t count) {
    while (read_.size() < count && ReadSome()) {
    }
    const std::string text = read_.substr(0, count);
    read_.erase(0, text.size());
    return text;
  }
  void CloseSending() { shutdown(fd_, SHUT_WR); }
  /// Goes, as a close does, and returns once the server's kernel has acknowledged that: whoever waits for this
  /// connection there has been woken, and what is sent on another one from now on comes after it.
  void Leave() {
    CloseSending();
    tcp_info info{};
    socklen_t size = sizeof info;
    do {
      sched_yield();
      CHECK(getsockopt(fd_, IPPROTO_TCP, TCP_INFO, &info, &size) == 0);
    } while (info.tcpi_state == TCP_ESTABLISHED || info.tcpi_state == TCP_FIN_WAIT1);
  }

 private:
  bool ReadSome() {
    char chunk[4096];
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) return false;
    read_.append(chunk, static_cast<size_t>(got));
    return true;
  }
  int fd_;
  std::string read_;  // not yet returned
};

}  // namespace pawsight::net::testing
