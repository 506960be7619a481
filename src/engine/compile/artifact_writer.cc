#include "engine/compile/artifact_writer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "engine/artifact_layout.h"

namespace pawsight::engine {

struct ArtifactWriter::State {
  ~State() {
    if (fd >= 0) ::close(fd);
    if (!beside.empty()) ::unlink(beside.c_str());
    XXH3_freeState(hash);
  }

  Status Fail() const { return Unavailable(path + ": " + std::system_category().message(errno)); }

  Status WriteAt(const void* data, size_t bytes, uint64_t offset) const {
    const auto* from = static_cast<const uint8_t*>(data);
    while (bytes > 0) {
      const ssize_t put = ::pwrite(fd, from, bytes, static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return Fail();
      from += put;
      offset += static_cast<uint64_t>(put);
      bytes -= static_cast<size_t>(put);
    }
    return Ok();
  }

  Status AppendData(const void* data, size_t bytes) {
    XXH3_128bits_update(hash, data, bytes);
    PAWSIGHT_RETURN_IF_ERROR(WriteAt(data, bytes, kArtifactDataOffset + data_bytes));
    data_bytes += bytes;
    return Ok();
  }

  std::string path;
  std::string beside;  // the unfinished file; "" in memory and when it is finished
  int fd = -1;
  uint64_t data_bytes = 0;
  XXH3_state_t* hash = XXH3_createState();
  Json entries{Json::Array{}};
};

ArtifactWriter::ArtifactWriter(std::unique_ptr<State> state) : state_(std::move(state)) {
  XXH3_128bits_reset(state_->hash);
}
ArtifactWriter::ArtifactWriter(ArtifactWriter&&) noexcept = default;
ArtifactWriter& ArtifactWriter::operator=(ArtifactWriter&&) noexcept = default;
ArtifactWriter::~ArtifactWriter() = default;

Result<ArtifactWriter> ArtifactWriter::Create(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  std::string beside = path + ".XXXXXX";
  state->fd = ::mkostemp(beside.data(), O_CLOEXEC);
  if (state->fd < 0) return state->Fail();
  state->beside = beside;
  return ArtifactWriter(std::move(state));
}

Result<ArtifactWriter> ArtifactWriter::InMemory() {
  auto state = std::make_unique<State>();
  state->path = "memory";
  state->fd = ::memfd_create("artifact", MFD_CLOEXEC);
  if (state->fd < 0) return state->Fail();
  return ArtifactWriter(std::move(state));
}

Result<uint64_t> ArtifactWriter::Append(const void* data, size_t bytes) {
  static constexpr uint8_t kZeros[kArtifactAlignment] = {};
  const size_t pad = (kArtifactAlignment - state_->data_bytes % kArtifactAlignment) % kArtifactAlignment;
  PAWSIGHT_RETURN_IF_ERROR(state_->AppendData(kZeros, pad));
  const uint64_t offset = state_->data_bytes;
  PAWSIGHT_RETURN_IF_ERROR(state_->AppendData(data, bytes));
  return offset;
}

void ArtifactWriter::AddEntry(Json entry) { state_->entries.Append(std::move(entry)); }

Result<Artifact> ArtifactWriter::Finish(const ArtifactInfo& info) {
  Json heads{Json::Array{}};
  for (const Head head : info.heads) heads.Append(Json(HeadName(head)));
  const Json header(Json::Object{{"component", ComponentName(info.component)},
                                 {"precision", PrecisionName(info.precision)},
                                 {"heads", heads},
                                 {"compiler", info.compiler},
                                 {"source", info.source},
                                 {"config", info.config},
                                 {"entries", std::move(state_->entries)}});
  const std::string text = header.Dump();
  ArtifactPreamble preamble{};
  std::memcpy(preamble.magic, kArtifactMagic, sizeof preamble.magic);
  preamble.version = kArtifactVersion;
  preamble.header_bytes = static_cast<uint32_t>(text.size());
  preamble.data_bytes = state_->data_bytes;
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(text.data(), text.size()));
  std::memcpy(preamble.header_hash, canonical.digest, sizeof preamble.header_hash);
  XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(state_->hash));
  std::memcpy(preamble.data_hash, canonical.digest, sizeof preamble.data_hash);
  PAWSIGHT_RETURN_IF_ERROR(state_->WriteAt(text.data(), text.size(), kArtifactDataOffset + state_->data_bytes));
  PAWSIGHT_RETURN_IF_ERROR(state_->WriteAt(&preamble, sizeof preamble, 0));
  return Artifact::Open("/proc/self/fd/" + std::to_string(state_->fd));
}

Status ArtifactWriter::Publish() {
  if (::fchmod(state_->fd, 0644) != 0 || ::fsync(state_->fd) != 0) return state_->Fail();
  if (::rename(state_->beside.c_str(), state_->path.c_str()) != 0) return state_->Fail();
  state_->beside.clear();
  SyncDirectoryOf(state_->path);
  return Ok();
}

}  // namespace pawsight::engine
