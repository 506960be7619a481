#include "net/access_log.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace pawsight::net {
namespace {

constexpr size_t kMaxPathBytes = 256;
constexpr size_t kWriteBytes = 4096;  // PIPE_BUF: a pipe that can be written takes that many without waiting
constexpr int kStallMs = 1000;        // whoever does not take a byte for so long gets none of the batch
constexpr int kPollMs = 50;

std::string Ms(std::chrono::nanoseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", std::chrono::duration<double, std::milli>(time).count());
  return text;
}

int64_t NumLines(std::string_view text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

/// Where lines go.
class AccessLog::File {
 public:
  File(int fd, bool owned) : fd_(fd), owned_(owned) {}
  ~File() {
    if (owned_) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }
  bool is_standard_error() const { return !owned_; }

  bool torn = false;  // the last line has no end

 private:
  const int fd_;
  const bool owned_;
};

Result<std::shared_ptr<AccessLog::File>> AccessLog::OpenFile(const std::string& path) {
  if (path == "-") return std::make_shared<File>(STDERR_FILENO, false);
  // Not to wait for whoever reads a FIFO.
  const int fd = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
  if (fd < 0) return FailedPrecondition("access-log: " + path + ": " + std::strerror(errno));
  return std::make_shared<File>(fd, true);
}

Result<std::unique_ptr<AccessLog>> AccessLog::Open(const AccessLogOptions& options, const Clock& clock) {
  PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<File> file, OpenFile(options.path));
  return std::unique_ptr<AccessLog>(new AccessLog(options, clock, std::move(file)));
}

AccessLog::AccessLog(const AccessLogOptions& options, const Clock& clock, std::shared_ptr<File> file)
    : options_(options), clock_(clock), file_(std::move(file)) {
  const auto rate = static_cast<double>(options.lines_per_second);
  well_ = others_ = {.per_second = rate, .left = 2 * rate, .last = clock.Monotonic()};
  thread_ = std::thread([this] { Run(); });
}

AccessLog::~AccessLog() {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

bool AccessLog::Wants(bool well) {
  const MutexLock lock(mu_);
  LineBudget& budget = well ? well_ : others_;
  if (budget.Take(clock_.Monotonic())) return true;
  ++counts_.suppressed;
  ++left_out_;
  return false;
}

void AccessLog::Write(const AccessEntry& entry) {
  std::string line = LogLineStart(clock_.Now(), LogLevel::kInfo, "access");
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) AppendLogField(&line, key, value);
  };
  add("listener", entry.listener);
  add("method", entry.method);
  add("path", entry.path.substr(0, kMaxPathBytes));
  add("status", entry.status);
  add("reason", entry.reason);
  if (!entry.whole) add("whole", "no");
  add("bytes_in", std::to_string(entry.bytes_in));
  add("bytes_out", std::to_string(entry.bytes_out));
  if (entry.notes != nullptr) entry.notes->AppendTo(&line);
  add("total_ms", Ms(entry.total));
  add("peer", entry.peer);
  {
    const MutexLock lock(mu_);
    if (lines_.size() + line.size() > options_.max_buffered_bytes) {
      ++counts_.lost;
      return;
    }
    if (left_out_ > 0) add("left_out", std::to_string(std::exchange(left_out_, 0)));
    lines_ += line + "\n";
  }
  changed_.NotifyAll();
}

Status AccessLog::Reopen() {
  PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<File> file, OpenFile(options_.path));
  const MutexLock lock(mu_);
  file_.swap(file);  // the old one dies after the lock
  return Ok();
}

AccessLogCounts AccessLog::counts() const {
  const MutexLock lock(mu_);
  return counts_;
}

bool AccessLog::Stopping() const {
  const MutexLock lock(mu_);
  return stopping_;
}

void AccessLog::Run() {
  sigset_t broken_pipe;  // whoever reads a FIFO may go: that is an error of write, and no more
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  for (;;) {
    std::string lines;
    std::shared_ptr<File> file;
    {
      const MutexLock lock(mu_);
      while (lines_.empty() && !stopping_) changed_.Wait(mu_);
      if (lines_.empty()) return;
      lines.swap(lines_);
      file = file_;
    }
    Write(*file, lines);
  }
}

void AccessLog::Write(File& file, const std::string& lines) {
  std::string_view rest = lines;
  int error = 0;
  if (file.torn && write(file.fd(), "\n", 1) == 1) file.torn = false;
  for (int waited_ms = 0; !rest.empty();) {
    pollfd ready{file.fd(), POLLOUT, 0};
    if (poll(&ready, 1, kPollMs) == 0) {
      error = EAGAIN;
      waited_ms += kPollMs;
      if (waited_ms >= kStallMs) break;
      continue;
    }
    const ssize_t count = write(file.fd(), rest.data(), std::min(rest.size(), kWriteBytes));
    error = count < 0 ? errno : 0;
    if (count < 0 && error != EINTR && error != EAGAIN) break;
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
  }
  const std::string_view written = std::string_view(lines).substr(0, lines.size() - rest.size());
  if (!written.empty()) file.torn = written.back() != '\n';
  {
    const MutexLock lock(mu_);
    counts_.written += static_cast<uint64_t>(NumLines(written));
    counts_.lost += static_cast<uint64_t>(NumLines(rest));
  }
  if (failing_ == !rest.empty() || file.is_standard_error()) return;  // of itself standard error cannot tell
  failing_ = !rest.empty();
  if (failing_) {
    LogWarning("access_log_failed", {{"reason", std::strerror(error)}, {"so", "lines are lost and counted"}});
  } else {
    LogInfo("access_log_written_again");
  }
}

std::function<void(const HttpExchange&)> LogTo(AccessLog& log, std::string listener) {
  return [&log, listener = std::move(listener)](const HttpExchange& exchange) {
    if (!log.Wants(exchange.status < 400 && exchange.whole)) return;
    log.Write({.listener = listener,
               .method = exchange.method,
               .path = exchange.path,
               .status = exchange.status == 0 ? "" : std::to_string(exchange.status),
               .reason = exchange.reason,
               .whole = exchange.whole,
               .bytes_in = exchange.bytes_in,
               .bytes_out = exchange.bytes_out,
               .total = exchange.total,
               .peer = ToString(exchange.peer),
               .notes = exchange.notes});
  };
}

}  // namespace pawsight::net
