// tools/pricing.h: what an hour of an instance costs: lists of public on-demand prices with their region, date and
// source, from a file that people keep (packaging/pricing.yaml). Not here: what a frame costs (tools/cost_model.h).
// Pure but for LoadPricing; values, thread-compatible.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace pawsight::tools {

/// Most lists of a file, and most instances of them all.
inline constexpr size_t kMaxPriceLists = 100;
inline constexpr size_t kMaxPrices = 10'000;

struct InstancePrice {
  std::string name;           // "c7i.2xlarge"
  double price_per_hour = 0;  // US dollars, 0.0001..10,000
  int vcpus = 0;              // 1..4096
  double memory_gib = 0;      // 0.25..65,536
  std::string accelerator;    // "NVIDIA L4"; "" has none
  int accelerators = 0;       // 0..64; above 0 with a name only
  std::string region;         // of its list
  std::string date;           // "2026-01-19": what the source says it was made on
  std::string source;         // where it can be looked up
};

struct Pricing {
  std::vector<InstancePrice> instances;  // in the order of the file
};

/// {"format":"pawsight-pricing","version":1,"lists":[{"region","date","source","instances":[{"name","price_per_hour",
/// "vcpus","memory_gib","accelerator","accelerators"}]}]}; the last two may be left out. Errors: kInvalidArgument
/// naming the field ("lists[0].instances[3].price_per_hour: want a number from 0.0001 to 10000"): missing, of another
/// type, out of range, unknown, an instance twice in a region, another format or a later version.
Result<Pricing> ParsePricing(const Json& json);

/// A YAML file of at most 1 MiB. Errors: those of ReadTextFile, ParseYaml and ParsePricing, with the path.
Result<Pricing> LoadPricing(const std::string& path);

/// `region` "": the first list that has it. Errors: kInvalidArgument, no such instance, or not in that region; the
/// message names the nearest name.
Result<InstancePrice> FindPrice(const Pricing& pricing, const std::string& name, const std::string& region = {});

}  // namespace pawsight::tools
