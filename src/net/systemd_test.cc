#include "net/systemd.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <string>

namespace pawsight::net {
namespace {

/// A bound datagram socket that reads what was sent to it.
class Listener {
 public:
  explicit Listener(const std::string& path) : fd_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), path.size());
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Listener() { close(fd_); }
  std::string Read() const {
    std::array<char, 256> text{};
    const ssize_t length = recv(fd_, text.data(), text.size(), MSG_DONTWAIT);
    return length < 0 ? "nothing" : std::string(text.data(), static_cast<size_t>(length));
  }

 private:
  int fd_;
};

TEST(Systemd, TellsTheSocketWhatItIsTold) {
  const std::string path = testing::TempDir() + "notify." + std::to_string(getpid());
  unlink(path.c_str());
  {
    const Listener listener(path);
    const auto systemd = Systemd::Create(path, "5000000", std::to_string(getpid()));
    ASSERT_TRUE(systemd.ok()) << systemd.status().ToString();
    EXPECT_EQ(systemd->watchdog(), std::chrono::seconds(5));
    ASSERT_TRUE(systemd->Notify("READY=1\nSTATUS=serving").ok());
    EXPECT_EQ(listener.Read(), "READY=1\nSTATUS=serving");
  }
  unlink(path.c_str());
  EXPECT_EQ(Systemd::Create(path, "", "")->Notify("READY=1").code(), StatusCode::kUnavailable);
}

TEST(Systemd, WithoutASocketSaysNothingAndAnotherProcessesWatchdogIsNotOurs) {
  const auto none = Systemd::Create("", "5000000", "");
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->present());
  EXPECT_TRUE(none->Notify("READY=1").ok());
  EXPECT_FALSE(Systemd::Create("/run/x", "5000000", "1")->watchdog().has_value());
  EXPECT_FALSE(Systemd::Create("/run/x", "many", "")->watchdog().has_value());
  EXPECT_FALSE(Systemd::Create("relative", "", "").ok());
  EXPECT_FALSE(Systemd::Create("/" + std::string(200, 'x'), "", "").ok());
}

}  // namespace
}  // namespace pawsight::net
