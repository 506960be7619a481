#include "tools/pricing.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <utility>

#include "base/clock.h"
#include "base/files.h"
#include "base/options.h"
#include "base/yaml.h"

namespace pawsight::tools {
namespace {

constexpr size_t kMaxBytes = 1U << 20U;
constexpr size_t kMaxTextBytes = 512;

std::string At(const std::string& where, size_t index) { return where + "[" + std::to_string(index) + "]"; }

/// One object's members; the first error sticks, and names its field.
class Fields {
 public:
  Fields(std::string where, const Json& json, std::span<const std::string> known)
      : where_(std::move(where)), json_(json) {
    if (!json.is_object()) {
      status_ = InvalidArgument((where_.empty() ? "pricing" : where_) + ": want an object");
      return;
    }
    for (const auto& [key, value] : json.as_object()) {
      if (std::ranges::find(known, key) != known.end()) continue;
      const std::string nearest = Nearest(key, known);
      Fail(key, "unknown" + (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
    }
  }

  void Text(const std::string& key, std::string* value) {
    const Json* found = Find(key, "a text of 1 to 512 bytes");
    if (found == nullptr) return;
    if (!found->is_string() || found->as_string().empty() || found->as_string().size() > kMaxTextBytes) {
      return Fail(key, "want a text of 1 to 512 bytes");
    }
    *value = found->as_string();
  }
  void Number(const std::string& key, double low, double high, double* value) {
    const std::string want = "a number from " + PrintOption(low) + " to " + PrintOption(high);
    const Json* found = Find(key, want);
    if (found == nullptr) return;
    if (!found->is_number() || !(found->as_number() >= low && found->as_number() <= high)) {
      return Fail(key, "want " + want);
    }
    *value = found->as_number();
  }
  void Count(const std::string& key, int low, int high, int* value) {
    const std::string want = "an integer from " + std::to_string(low) + " to " + std::to_string(high);
    const Json* found = Find(key, want);
    if (found == nullptr) return;
    if (!found->is_integer() || found->as_integer() < low || found->as_integer() > high) {
      return Fail(key, "want " + want);
    }
    *value = static_cast<int>(found->as_integer());
  }
  const Json::Array* Array(const std::string& key, size_t most) {
    const std::string want = "a list of 1 to " + std::to_string(most);
    const Json* found = Find(key, want);
    if (found == nullptr) return nullptr;
    if (!found->is_array() || found->as_array().empty() || found->as_array().size() > most) {
      return Fail(key, "want " + want), nullptr;
    }
    return &found->as_array();
  }
  bool Has(const std::string& key) const { return json_.Find(key) != nullptr; }
  void Fail(const std::string& key, const std::string& what) {
    if (status_.ok()) status_ = InvalidArgument((where_.empty() ? "" : where_ + ".") + key + ": " + what);
  }
  const Status& status() const { return status_; }

 private:
  const Json* Find(const std::string& key, const std::string& want) {
    if (!status_.ok()) return nullptr;
    const Json* found = json_.Find(key);
    if (found == nullptr) Fail(key, "missing, want " + want);
    return found;
  }

  const std::string where_;
  const Json& json_;
  Status status_;
};

/// "2026-01-19".
bool IsDate(const std::string& text) { return ParseTime(text + "T00:00:00Z").ok(); }

const std::array<std::string, 3> kFileKeys = {"format", "version", "lists"};
const std::array<std::string, 4> kListKeys = {"region", "date", "source", "instances"};
const std::array<std::string, 6> kInstanceKeys = {"name",       "price_per_hour", "vcpus",
                                                  "memory_gib", "accelerator",    "accelerators"};

Status ReadInstance(const std::string& where, const Json& json, InstancePrice* instance) {
  Fields fields(where, json, kInstanceKeys);
  fields.Text("name", &instance->name);
  fields.Number("price_per_hour", 0.0001, 10'000, &instance->price_per_hour);
  fields.Count("vcpus", 1, 4096, &instance->vcpus);
  fields.Number("memory_gib", 0.25, 65'536, &instance->memory_gib);
  if (fields.Has("accelerator") || fields.Has("accelerators")) {
    fields.Text("accelerator", &instance->accelerator);
    fields.Count("accelerators", 1, 64, &instance->accelerators);
  }
  return fields.status();
}

}  // namespace

Result<Pricing> ParsePricing(const Json& json) {
  Fields file("", json, kFileKeys);
  std::string format;
  int version = 0;
  file.Text("format", &format);
  if (file.status().ok() && format != "pawsight-pricing") file.Fail("format", "want pawsight-pricing");
  file.Count("version", 1, 1, &version);
  const Json::Array* lists = file.Array("lists", kMaxPriceLists);
  if (lists == nullptr) return file.status();

  Pricing pricing;
  std::set<std::pair<std::string, std::string>> seen;  // region, name
  for (size_t i = 0; i < lists->size(); ++i) {
    const std::string where = At("lists", i);
    Fields list(where, (*lists)[i], kListKeys);
    InstancePrice of_list;
    list.Text("region", &of_list.region);
    list.Text("date", &of_list.date);
    if (list.status().ok() && !IsDate(of_list.date)) list.Fail("date", "want a day as 2026-01-31");
    list.Text("source", &of_list.source);
    const Json::Array* instances = list.Array("instances", kMaxPrices);
    if (instances == nullptr) return list.status();
    for (size_t k = 0; k < instances->size(); ++k) {
      InstancePrice instance = of_list;
      const std::string place = At(where + ".instances", k);
      PAWSIGHT_RETURN_IF_ERROR(ReadInstance(place, (*instances)[k], &instance));
      if (!seen.emplace(instance.region, instance.name).second) {
        return InvalidArgument(place + ".name: " + instance.name + " is there twice in " + instance.region);
      }
      if (seen.size() > kMaxPrices) {
        return InvalidArgument("lists: more than " + std::to_string(kMaxPrices) + " instances");
      }
      pricing.instances.push_back(std::move(instance));
    }
  }
  return pricing;
}

Result<Pricing> LoadPricing(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxBytes));
  const Result<Json> json = ParseYaml(text);
  if (!json.ok()) return Annotate(json.status(), path);
  Result<Pricing> pricing = ParsePricing(*json);
  if (!pricing.ok()) return Annotate(pricing.status(), path);
  return pricing;
}

Result<InstancePrice> FindPrice(const Pricing& pricing, const std::string& name, const std::string& region) {
  std::vector<std::string> names;
  std::string regions;
  for (const InstancePrice& instance : pricing.instances) {
    if (instance.name == name && (region.empty() || instance.region == region)) return instance;
    if (instance.name == name) regions += (regions.empty() ? "" : ", ") + instance.region;
    names.push_back(instance.name);
  }
  if (!regions.empty()) return InvalidArgument("instance: no price of " + name + " in " + region + "; in " + regions);
  const std::string nearest = Nearest(name, names);
  return InvalidArgument(
      "instance: no price of " + name +
      (nearest.empty() ? "; name a price with --price-per-hour" : "; did you mean " + nearest + "?"));
}

}  // namespace pawsight::tools
