#include "tools/run_mark.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/check.h"
#include "base/hexadecimal.h"

namespace pawsight::tools {
namespace {

constexpr std::string_view kBegin = "pawsight stress, removed at its end: ";
constexpr size_t kRunDigits = 32;
constexpr size_t kMaxPlace = 64;

bool IsRun(std::string_view text) {
  return text.size() == kRunDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string NewRun() {
  std::array<uint8_t, kRunDigits / 2> bytes{};
  CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));  // so few never fail
  return Hexadecimal(bytes);
}

/// The machine's start and the space of its process ids, which a container has of its own.
std::string ThisPlace() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string boot;
  file >> boot;
  std::array<char, 64> space{};
  const ssize_t size = readlink("/proc/self/ns/pid", space.data(), space.size());
  std::string place = boot + "/";
  for (ssize_t i = 0; i < size; ++i) {
    if (space[static_cast<size_t>(i)] >= '0' && space[static_cast<size_t>(i)] <= '9')
      place += space[static_cast<size_t>(i)];
  }
  const bool known =
      !boot.empty() && !place.ends_with('/') && place.size() <= kMaxPlace && place.find(' ') == std::string::npos;
  return known ? place : "-";
}

/// The state and the start of a process; false when the system does not tell.
bool ReadProcess(int pid, char* state, int64_t* started) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const size_t name_end = text.rfind(')');  // the name may hold spaces
  if (name_end == std::string::npos) return false;
  std::istringstream words(text.substr(name_end + 1));
  words >> *state;
  std::string skipped;
  for (int field = 4; field < 22; ++field) words >> skipped;
  return static_cast<bool>(words >> *started);
}

/// The next word, which begins with `key`; what follows the key.
std::optional<std::string_view> TakeWord(std::string_view key, std::string_view* text) {
  const std::string_view word = text->substr(0, text->find(' '));
  if (!word.starts_with(key)) return std::nullopt;
  text->remove_prefix(std::min(text->size(), word.size() + 1));
  return word.substr(key.size());
}

template <typename Number>
bool ReadNumber(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && *number >= 0;
}

}  // namespace

RunMark MarkThisRun(std::chrono::seconds lease) {
  RunMark mark{NewRun(), ThisPlace(), getpid(), 0, lease};
  char state = 0;
  if (!ReadProcess(mark.pid, &state, &mark.started)) mark.place = "-";
  return mark;
}

std::string NameOfMark(const RunMark& mark) {
  return std::string(kBegin) + "run=" + mark.run + " place=" + mark.place + " process=" + std::to_string(mark.pid) +
         "." + std::to_string(mark.started) + " lease_s=" + std::to_string(mark.lease.count());
}

std::optional<RunMark> MarkOfName(std::string_view name) {
  if (!name.starts_with(kBegin)) return std::nullopt;
  std::string_view text = name.substr(kBegin.size());
  const auto run = TakeWord("run=", &text), place = TakeWord("place=", &text), process = TakeWord("process=", &text),
             lease = TakeWord("lease_s=", &text);
  if (!run || !place || !process || !lease || !IsRun(*run) || place->empty()) return std::nullopt;
  RunMark mark{std::string(*run), std::string(*place), 0, 0, {}};
  const size_t dot = process->find('.');
  int64_t lease_s = 0;
  const bool read = dot != std::string_view::npos && ReadNumber(process->substr(0, dot), &mark.pid) &&
                    ReadNumber(process->substr(dot + 1), &mark.started) && ReadNumber(*lease, &lease_s);
  mark.lease = std::chrono::seconds(lease_s);
  if (!read || NameOfMark(mark) != name) return std::nullopt;
  return mark;
}

std::optional<bool> ProcessLives(int pid, int64_t started) {
  if (pid <= 0) return std::nullopt;
  if (kill(pid, 0) != 0 && errno == ESRCH) return false;
  char state = 0;
  int64_t of_now = 0;
  if (!ReadProcess(pid, &state, &of_now)) return std::nullopt;  // /proc may hide others' processes
  return of_now == started && state != 'Z' && state != 'X';
}

bool IsOver(const RunMark& run, Time made, const RunSight& sight) {
  if (run.place != "-" && run.place == sight.place) {
    if (const std::optional<bool> lives = sight.lives(run.pid, run.started)) return !*lives;  // a journal may be a copy
  }
  if (std::ranges::find(sight.are_over, run.run) != sight.are_over.end()) return true;
  return sight.now > made && sight.now - made > run.lease;
}

Result<RunJournal> RunJournal::Open(const std::string& path) {
  RunJournal journal(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (journal.fd_ < 0) return Unavailable(path + ": " + std::strerror(errno));
  if (flock(journal.fd_, LOCK_EX | LOCK_NB) != 0) {
    return FailedPrecondition(path + ": a run that has not ended writes there; name another --out");
  }
  std::string text(kMaxRuns * (kRunDigits + 2), '\0');
  const off_t end = lseek(journal.fd_, 0, SEEK_END);
  const ssize_t size =
      end < 0 ? -1
              : pread(journal.fd_, text.data(), text.size(), std::max<off_t>(0, end - static_cast<off_t>(text.size())));
  if (size < 0) return Unavailable(path + ": " + std::strerror(errno));
  text.resize(static_cast<size_t>(size));
  for (size_t at = 0, stop = 0; (stop = text.find('\n', at)) != std::string::npos; at = stop + 1) {
    if (const std::string run = text.substr(at, stop - at); IsRun(run)) journal.left_.push_back(run);
  }
  return journal;
}

RunJournal::RunJournal(RunJournal&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), left_(std::move(other.left_)) {}

RunJournal::~RunJournal() {
  if (fd_ >= 0) close(fd_);
}

Status RunJournal::Append(const std::string& text) {
  const off_t end = lseek(fd_, 0, SEEK_END);
  if (end < 0 || pwrite(fd_, text.data(), text.size(), end) != static_cast<ssize_t>(text.size()) || fsync(fd_) != 0) {
    return Unavailable("gateway.run: " + std::string(std::strerror(errno)));
  }
  return Ok();
}

Status RunJournal::Add(const std::string& run) {
  std::string text = "\n" + run + "\n";  // a half line may stand before it
  if (left_.size() >= kMaxRuns) {
    PAWSIGHT_RETURN_IF_ERROR(Clear());
    for (size_t n = left_.size() - kMaxRuns / 2; n < left_.size(); ++n) text += left_[n] + "\n";
  }
  return Append(text);
}

Status RunJournal::Clear() {
  if (ftruncate(fd_, 0) == 0 && fsync(fd_) == 0) return Ok();
  return Unavailable("gateway.run: " + std::string(std::strerror(errno)));
}

}  // namespace pawsight::tools
