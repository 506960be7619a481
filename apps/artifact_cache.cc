#include "apps/artifact_cache.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "apps/compile_progress.h"
#include "engine/folder_stamp.h"
#include "targets/cpu/compile.h"

namespace pawsight {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxEntries = 8;

/// Removes all but the entries used last. What another process has open stays mapped there.
void Prune(const fs::path& entries) {
  std::error_code error;
  std::vector<std::pair<fs::file_time_type, fs::path>> known;
  for (const auto& entry : fs::directory_iterator(entries, error)) {
    if (entry.is_directory(error)) known.emplace_back(entry.last_write_time(error), entry.path());
  }
  std::ranges::sort(known, std::greater<>());
  for (size_t i = kMaxEntries; i < known.size(); ++i) fs::remove_all(known[i].second, error);
}

/// Whether every component is there and opens; then it counts as used now.
bool IsComplete(const std::string& dir, const targets::CpuOptions& options) {
  if (!targets::OpenCpuArtifacts(dir, options).ok()) return false;
  std::error_code error;
  fs::last_write_time(dir, fs::file_time_type::clock::now(), error);
  return true;
}

}  // namespace

Result<std::string> CacheDir() {
  if (const char* given = std::getenv("XDG_CACHE_HOME"); given != nullptr && *given != '\0') {
    return std::string(given) + "/pawsight";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::string(home) + "/.cache/pawsight";
  return Unavailable("cache: neither $XDG_CACHE_HOME nor $HOME is set");
}

Result<std::string> CachedArtifacts(const std::string& model_dir, engine::Precision precision,
                                    const targets::CpuOptions& options) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string cache, CacheDir());
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::FolderStamp stamp,
                            engine::FolderStamp::Take(fs::absolute(model_dir).lexically_normal().string()));
  const fs::path entries = fs::path(cache) / "artifacts";
  const std::string name = stamp.Fingerprint() + "-" + std::string(engine::PrecisionName(precision));
  const std::string dir = (entries / name).string();
  if (IsComplete(dir, options)) return dir;

  const auto start = std::chrono::steady_clock::now();
  targets::CompileOptions compile{.precision = precision, .cpu = options};
  CompileProgressLine progress;
  const auto compiled = targets::CompileForCpu(model_dir, dir, compile, progress.callback());
  progress.Clear();
  if (!compiled.ok()) return compiled.status();
  PAWSIGHT_RETURN_IF_ERROR(stamp.CheckUnchanged());  // all of the old model or all of the new one
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::fprintf(stderr, "pawsight: compiled %s for this CPU in %s, once, in %.1f s: %s\n", model_dir.c_str(),
               std::string(engine::PrecisionName(precision)).c_str(), took.count(), dir.c_str());
  Prune(entries);
  return dir;
}

}  // namespace pawsight
