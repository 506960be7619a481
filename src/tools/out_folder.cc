#include "tools/out_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/files.h"

namespace pawsight::tools {

Result<OutFolder> OutFolder::Open(const std::string& path) {
  if (FileExists(path) && !IsDirectory(path)) return InvalidArgument(path + ": is a file; name a folder");
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) return Unavailable(path + ": " + error.message());
  OutFolder folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd_ < 0) return Unavailable(path + ": " + std::strerror(errno));
  if (flock(folder.fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return FailedPrecondition(path + ": a run that has not ended writes there; name another, or wait for its end");
  }
  return folder;
}

OutFolder::~OutFolder() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace pawsight::tools
