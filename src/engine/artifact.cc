#include "engine/artifact.h"

#include <xxhash.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <system_error>

#include "base/hexadecimal.h"
#include "engine/artifact_layout.h"

namespace pawsight::engine {
namespace {

constexpr int kMaxSide = 1 << 24;  // rows or columns of anything

Status Damaged(const std::string& message) { return DataLoss("artifact: " + message, "artifact_damaged"); }

std::array<uint8_t, 16> Canonical(XXH128_hash_t value) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, value);
  std::array<uint8_t, 16> hash{};
  std::memcpy(hash.data(), canonical.digest, sizeof canonical.digest);
  return hash;
}

std::array<uint8_t, 16> Hash(std::span<const uint8_t> bytes) {
  return Canonical(XXH3_128bits(bytes.data(), bytes.size()));
}

/// `count` values of a type inside the data. Errors: artifact_damaged.
template <typename T>
Result<const T*> Place(std::span<const uint8_t> data, const Json& entry, std::string_view key, uint64_t bytes) {
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t offset, entry.GetInteger(key));
  const auto at = static_cast<uint64_t>(offset);
  if (offset < 0 || at % kArtifactAlignment != 0 || at > data.size() || bytes > data.size() - at) {
    return Damaged("an entry's " + std::string(key) + " lies outside the file");
  }
  return reinterpret_cast<const T*>(data.data() + at);
}

Result<Precision> PrecisionOf(const Json& entry) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string name, entry.GetString("precision"));
  const auto precision = ParsePrecision(name);
  if (!precision) return Damaged("precision \"" + name + "\"");
  return *precision;
}

Result<PackedWeights> ReadProduct(std::span<const uint8_t> data, const Json& entry) {
  PackedWeights weights;
  PAWSIGHT_ASSIGN_OR_RETURN(weights.precision, PrecisionOf(entry));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t in, entry.GetInteger("in", 1, kMaxSide));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t out, entry.GetInteger("out", 1, kMaxSide));
  weights.in = static_cast<int>(in);
  weights.out = static_cast<int>(out);
  const uint64_t padded = static_cast<uint64_t>(kernels::NumPanels(weights.out)) * kernels::kPanel;
  const uint64_t bytes = weights.precision == Precision::kFp32
                             ? kernels::PackedSize(weights.in, weights.out) * sizeof(float)
                             : kernels::NarrowPackedBytes(weights.precision, weights.in, weights.out);
  PAWSIGHT_ASSIGN_OR_RETURN(weights.panels, Place<uint8_t>(data, entry, "panels", bytes));
  PAWSIGHT_ASSIGN_OR_RETURN(weights.bias, Place<float>(data, entry, "bias", padded * sizeof(float)));
  if (weights.precision == Precision::kInt8) {
    PAWSIGHT_ASSIGN_OR_RETURN(weights.column_scales, Place<float>(data, entry, "scales", padded * sizeof(float)));
    PAWSIGHT_ASSIGN_OR_RETURN(weights.column_sums, Place<int32_t>(data, entry, "sums", padded * sizeof(int32_t)));
  }
  return weights;
}

Result<Table> ReadTable(std::span<const uint8_t> data, const Json& entry) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Precision precision, PrecisionOf(entry));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t rows, entry.GetInteger("rows", 1, kMaxSide));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t width, entry.GetInteger("width", 1, kMaxSide));
  Table table{.rows = static_cast<int>(rows), .width = static_cast<int>(width)};
  const auto count = static_cast<uint64_t>(rows) * static_cast<uint64_t>(width);
  if (precision == Precision::kFp32) {
    PAWSIGHT_ASSIGN_OR_RETURN(table.floats, Place<float>(data, entry, "data", count * sizeof(float)));
  } else {
    PAWSIGHT_ASSIGN_OR_RETURN(table.narrow, Place<Bf16>(data, entry, "data", count * sizeof(Bf16)));
  }
  return table;
}

Result<std::vector<Head>> ReadHeads(const Json& header) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* names, header.GetArray("heads"));
  std::vector<Head> heads;
  for (const Json& name : *names) {
    for (const Head head : {Head::kVqa, Head::kCaption, Head::kItm}) {
      if (name.is_string() && name.as_string() == HeadName(head)) heads.push_back(head);
    }
  }
  return heads;
}

}  // namespace

/// Finds entries by name; a missing one, or one of another size, is an error that sticks.
class Artifact::Source : public LayerSource {
 public:
  explicit Source(const Artifact& artifact) : artifact_(artifact) {}

  Linear Fused(const std::string& entry, const std::vector<std::string>& names, int in, int out_each) override {
    return Product(entry, in, out_each * static_cast<int>(names.size()));
  }
  Linear Parts(const std::string& entry, const std::string&, const std::string&, int in, int out) override {
    return Product(entry, in, out);
  }
  std::span<const float> Vector(const std::string& name, int size) override {
    const Entry* entry = Find(name);
    if (entry == nullptr) return {};
    if (entry->values.size() == static_cast<size_t>(size)) return entry->values;
    Fail(Damaged(name + ": of another size"));
    return {};
  }
  Table Rows(const std::string& name, int rows, int width) override {
    const Entry* entry = Find(name);
    if (entry == nullptr) return {};
    if (entry->rows.rows == rows && entry->rows.width == width) return entry->rows;
    Fail(Damaged(name + ": of another size"));
    return {};
  }
  bool Has(const std::string& name) const override { return artifact_.entries_.contains(name); }

 private:
  Linear Product(const std::string& name, int in, int out) {
    const Entry* entry = Find(name);
    if (entry == nullptr) return {};
    if (entry->weights.in == in && entry->weights.out == out) return Linear(entry->weights);
    Fail(Damaged(name + ": of another size"));
    return {};
  }
  const Entry* Find(const std::string& name) {
    const auto found = artifact_.entries_.find(name);
    if (found != artifact_.entries_.end()) return &found->second;
    Fail(Damaged(name + ": missing"));
    return nullptr;
  }

  const Artifact& artifact_;
};

std::string Checksum(std::span<const uint8_t> bytes) { return Hexadecimal(Hash(bytes)); }

Result<std::string> ChecksumFile(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), std::fclose);
  if (file == nullptr) return NotFound(path + ": " + std::system_category().message(errno));
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(XXH3_createState(), XXH3_freeState);
  XXH3_128bits_reset(state.get());
  std::vector<uint8_t> block(1U << 20U);
  for (size_t got = 0; (got = std::fread(block.data(), 1, block.size(), file.get())) > 0;) {
    XXH3_128bits_update(state.get(), block.data(), got);
  }
  if (std::ferror(file.get()) != 0) return Unavailable(path + ": cannot be read");
  return Hexadecimal(Canonical(XXH3_128bits_digest(state.get())));
}

Status Artifact::ReadEntry(const Json& json) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string name, json.GetString("name"));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string kind, json.GetString("kind"));
  Entry entry;
  if (kind == "product") {
    PAWSIGHT_ASSIGN_OR_RETURN(entry.weights, ReadProduct(data_, json));
    bytes_by_precision_[std::string(PrecisionName(entry.weights.precision))] +=
        entry.weights.precision == Precision::kFp32
            ? kernels::PackedSize(entry.weights.in, entry.weights.out) * sizeof(float)
            : kernels::NarrowPackedBytes(entry.weights.precision, entry.weights.in, entry.weights.out);
  } else if (kind == "rows") {
    PAWSIGHT_ASSIGN_OR_RETURN(entry.rows, ReadTable(data_, json));
  } else if (kind == "vector") {
    PAWSIGHT_ASSIGN_OR_RETURN(const int64_t size, json.GetInteger("size", 1, int64_t{kMaxSide} * 64));
    PAWSIGHT_ASSIGN_OR_RETURN(const float* values,
                              Place<float>(data_, json, "data", static_cast<uint64_t>(size) * sizeof(float)));
    entry.values = {values, static_cast<size_t>(size)};
  } else {
    return Damaged("an entry of kind \"" + kind + "\"");
  }
  if (!entries_.emplace(name, entry).second) return Damaged(name + " twice");
  return Ok();
}

Status Artifact::ReadHeader(const std::string& path) {
  const std::span<const uint8_t> bytes = file_.bytes();
  ArtifactPreamble preamble{};
  if (bytes.size() < kArtifactDataOffset) return Damaged("too short to be one");
  std::memcpy(&preamble, bytes.data(), sizeof preamble);
  if (std::memcmp(preamble.magic, kArtifactMagic, sizeof preamble.magic) != 0)
    return Damaged("no artifact, or never finished");
  if (preamble.version != kArtifactVersion) {
    return FailedPrecondition("artifact: version " + std::to_string(preamble.version) + ", this program reads " +
                                  std::to_string(kArtifactVersion) +
                                  "; make it anew: pawsight compile MODEL_DIR --out " +
                                  path.substr(0, path.find_last_of('/')) + " --force",
                              "artifact_version");
  }
  const uint64_t room = bytes.size() - kArtifactDataOffset;
  if (preamble.header_bytes > kArtifactMaxHeader || preamble.data_bytes > room ||
      preamble.header_bytes != room - preamble.data_bytes) {
    return Damaged("its length is " + std::to_string(bytes.size()) + " bytes, its header says another");
  }
  data_ = bytes.subspan(kArtifactDataOffset, preamble.data_bytes);
  const auto text = bytes.subspan(kArtifactDataOffset + preamble.data_bytes);
  if (std::memcmp(Hash(text).data(), preamble.header_hash, sizeof preamble.header_hash) != 0)
    return Damaged("its header's checksum differs");
  PAWSIGHT_ASSIGN_OR_RETURN(const Json header, Json::Parse({reinterpret_cast<const char*>(text.data()), text.size()}));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string component, header.GetString("component"));
  const auto known = ParseComponent(component);
  if (!known) return Damaged("component \"" + component + "\"");
  info_.component = *known;
  PAWSIGHT_ASSIGN_OR_RETURN(info_.precision, PrecisionOf(header));
  PAWSIGHT_ASSIGN_OR_RETURN(info_.heads, ReadHeads(header));
  PAWSIGHT_ASSIGN_OR_RETURN(info_.config, header.GetString("config"));
  PAWSIGHT_ASSIGN_OR_RETURN(info_.source, header.GetString("source"));
  PAWSIGHT_ASSIGN_OR_RETURN(info_.compiler, header.GetString("compiler"));
  PAWSIGHT_ASSIGN_OR_RETURN(config_, BlipConfig::Parse(info_.config));
  PAWSIGHT_ASSIGN_OR_RETURN(const Json::Array* entries, header.GetArray("entries"));
  for (const Json& entry : *entries) PAWSIGHT_RETURN_IF_ERROR(ReadEntry(entry));
  return Ok();
}

Result<Artifact> Artifact::Open(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(MappedFile file, MappedFile::Open(path));
  PAWSIGHT_ASSIGN_OR_RETURN(MappingWatch watch, MappingWatch::Start(file.bytes()));
  Artifact artifact(std::move(file), std::move(watch));
  const Status read = artifact.ReadHeader(path);
  if (read.ok()) return artifact;
  const bool ours = read.reason() == "artifact_version" || read.reason() == "artifact_damaged";
  return Annotate(ours ? read : DataLoss("artifact: " + read.message(), "artifact_damaged"), path);
}

Status Artifact::Verify() const {
  ArtifactPreamble preamble{};
  std::memcpy(&preamble, file_.bytes().data(), sizeof preamble);
  if (std::memcmp(Hash(data_).data(), preamble.data_hash, sizeof preamble.data_hash) == 0) return Ok();
  return Damaged("its data's checksum differs");
}

Status Artifact::CheckUnchanged() const {
  if (watch_.whole() && file_.Unchanged()) return Ok();
  return Unavailable(
      "artifact: " + std::string(ComponentName(info_.component)) +
          " was written to or cut short while it was in use; put artifacts in place by renaming, and reload",
      "artifact_changed");
}

std::unique_ptr<LayerSource> Artifact::Layers() const { return std::make_unique<Source>(*this); }

}  // namespace pawsight::engine
