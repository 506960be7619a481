#include "net/systemd.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace pawsight::net {
namespace {

std::string_view Variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): nothing here changes the environment
  return value == nullptr ? std::string_view() : std::string_view(value);
}

int64_t Number(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

Result<Systemd> Systemd::Create(std::string_view socket, std::string_view watchdog_usec,
                                              std::string_view watchdog_pid) {
  Systemd systemd;
  if (socket.empty()) return systemd;
  if ((socket.front() != '/' && socket.front() != '@') || socket.size() < 2 ||
      socket.size() >= sizeof(sockaddr_un::sun_path)) {
    return InvalidArgument("NOTIFY_SOCKET: want /path or @name of at most " +
                           std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  }
  systemd.address_ = socket;
  if (socket.front() == '@') systemd.address_.front() = '\0';
  const int64_t microseconds = Number(watchdog_usec);
  const bool for_us = watchdog_pid.empty() || Number(watchdog_pid) == getpid();
  if (microseconds > 0 && for_us) systemd.watchdog_ = std::chrono::microseconds(microseconds);
  return systemd;
}

Result<Systemd> Systemd::FromEnvironment() {
  return Create(Variable("NOTIFY_SOCKET"), Variable("WATCHDOG_USEC"), Variable("WATCHDOG_PID"));
}

Status Systemd::Notify(std::string_view state) const {
  if (!present()) return Ok();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, address_.data(), address_.size());
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return Unavailable(std::string("NOTIFY_SOCKET: ") + std::strerror(errno));  // NOLINT(concurrency-mt-unsafe)
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what sockets want
  const ssize_t sent =
      sendto(fd, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), length);
  const int error = errno;
  close(fd);
  if (sent == static_cast<ssize_t>(state.size())) return Ok();
  return Unavailable(std::string("NOTIFY_SOCKET: ") + std::strerror(error));  // NOLINT(concurrency-mt-unsafe)
}

}  // namespace pawsight::net
