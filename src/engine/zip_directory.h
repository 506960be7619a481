// engine/zip_directory.h: the files in a ZIP archive, as far as torch.save writes them: stored, not compressed; ZIP64
// accepted (APPNOTE.TXT 6.3.9, sections 4.3 and 4.5). Not here: inflate, encryption, several disks, checksums (a load
// touches every page once, in the conversion, not twice). Thread-safe: no state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "base/status.h"

namespace pawsight::engine {

/// True when the bytes start as a ZIP's first file does.
bool LooksLikeZip(std::span<const uint8_t> file);

/// Name to bytes, views into `file`. Directory entries ("x/") are left out.
/// Errors: kInvalidArgument, reason checkpoint_invalid: no central directory, a length or offset outside the file, a
/// name twice, more than 20000 files or 64 MB of directory. kUnimplemented, compressed, encrypted or split. kDataLoss,
/// the mapped file has shrunk.
Result<std::map<std::string, std::span<const uint8_t>, std::less<>>> ReadZipDirectory(std::span<const uint8_t> file);

}  // namespace pawsight::engine
