#include "server/fingerprint.h"

#include <xxhash.h>

namespace pawsight::server {

Fingerprint FingerprintOf(std::span<const uint8_t> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64, bytes.size()};
}

}  // namespace pawsight::server
