#include "engine/folder_stamp.h"

#include <sys/stat.h>

#include <filesystem>
#include <system_error>

#include "engine/artifact.h"

namespace pawsight::engine {
namespace {

constexpr size_t kMaxEntries = 10000;

}  // namespace

Result<FolderStamp> FolderStamp::Take(const std::string& folder) {
  FolderStamp stamp;
  stamp.folder_ = folder;
  std::error_code error;
  std::filesystem::directory_iterator it(folder, error);
  for (; !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    struct stat info {};
    if (::stat(it->path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (stamp.files_.size() == kMaxEntries) {
      return ResourceExhausted(folder + ": more than " + std::to_string(kMaxEntries) + " files");
    }
    stamp.files_[it->path().filename().string()] = {info.st_dev, info.st_ino, info.st_size,
                                                    int64_t{info.st_mtim.tv_sec} * 1000000000 + info.st_mtim.tv_nsec};
  }
  if (error) return NotFound(folder + ": " + error.message());
  return stamp;
}

Status FolderStamp::CheckUnchanged() const {
  const Result<FolderStamp> now = Take(folder_);
  if (!now.ok()) return {StatusCode::kAborted, now.status().message(), "model_changed"};
  const auto differs = [](const FolderStamp& a, const FolderStamp& b) -> const std::string* {
    for (const auto& [name, file] : a.files_) {
      const auto other = b.files_.find(name);
      if (other == b.files_.end() || !(other->second == file)) return &name;
    }
    return nullptr;
  };
  const std::string* name = differs(*this, *now);
  if (name == nullptr) name = differs(*now, *this);
  if (name == nullptr) return Ok();
  return {StatusCode::kAborted, folder_ + "/" + *name + " changed while the model was being loaded; load it again",
          "model_changed"};
}

std::string FolderStamp::Fingerprint() const {
  std::string text = folder_;
  for (const auto& [name, file] : files_) {
    text += '\n' + name;
    for (const uint64_t part : {file.device, file.inode, static_cast<uint64_t>(file.bytes), static_cast<uint64_t>(file.changed_ns)}) {
      text += ' ' + std::to_string(part);
    }
  }
  return Checksum({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

}  // namespace pawsight::engine
