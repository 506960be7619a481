#include "engine/safetensors.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/mapped_read.h"

namespace pawsight::engine {
namespace {

constexpr size_t kLengthBytes = 8;

Status Invalid(std::string message) { return InvalidArgument("safetensors: " + std::move(message), "header_invalid"); }

Status InvalidTensor(std::string_view name, const std::string& message) {
  return Invalid("tensor " + JsonQuote(name.substr(0, 80)) + ": " + message);
}

std::optional<DType> ParseDType(std::string_view name) {
  for (const DType dtype : {DType::kBool, DType::kU8, DType::kI8, DType::kI16, DType::kU16, DType::kF16, DType::kBF16,
                            DType::kI32, DType::kU32, DType::kF32, DType::kF64, DType::kI64, DType::kU64}) {
    if (DTypeName(dtype) == name) return dtype;
  }
  return std::nullopt;
}

/// The header as text, from the first 8 + N bytes.
Result<std::string> HeaderText(std::span<const uint8_t> file) {
  if (file.size() < kLengthBytes) {
    return Invalid("the file has " + std::to_string(file.size()) + " bytes, too few for a header length");
  }
  uint8_t raw[kLengthBytes];
  PAWSIGHT_RETURN_IF_ERROR(CopyMapped(file.first(kLengthBytes), raw));
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i) length |= static_cast<uint64_t>(raw[i]) << (8 * i);
  const std::string claim = "the header is said to have " + std::to_string(length) + " bytes";
  if (length < 2) return Invalid(claim + ", too few for {}");
  if (length > file.size() - kLengthBytes) return Invalid(claim + ", more than the file");
  if (length > kMaxHeaderBytes) return Invalid(claim + ", more than the limit of " + std::to_string(kMaxHeaderBytes));
  std::string text(static_cast<size_t>(length), ' ');
  PAWSIGHT_RETURN_IF_ERROR(
      CopyMapped(file.subspan(kLengthBytes, text.size()), {reinterpret_cast<uint8_t*>(text.data()), text.size()}));
  if (text[0] != '{') return Invalid("the header does not start with {");
  return text;
}

Status CheckMetadata(const Json& metadata) {
  if (!metadata.is_object()) return Invalid("__metadata__: want an object");
  for (const auto& [key, value] : metadata.as_object()) {
    if (!value.is_string()) return Invalid("__metadata__." + key.substr(0, 80) + ": want a string");
  }
  return Ok();
}

struct Entry {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  int64_t begin = 0;
  int64_t end = 0;
};

Result<Entry> ParseEntry(std::string_view name, const Json& json, int64_t data_bytes, Alignment alignment) {
  if (name.empty() || name.size() > kMaxTensorNameBytes) {
    return InvalidTensor(
        name, "a name of " + std::to_string(name.size()) + " bytes, want 1.." + std::to_string(kMaxTensorNameBytes));
  }
  if (!json.is_object() || json.as_object().size() != 3) {
    return InvalidTensor(name, "want an object of dtype, shape and data_offsets");
  }
  Entry entry;
  entry.name = name;
  const Result<std::string> dtype_name = json.GetString("dtype");
  if (!dtype_name.ok()) return InvalidTensor(name, dtype_name.status().message());
  const std::optional<DType> dtype = ParseDType(*dtype_name);
  if (!dtype.has_value()) return InvalidTensor(name, "unknown dtype " + JsonQuote(dtype_name->substr(0, 40)));
  entry.dtype = *dtype;

  const Result<const Json::Array*> shape = json.GetArray("shape");
  if (!shape.ok()) return InvalidTensor(name, shape.status().message());
  for (const Json& dim : **shape) {
    if (!dim.is_integer()) return InvalidTensor(name, "shape: want integers of 0..2^63-1");
    entry.shape.push_back(dim.as_integer());
    if (entry.shape.size() > 8) break;  // CheckedBytes refuses; no need to copy a million
  }
  const Result<int64_t> bytes = CheckedBytes(entry.shape, entry.dtype);
  if (!bytes.ok()) return InvalidTensor(name, bytes.status().message());

  const Result<const Json::Array*> offsets = json.GetArray("data_offsets");
  if (!offsets.ok()) return InvalidTensor(name, offsets.status().message());
  if ((*offsets)->size() != 2 || !(**offsets)[0].is_integer() || !(**offsets)[1].is_integer()) {
    return InvalidTensor(name, "data_offsets: want [begin, end]");
  }
  entry.begin = (**offsets)[0].as_integer();
  entry.end = (**offsets)[1].as_integer();
  const std::string range = "data_offsets [" + std::to_string(entry.begin) + ", " + std::to_string(entry.end) + "]";
  if (entry.begin < 0 || entry.begin > entry.end) return InvalidTensor(name, range + " run backwards");
  if (entry.end > data_bytes) {
    return InvalidTensor(name, range + " reach beyond the " + std::to_string(data_bytes) + " bytes of data");
  }
  if (entry.end - entry.begin != *bytes) {
    return InvalidTensor(name, range + " are not the " + std::to_string(*bytes) + " bytes of " +
                                   std::string(DTypeName(entry.dtype)) + " " + ShapeText(entry.shape));
  }
  if (alignment == Alignment::kElements && entry.begin % static_cast<int64_t>(ElementBytes(entry.dtype)) != 0) {
    return InvalidTensor(name, range + " are not aligned to its elements");
  }
  return entry;
}

/// The tensors in the order of their bytes must follow each other without gap or overlap and fill the data.
Status CheckCover(std::vector<Entry>& entries, int64_t data_bytes) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.begin != b.begin ? a.begin < b.begin : a.end < b.end; });
  int64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin < at) return InvalidTensor(entry.name, "its bytes overlap another tensor's");
    if (entry.begin > at) {
      return InvalidTensor(entry.name, std::to_string(entry.begin - at) + " bytes before it belong to no tensor");
    }
    at = entry.end;
  }
  if (at != data_bytes) {
    return Invalid(std::to_string(data_bytes - at) + " bytes behind the last tensor belong to none");
  }
  return Ok();
}

}  // namespace

Result<TensorMap> ReadSafetensors(std::span<const uint8_t> file, Alignment alignment) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, HeaderText(file));
  const Result<Json> header = Json::Parse(text, {.max_bytes = kMaxHeaderBytes, .max_depth = 8});
  if (!header.ok()) return Invalid(header.status().message());
  CHECK(header->is_object());  // it starts with {
  const std::span<const uint8_t> data = file.subspan(kLengthBytes + text.size());
  const auto data_bytes = static_cast<int64_t>(data.size());

  const Json::Object& members = header->as_object();
  if (members.size() > kMaxTensors + 1) {
    return Invalid(std::to_string(members.size()) + " tensors, more than the limit of " + std::to_string(kMaxTensors));
  }
  std::vector<Entry> entries;
  entries.reserve(members.size());
  for (const auto& [name, value] : members) {
    if (name == "__metadata__") {
      PAWSIGHT_RETURN_IF_ERROR(CheckMetadata(value));
      continue;
    }
    PAWSIGHT_ASSIGN_OR_RETURN(Entry entry, ParseEntry(name, value, data_bytes, alignment));
    entries.push_back(std::move(entry));
  }
  PAWSIGHT_RETURN_IF_ERROR(CheckCover(entries, data_bytes));

  TensorMap tensors;
  for (Entry& entry : entries) {
    const auto bytes = data.subspan(static_cast<size_t>(entry.begin), static_cast<size_t>(entry.end - entry.begin));
    tensors.emplace(std::move(entry.name), TensorView{entry.dtype, std::move(entry.shape), bytes});
  }
  return tensors;
}

}  // namespace pawsight::engine
