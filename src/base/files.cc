#include "base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace pawsight {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string Reason() { return std::strerror(errno); }

/// Opens without blocking on a FIFO, then refuses all but regular files.
Status OpenRegular(const std::string& path, int* fd, size_t* size) {
  *fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (*fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return NotFound(path + ": no such file");
    return Unavailable(path + ": " + Reason());
  }
  struct stat info {};
  if (::fstat(*fd, &info) != 0) return Unavailable(path + ": " + Reason());
  if (!S_ISREG(info.st_mode)) return InvalidArgument(path + ": not a regular file", "not_a_file");
  *size = static_cast<size_t>(info.st_size);
  return Ok();
}

int64_t ChangedNs(const struct stat& info) {
  return int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

template <typename Buffer>
Result<Buffer> ReadInto(const std::string& path, size_t max_bytes) {
  int raw = -1;
  size_t size = 0;
  const Status opened = OpenRegular(path, &raw, &size);
  const Descriptor fd(raw);
  PAWSIGHT_RETURN_IF_ERROR(opened);
  if (size > max_bytes) {
    return ResourceExhausted(path + ": " + std::to_string(size) + " bytes, more than the limit of " +
                             std::to_string(max_bytes));
  }
  Buffer buffer(size, 0);
  size_t done = 0;
  while (done < size) {
    const ssize_t got = ::read(fd.get(), buffer.data() + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Unavailable(path + ": " + Reason());
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  buffer.resize(done);
  return buffer;
}

}  // namespace

Result<std::vector<uint8_t>> ReadFile(const std::string& path, size_t max_bytes) {
  return ReadInto<std::vector<uint8_t>>(path, max_bytes);
}

Result<std::string> ReadTextFile(const std::string& path, size_t max_bytes) {
  return ReadInto<std::string>(path, max_bytes);
}

Status WriteFileAtomically(const std::string& path, std::string_view bytes) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    return InvalidArgument(path + ": not a regular file", "not_a_file");
  }
  std::string beside = path + ".XXXXXX";
  const Descriptor fd(::mkostemp(beside.data(), O_CLOEXEC));
  if (fd.get() < 0) return Unavailable(path + ": " + Reason());
  const auto fail = [&] {
    Status status = Unavailable(path + ": " + Reason());
    ::unlink(beside.c_str());
    return status;
  };
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t put = ::write(fd.get(), bytes.data() + done, bytes.size() - done);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail();
    done += static_cast<size_t>(put);
  }
  if (::fchmod(fd.get(), 0644) != 0 || ::fsync(fd.get()) != 0) return fail();
  if (::rename(beside.c_str(), path.c_str()) != 0) return fail();
  SyncDirectoryOf(path);
  return Ok();
}

void SyncDirectoryOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) ::fsync(directory.get());
}

Result<MappedFile> MappedFile::Open(const std::string& path) {
  int raw = -1;
  MappedFile file;
  const Status opened = OpenRegular(path, &raw, &file.size_);
  file.fd_ = raw;
  PAWSIGHT_RETURN_IF_ERROR(opened);
  struct stat info {};
  if (::fstat(raw, &info) != 0) return Unavailable(path + ": " + Reason());
  file.changed_ns_ = ChangedNs(info);
  if (file.size_ == 0) return file;
  void* data = ::mmap(nullptr, file.size_, PROT_READ, MAP_PRIVATE, raw, 0);
  if (data == MAP_FAILED) return Unavailable(path + ": " + Reason());
  file.data_ = static_cast<const uint8_t*>(data);
  return file;
}

bool MappedFile::Unchanged() const {
  struct stat info {};
  return ::fstat(fd_, &info) == 0 && static_cast<size_t>(info.st_size) == size_ && ChangedNs(info) == changed_ns_;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      changed_ns_(other.changed_ns_),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(changed_ns_, other.changed_ns_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
  if (fd_ >= 0) ::close(fd_);
}

bool FileExists(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

bool IsDirectory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

}  // namespace pawsight
