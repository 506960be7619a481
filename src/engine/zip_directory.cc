#include "engine/zip_directory.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "base/json.h"
#include "engine/mapped_read.h"

namespace pawsight::engine {
namespace {

constexpr uint32_t kLocalHeader = 0x04034B50;
constexpr uint32_t kCentralHeader = 0x02014B50;
constexpr uint32_t kEnd = 0x06054B50;
constexpr uint32_t kEnd64 = 0x06064B50;
constexpr uint32_t kEnd64Locator = 0x07064B50;
constexpr size_t kEndBytes = 22;
constexpr size_t kEnd64Bytes = 56;
constexpr size_t kLocatorBytes = 20;
constexpr size_t kCentralBytes = 46;
constexpr size_t kLocalBytes = 30;
constexpr size_t kMaxComment = 65535;
constexpr uint64_t kMaxFiles = 20000;
constexpr uint64_t kMaxDirectoryBytes = 64U << 20U;

Status Invalid(const std::string& message) { return InvalidArgument("zip: " + message, "checkpoint_invalid"); }

template <typename T>
T Little(std::span<const uint8_t> bytes, size_t at) {
  CHECK(at + sizeof(T) <= bytes.size());
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value | static_cast<T>(T{bytes[at + i]} << (8 * i)));
  return value;
}

/// A copy of `count` bytes at `offset`, or the error `what` when they are not all inside.
Result<std::vector<uint8_t>> CopyRange(std::span<const uint8_t> file, uint64_t offset, uint64_t count,
                                       const std::string& what) {
  if (offset > file.size() || count > file.size() - offset) return Invalid(what + " lies outside the file");
  std::vector<uint8_t> copy(static_cast<size_t>(count));
  PAWSIGHT_RETURN_IF_ERROR(CopyMapped(file.subspan(static_cast<size_t>(offset), copy.size()), copy));
  return copy;
}

struct Directory {
  uint64_t offset = 0;
  uint64_t bytes = 0;
  uint64_t num_files = 0;
};

/// The ZIP64 end record that the locator before the end record at `end_at` points to, if there is a locator.
Result<std::optional<Directory>> FindDirectory64(std::span<const uint8_t> file, uint64_t end_at) {
  if (end_at < kLocatorBytes) return std::optional<Directory>();
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> locator,
                            CopyRange(file, end_at - kLocatorBytes, kLocatorBytes, "the ZIP64 locator"));
  if (Little<uint32_t>(locator, 0) != kEnd64Locator) return std::optional<Directory>();
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> end,
                            CopyRange(file, Little<uint64_t>(locator, 8), kEnd64Bytes, "the ZIP64 end record"));
  if (Little<uint32_t>(end, 0) != kEnd64) return Invalid("the ZIP64 end record has another signature");
  if (Little<uint32_t>(end, 16) != 0 || Little<uint32_t>(end, 20) != 0) {
    return Unimplemented("zip: archives split over several files are not read");
  }
  return std::optional<Directory>(
      Directory{Little<uint64_t>(end, 48), Little<uint64_t>(end, 40), Little<uint64_t>(end, 32)});
}

Result<Directory> FindDirectory(std::span<const uint8_t> file) {
  if (file.size() < kEndBytes) return Invalid("too short for an archive");
  const uint64_t tail_bytes = std::min<uint64_t>(file.size(), kEndBytes + kMaxComment);
  const uint64_t tail_at = file.size() - tail_bytes;
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> tail, CopyRange(file, tail_at, tail_bytes, "the end"));
  for (size_t at = tail.size() - kEndBytes + 1; at-- > 0;) {
    // The comment must reach exactly to the end of the file, else this is a signature inside other bytes.
    if (Little<uint32_t>(tail, at) != kEnd) continue;
    if (at + kEndBytes + Little<uint16_t>(tail, at + 20) != tail.size()) continue;
    PAWSIGHT_ASSIGN_OR_RETURN(const std::optional<Directory> wide, FindDirectory64(file, tail_at + at));
    if (wide.has_value()) return *wide;
    if (Little<uint16_t>(tail, at + 4) != 0 || Little<uint16_t>(tail, at + 6) != 0) {
      return Unimplemented("zip: archives split over several files are not read");
    }
    return Directory{Little<uint32_t>(tail, at + 16), Little<uint32_t>(tail, at + 12), Little<uint16_t>(tail, at + 10)};
  }
  return Invalid("no end record; the file is cut short or no archive");
}

struct Entry {
  std::string name;
  uint64_t bytes = 0;
  uint64_t local_header = 0;
};

/// Replaces fields of 0xFFFFFFFF by those of the ZIP64 extra field, which holds just them, in this order.
Status ApplyZip64(std::span<const uint8_t> extra, uint64_t stored, Entry* entry, uint64_t* packed) {
  while (extra.size() >= 4) {
    const auto id = Little<uint16_t>(extra, 0);
    const size_t length = Little<uint16_t>(extra, 2);
    if (length > extra.size() - 4) break;
    if (id == 1) {
      std::span<const uint8_t> fields = extra.subspan(4, length);
      for (uint64_t* field : {&entry->bytes, packed, &entry->local_header}) {
        if (*field != stored) continue;
        if (fields.size() < 8) return Invalid("a ZIP64 field is too short");
        *field = Little<uint64_t>(fields, 0);
        fields = fields.subspan(8);
      }
      return Ok();
    }
    extra = extra.subspan(4 + length);
  }
  return Ok();
}

/// The entry at the start of `rest`, which is moved behind it.
Result<Entry> ParseEntry(std::span<const uint8_t>* rest) {
  if (rest->size() < kCentralBytes || Little<uint32_t>(*rest, 0) != kCentralHeader) {
    return Invalid("the central directory is cut short");
  }
  const auto flags = Little<uint16_t>(*rest, 8);
  const auto method = Little<uint16_t>(*rest, 10);
  const size_t name_bytes = Little<uint16_t>(*rest, 28);
  const size_t extra_bytes = Little<uint16_t>(*rest, 30);
  const size_t all_bytes = kCentralBytes + name_bytes + extra_bytes + Little<uint16_t>(*rest, 32);
  if (all_bytes > rest->size()) return Invalid("the central directory is cut short");
  Entry entry;
  entry.name.assign(reinterpret_cast<const char*>(rest->data()) + kCentralBytes, name_bytes);
  uint64_t packed = Little<uint32_t>(*rest, 20);
  entry.bytes = Little<uint32_t>(*rest, 24);
  entry.local_header = Little<uint32_t>(*rest, 42);
  PAWSIGHT_RETURN_IF_ERROR(
      ApplyZip64(rest->subspan(kCentralBytes + name_bytes, extra_bytes), 0xFFFFFFFFU, &entry, &packed));
  const std::string who = JsonQuote(entry.name.substr(0, 80));
  if ((flags & 1U) != 0) return Unimplemented("zip: " + who + " is encrypted");
  if (method != 0) {
    return Unimplemented("zip: " + who + " is compressed (method " + std::to_string(method) +
                         "); torch.save stores files as they are, write the checkpoint again with it");
  }
  if (packed != entry.bytes) return Invalid(who + " is stored but has two sizes");
  *rest = rest->subspan(all_bytes);
  return entry;
}

/// The bytes of a file start behind its local header, whose name and extra field have their own lengths.
Result<std::span<const uint8_t>> Locate(std::span<const uint8_t> file, const Entry& entry) {
  const std::string who = JsonQuote(entry.name.substr(0, 80));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> local, CopyRange(file, entry.local_header, kLocalBytes, who));
  if (Little<uint32_t>(local, 0) != kLocalHeader) return Invalid(who + " has no local header where it should");
  const uint64_t begin = entry.local_header + kLocalBytes + Little<uint16_t>(local, 26) + Little<uint16_t>(local, 28);
  if (begin > file.size() || entry.bytes > file.size() - begin) return Invalid(who + " lies outside the file");
  return file.subspan(static_cast<size_t>(begin), static_cast<size_t>(entry.bytes));
}

}  // namespace

bool LooksLikeZip(std::span<const uint8_t> file) {
  uint8_t start[4];
  return file.size() >= sizeof start && CopyMapped(file.first(sizeof start), start).ok() &&
         Little<uint32_t>(start, 0) == kLocalHeader;
}

Result<std::map<std::string, std::span<const uint8_t>, std::less<>>> ReadZipDirectory(std::span<const uint8_t> file) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Directory directory, FindDirectory(file));
  if (directory.num_files > kMaxFiles || directory.bytes > kMaxDirectoryBytes) {
    return Invalid(std::to_string(directory.num_files) + " files in a directory of " + std::to_string(directory.bytes) +
                   " bytes, more than the limit of " + std::to_string(kMaxFiles) + " and " +
                   std::to_string(kMaxDirectoryBytes));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<uint8_t> central,
                            CopyRange(file, directory.offset, directory.bytes, "the central directory"));
  std::map<std::string, std::span<const uint8_t>, std::less<>> files;
  std::span<const uint8_t> rest = central;
  for (uint64_t i = 0; i < directory.num_files; ++i) {
    PAWSIGHT_ASSIGN_OR_RETURN(const Entry entry, ParseEntry(&rest));
    if (entry.name.ends_with('/')) continue;
    PAWSIGHT_ASSIGN_OR_RETURN(const std::span<const uint8_t> bytes, Locate(file, entry));
    if (!files.emplace(entry.name, bytes).second) return Invalid(JsonQuote(entry.name.substr(0, 80)) + " stands twice");
  }
  return files;
}

}  // namespace pawsight::engine
