#include "engine/compile/pack.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/parts.h"
#include "kernels/kernels.h"

namespace pawsight::engine {
namespace {

/// Answers a component's Load by packing what it asks for. The layers it gives are empty: the artifact has them.
class PackingSource : public LayerSource {
 public:
  PackingSource(const Weights& weights, Precision precision, ArtifactWriter& writer, const PackProgress& progress)
      : weights_(weights), precision_(precision), writer_(writer), progress_(progress) {}

  Linear Fused(const std::string& entry, const std::vector<std::string>& names, int in, int out_each) override {
    std::vector<std::pair<std::string, std::string>> parts;
    for (const std::string& name : names) parts.emplace_back(name + ".weight", name + ".bias");
    return Product(entry, parts, in, out_each);
  }
  Linear Parts(const std::string& entry, const std::string& weight, const std::string& bias, int in, int out) override {
    return Product(entry, {{weight, bias}}, in, out);
  }
  std::span<const float> Vector(const std::string& name, int size) override {
    if (!status().ok()) return {};
    std::vector<float> values(static_cast<size_t>(size));
    Json entry(Json::Object{{"name", name}, {"kind", "vector"}, {"size", size}});
    if (Read(name, values)) Put(&entry, "data", values.data(), values.size() * sizeof(float));
    Done(std::move(entry), values.size());
    return {};
  }
  Table Rows(const std::string& name, int rows, int width) override;
  bool Has(const std::string& name) const override { return weights_.Find(name) != nullptr; }

 private:
  Linear Product(const std::string& entry_name, const std::vector<std::pair<std::string, std::string>>& parts, int in,
                 int out_each);
  void PutPanels(Json* entry, Precision precision, const std::vector<float>& weight, int in, int out);
  bool Read(const std::string& name, std::span<float> values);
  void Put(Json* entry, std::string_view key, const void* data, size_t bytes);
  void Done(Json entry, uint64_t values);

  const Weights& weights_;
  const Precision precision_;
  ArtifactWriter& writer_;
  const PackProgress& progress_;
  uint64_t packed_bytes_ = 0;
};

bool PackingSource::Read(const std::string& name, std::span<float> values) {
  const TensorView* tensor = weights_.Find(name);
  if (tensor == nullptr || static_cast<uint64_t>(tensor->num_elements()) != values.size()) {
    Fail(InvalidArgument(name + ": " + (tensor == nullptr ? "missing" : ShapeText(tensor->shape)) + ", want " +
                             std::to_string(values.size()) + " values",
                         "weights_mismatch"));
    return false;
  }
  Fail(weights_.ReadFloats(name, values));
  return status().ok();
}

void PackingSource::Put(Json* entry, std::string_view key, const void* data, size_t bytes) {
  const Result<uint64_t> offset = writer_.Append(data, bytes);
  if (offset.ok()) {
    entry->Set(key, Json(*offset));
  } else {
    Fail(offset.status());
  }
}

void PackingSource::Done(Json entry, uint64_t values) {
  if (!status().ok()) return;
  writer_.AddEntry(std::move(entry));
  packed_bytes_ += values * sizeof(float);
  if (progress_) progress_(packed_bytes_);
}

Table PackingSource::Rows(const std::string& name, int rows, int width) {
  if (!status().ok()) return {};
  const bool narrow = precision_ != Precision::kFp32;
  std::vector<float> values(static_cast<size_t>(rows) * static_cast<size_t>(width));
  Json entry(Json::Object{{"name", name},
                          {"kind", "rows"},
                          {"precision", PrecisionName(narrow ? Precision::kBf16 : Precision::kFp32)},
                          {"rows", rows},
                          {"width", width}});
  if (!Read(name, values)) return {};
  if (narrow) {
    std::vector<Bf16> rounded(values.size());
    std::ranges::transform(values, rounded.begin(), kernels::ToBf16);
    Put(&entry, "data", rounded.data(), rounded.size() * sizeof(Bf16));
  } else {
    Put(&entry, "data", values.data(), values.size() * sizeof(float));
  }
  Done(std::move(entry), values.size());
  return {};
}

void PackingSource::PutPanels(Json* entry, Precision precision, const std::vector<float>& weight, int in, int out) {
  if (precision == Precision::kFp32) {
    Floats panels(kernels::PackedSize(in, out));
    (*kernels::Choose(""))->pack_transposed(weight.data(), in, out, in, panels.data());
    Put(entry, "panels", panels.data(), panels.bytes());
    return;
  }
  Floats panels(kernels::NarrowPackedBytes(precision, in, out) / sizeof(float));
  float* packed = panels.data();
  if (precision == Precision::kBf16) {
    kernels::PackBf16(weight.data(), in, out, in, packed);
  } else {
    const auto padded = static_cast<size_t>(kernels::NumPanels(out)) * kernels::kPanel;
    std::vector<float> scales(padded);
    std::vector<int32_t> sums(padded);
    kernels::PackInt8(weight.data(), in, out, in, packed, scales.data(), sums.data());
    Put(entry, "scales", scales.data(), scales.size() * sizeof(float));
    Put(entry, "sums", sums.data(), sums.size() * sizeof(int32_t));
  }
  Put(entry, "panels", panels.data(), panels.bytes());
}

Linear PackingSource::Product(const std::string& entry_name,
                              const std::vector<std::pair<std::string, std::string>>& parts, int in, int out_each) {
  if (!status().ok()) return {};
  const int out = out_each * static_cast<int>(parts.size());
  const auto part_values = static_cast<size_t>(in) * static_cast<size_t>(out_each);
  std::vector<float> weight(part_values * parts.size());
  std::vector<float> bias(static_cast<size_t>(kernels::NumPanels(out)) * kernels::kPanel);
  for (size_t i = 0; i < parts.size(); ++i) {
    const auto each = static_cast<size_t>(out_each);
    if (!Read(parts[i].first, std::span(weight).subspan(i * part_values, part_values))) return {};
    if (!Read(parts[i].second, std::span(bias).subspan(i * each, each))) return {};
  }
  const Precision precision = LayerPrecision(precision_, entry_name);
  Json entry(Json::Object{
      {"name", entry_name}, {"kind", "product"}, {"precision", PrecisionName(precision)}, {"in", in}, {"out", out}});
  PutPanels(&entry, precision, weight, in, out);
  Put(&entry, "bias", bias.data(), bias.size() * sizeof(float));
  Done(std::move(entry), weight.size());
  return {};
}

}  // namespace

Precision LayerPrecision(Precision component, std::string_view entry) {
  if (component != Precision::kInt8) return component;
  // The pixels themselves: 0.6 % of the image encoder's work.
  if (entry.ends_with("patch_embedding")) return Precision::kBf16;
  // One row a text, and all of what is said of it.
  if (entry == "itm_head" || entry == "vision_proj" || entry == "text_proj") return Precision::kBf16;
  return component;
}

Result<Checkpoint> Checkpoint::Open(const std::string& model_dir, const std::string& weights_path) {
  constexpr size_t kMaxConfig = 1U << 20U;
  PAWSIGHT_ASSIGN_OR_RETURN(BlipConfig config, BlipConfig::Open(model_dir));
  PAWSIGHT_ASSIGN_OR_RETURN(std::string text, ReadTextFile(model_dir + "/config.json", kMaxConfig));
  PAWSIGHT_ASSIGN_OR_RETURN(Weights weights,
                            weights_path.empty() ? Weights::Open(model_dir) : Weights::OpenFile(weights_path));
  PAWSIGHT_ASSIGN_OR_RETURN(std::vector<Head> heads, CheckWeights(weights, config));
  return Checkpoint{std::move(text), std::move(config), std::move(weights), std::move(heads)};
}

Result<std::string> Checkpoint::Hash() const {
  std::string all = config_text;
  for (const std::string& path : weights.files()) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::string checksum, ChecksumFile(path));
    all += checksum;
  }
  return Checksum({reinterpret_cast<const uint8_t*>(all.data()), all.size()});
}

Result<Artifact> PackComponent(const Checkpoint& checkpoint, Component component, Precision precision,
                               const std::string& source_hash, ArtifactWriter& writer, const PackProgress& progress) {
  PackingSource source(checkpoint.weights, precision, writer, progress);
  engine::Parts discarded;
  discarded.Load(source, checkpoint.config, checkpoint.heads, component);
  PAWSIGHT_RETURN_IF_ERROR(source.status());
  return writer.Finish({.component = component,
                        .precision = precision,
                        .heads = checkpoint.heads,
                        .config = checkpoint.config_text,
                        .source = source_hash,
                        .compiler = "pawsight " PAWSIGHT_VERSION});
}

}  // namespace pawsight::engine
