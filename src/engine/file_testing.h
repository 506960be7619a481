// engine/file_testing.h: for tests of readers: a folder that goes away, files made from parts, and the shared data.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawsight::engine {

/// A fresh folder, removed with all in it.
class TempFolder {
 public:
  TempFolder() {
    std::string path = std::filesystem::temp_directory_path() / "pawsight-test-XXXXXX";
    path_ = ::mkdtemp(path.data());
  }
  ~TempFolder() {
    std::error_code unused;
    std::filesystem::remove_all(path_, unused);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string Write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path_ + "/" + name, std::ios::binary) << bytes;
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

inline std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::span<const uint8_t> Bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

inline std::string LittleEndian(uint64_t value, size_t bytes = 8) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}

/// The floats as they lie in a file.
inline std::string FloatBytes(const std::vector<float>& values) {
  std::string out(values.size() * sizeof(float), '\0');
  if (!values.empty()) std::memcpy(out.data(), values.data(), out.size());
  return out;
}

/// A safetensors file of this header and data.
inline std::string Safetensors(std::string_view header, std::string_view data) {
  return LittleEndian(header.size()) + std::string(header) + std::string(data);
}

/// Where the data lies that is not part of the repository; $PAWSIGHT_SHARED, or beside the repository.
inline std::string SharedPath(const std::string& name) {
  const char* from_environment = std::getenv("PAWSIGHT_SHARED");
  return (from_environment != nullptr ? std::string(from_environment) : std::string(PAWSIGHT_SOURCE_DIR "/../shared")) +
         "/" + name;
}

inline std::string GoldenPath(const std::string& name) {
  return std::string(PAWSIGHT_SOURCE_DIR "/tests/golden/") + name;
}

}  // namespace pawsight::engine

/// Skips a test when the shared `path` is not there, and says so.
#define PAWSIGHT_NEED_SHARED(path)                                                                \
  if (!std::filesystem::exists(path)) {                                                           \
    GTEST_SKIP() << "SHARED DATA MISSING: " << (path) << " (set PAWSIGHT_SHARED to where it is)"; \
  }
