// Any bytes as an artifact's header, its checksum made to match: opened or refused; what opens can be loaded as the
// component that it says it is, or says why not.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/check.h"
#include "engine/artifact.h"
#include "engine/artifact_layout.h"
#include "engine/parts.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight::engine;
  constexpr size_t kData = 8192;
  ArtifactPreamble preamble{};
  std::memcpy(preamble.magic, kArtifactMagic, sizeof preamble.magic);
  preamble.version = kArtifactVersion;
  preamble.header_bytes = static_cast<uint32_t>(size);
  preamble.data_bytes = kData;
  const std::string hash = Checksum({data, size});
  for (size_t i = 0; i < sizeof preamble.header_hash; ++i) {
    preamble.header_hash[i] = static_cast<uint8_t>(std::stoi(hash.substr(2 * i, 2), nullptr, 16));
  }
  std::string file(kArtifactDataOffset + kData, '\0');
  std::memcpy(file.data(), &preamble, sizeof preamble);
  file.append(reinterpret_cast<const char*>(data), size);
  static const int fd = ::memfd_create("fuzz", MFD_CLOEXEC);
  CHECK(::ftruncate(fd, 0) == 0);
  CHECK(::pwrite(fd, file.data(), file.size(), 0) == static_cast<ssize_t>(file.size()));
  const auto artifact = Artifact::Open("/proc/self/fd/" + std::to_string(fd));
  if (!artifact.ok()) {
    CHECK(!artifact.status().reason().empty());
    return 0;
  }
  Parts parts;
  const auto source = artifact->Layers();
  parts.Load(*source, artifact->config(), artifact->info().heads, artifact->info().component);
  (void)source->status();  // whole by chance, or not: both are right
  (void)artifact->Verify();
  return 0;
}
