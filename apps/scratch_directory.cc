#include "apps/scratch_directory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <system_error>

namespace pawsight {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "pawsight-home-";
constexpr int kMostRemoved = 64;
constexpr int kMostAttempts = 8;

/// The lock of a directory's program, taken; -1 when its program lives, or there is none.
int TakeLock(const std::string& directory, int flags) {
  const std::string path = directory + "/alive";
  const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  if (fd < 0) return -1;
  struct stat opened {
  }, there{};
  const bool ours = flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &opened) == 0 && stat(path.c_str(), &there) == 0 &&
                    opened.st_ino == there.st_ino;  // else it was removed in between
  if (ours) return fd;
  close(fd);
  return -1;
}

void RemoveLeftovers(const fs::path& temporary) {
  std::error_code error;
  int num_removed = 0;
  for (fs::directory_iterator at(temporary, error), end; !error && at != end && num_removed < kMostRemoved;
       at.increment(error)) {
    const std::string path = at->path().string();
    struct stat status {};
    if (!at->path().filename().string().starts_with(kPrefix) || lstat(path.c_str(), &status) != 0) continue;
    if (!S_ISDIR(status.st_mode) || status.st_uid != geteuid()) continue;
    const int lock = TakeLock(path, 0);
    if (lock < 0) continue;
    std::error_code ignored;  // the next program tries again
    fs::remove_all(path, ignored);
    close(lock);
    ++num_removed;
  }
}

}  // namespace

ScratchDirectory::ScratchDirectory() {
  std::error_code missing;
  const fs::path temporary = fs::temp_directory_path(missing);
  if (missing) return;
  RemoveLeftovers(temporary);
  for (int attempt = 0; attempt < kMostAttempts && alive_ < 0; ++attempt) {
    std::string pattern = (temporary / (std::string(kPrefix) + "XXXXXX")).string();
    if (mkdtemp(pattern.data()) == nullptr) return;
    alive_ = TakeLock(pattern, O_CREAT);
    if (alive_ >= 0) path_ = pattern;  // else somebody who looked for leftovers was quicker
  }
}

ScratchDirectory::~ScratchDirectory() {
  Remove();
  if (alive_ >= 0) close(alive_);
}

void ScratchDirectory::Remove() {
  std::error_code ignored;  // the next program tries again
  if (!path_.empty()) fs::remove_all(path_, ignored);
}

}  // namespace pawsight
