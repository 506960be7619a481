#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/files.h"
#include "base/log.h"
#include "gateway/source_kinds.h"

namespace pawsight::gateway {
namespace {

constexpr size_t kMaxFiles = 1000000;
constexpr size_t kMaxFileBytes = 32U << 20U;

bool IsImageName(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

class DirectorySource : public Source {
 public:
  DirectorySource(std::string path, const SourceOptions& options, const Clock& clock)
      : path_(std::move(path)), options_(options), clock_(clock) {}

  bool live() const override { return false; }

  Status Run(std::stop_token stop, const OnFrame& on_frame) override {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<std::string> names, ImageFiles());
    const Time start = clock_.Now();
    const std::chrono::duration<double> period(1 / options_.fps);
    uint64_t num_given = 0;
    for (const std::string& name : names) {
      if (stop.stop_requested()) return Ok();
      Result<std::vector<uint8_t>> bytes = ReadFile(name, kMaxFileBytes);
      if (!bytes.ok()) {
        LogWarning("source.file_left_out", {{"file", name}, {"reason", bytes.status().ToString()}});
        continue;
      }
      const auto offset =
          std::chrono::duration_cast<std::chrono::nanoseconds>(period * static_cast<double>(num_given++));
      if (!on_frame({start + offset, std::move(*bytes), {}})) return Ok();
    }
    return Ok();
  }

 private:
  Result<std::vector<std::string>> ImageFiles() const {
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator entry(path_, error), end; !error && entry != end; entry.increment(error)) {
      if (IsImageName(entry->path())) names.push_back(entry->path().string());
      if (names.size() > kMaxFiles) return ResourceExhausted(path_ + ": more than a million images");
    }
    if (error) return Unavailable(path_ + ": " + error.message());
    if (names.empty()) return NotFound(path_ + ": no .jpg, .jpeg or .png file in it");
    std::sort(names.begin(), names.end());
    return names;
  }

  const std::string path_;
  const SourceOptions options_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<Source> MakeDirectorySource(const std::string& path, const SourceOptions& options, const Clock& clock) {
  return std::make_unique<DirectorySource>(path, options, clock);
}

}  // namespace pawsight::gateway
