// engine/artifact_layout.h: the first 64 bytes of an artifact, shared by its reader and its writer. See
// docs/formats/artifact.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pawsight::engine {

struct ArtifactPreamble {
  char magic[8];            // kArtifactMagic
  uint32_t version;         // kArtifactVersion
  uint32_t header_bytes;    // of the JSON that follows the data
  uint64_t data_bytes;      // from kArtifactDataOffset on
  uint64_t reserved;        // 0
  uint8_t header_hash[16];  // XXH3, canonical order of bytes
  uint8_t data_hash[16];    // the same
};
static_assert(sizeof(ArtifactPreamble) == 64);

inline constexpr char kArtifactMagic[8] = {'P', 'A', 'W', 'S', 'I', 'G', 'H', 'T'};
inline constexpr uint64_t kArtifactDataOffset = 4096;
inline constexpr uint64_t kArtifactAlignment = 64;
inline constexpr uint32_t kArtifactMaxHeader = 16U << 20U;

}  // namespace pawsight::engine
