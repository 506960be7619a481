#include "engine/memory_check.h"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace pawsight::engine {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

/// The kernel's files have no size, so they are read as streams. "" when there is none.
std::string ReadKernelFile(const char* path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

uint64_t ParseNumber(std::string_view text, uint64_t otherwise) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? value : otherwise;
}

/// The number behind `key` and spaces, or `otherwise`.
uint64_t NumberAfter(std::string_view text, std::string_view key, uint64_t otherwise) {
  const size_t at = text.find(key);
  if (at == std::string_view::npos) return otherwise;
  const size_t digits = text.find_first_not_of(' ', at + key.size());
  return digits == std::string_view::npos ? otherwise : ParseNumber(text.substr(digits), otherwise);
}

/// What the control group at the mount point has left: inside a container that is our own. File pages that nobody used
/// lately count as taken there but are given back when asked for.
uint64_t LeftInControlGroup() {
  const uint64_t limit = ParseNumber(ReadKernelFile("/sys/fs/cgroup/memory.max"), kNoLimit);
  if (limit == kNoLimit) return kNoLimit;
  const uint64_t current = ParseNumber(ReadKernelFile("/sys/fs/cgroup/memory.current"), 0);
  const uint64_t spare = NumberAfter(ReadKernelFile("/sys/fs/cgroup/memory.stat"), "inactive_file ", 0);
  return limit - std::min(limit, current - std::min(current, spare));
}

std::string Megabytes(uint64_t bytes) { return std::to_string(bytes / 1000000) + " MB"; }

}  // namespace

uint64_t ParseMemAvailable(std::string_view meminfo) {
  const uint64_t kibibytes = NumberAfter(meminfo, "MemAvailable:", kNoLimit);
  return kibibytes > kNoLimit / 1024 ? kNoLimit : kibibytes * 1024;
}

uint64_t AvailableMemory() {
  return std::min(ParseMemAvailable(ReadKernelFile("/proc/meminfo")), LeftInControlGroup());
}

Status CheckMemory(uint64_t need, uint64_t available) {
  if (need <= available - available / 10) return Ok();
  return ResourceExhausted("the model needs " + Megabytes(need) + " of memory, but of " + Megabytes(available) +
                               " available a tenth must stay free",
                           "model_too_large");
}

}  // namespace pawsight::engine
