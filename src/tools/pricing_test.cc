#include "tools/pricing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/yaml.h"

namespace pawsight::tools {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGood = R"(
format: pawsight-pricing
version: 1
lists:
  - region: us-east-1
    date: 2026-01-19
    source: https://example.org/prices
    instances:
      - {name: c7i.large, price_per_hour: 0.08925, vcpus: 2, memory_gib: 4}
      - {name: g6.xlarge, price_per_hour: 0.8048, vcpus: 4, memory_gib: 16, accelerator: NVIDIA L4, accelerators: 1}
  - region: eu-west-1
    date: 2026-02-01
    source: https://example.org/prices
    instances:
      - {name: c7i.large, price_per_hour: 0.1, vcpus: 2, memory_gib: 4}
)";

Result<Pricing> Parse(const std::string& text) { return ParsePricing(ParseYaml(text).value()); }

/// kGood with `from` replaced.
std::string With(const std::string& from, const std::string& to) {
  std::string text = kGood;
  return text.replace(text.find(from), from.size(), to);
}

TEST(Pricing, AFileGivesPricesWithTheirRegionDateAndSource) {
  const Pricing pricing = Parse(kGood).value();
  ASSERT_EQ(pricing.instances.size(), 3U);
  const InstancePrice& gpu = pricing.instances[1];
  EXPECT_EQ(gpu.name, "g6.xlarge");
  EXPECT_EQ(gpu.price_per_hour, 0.8048);
  EXPECT_EQ(gpu.vcpus, 4);
  EXPECT_EQ(gpu.memory_gib, 16);
  EXPECT_EQ(gpu.accelerator, "NVIDIA L4");
  EXPECT_EQ(gpu.accelerators, 1);
  EXPECT_EQ(gpu.region, "us-east-1");
  EXPECT_EQ(gpu.date, "2026-01-19");
  EXPECT_EQ(gpu.source, "https://example.org/prices");
  EXPECT_EQ(FindPrice(pricing, "c7i.large")->price_per_hour, 0.08925) << "the first list that has it";
  EXPECT_EQ(FindPrice(pricing, "c7i.large", "eu-west-1")->price_per_hour, 0.1);
}

TEST(Pricing, AnErrorNamesTheField) {
  const auto error = [](const std::string& from, const std::string& to) {
    return Parse(With(from, to)).status().message();
  };
  EXPECT_THAT(error("vcpus: 2,", "vcpu: 2,"), HasSubstr("lists[0].instances[0].vcpu: unknown; did you mean vcpus?"));
  EXPECT_THAT(error("0.8048", "free"), HasSubstr("lists[0].instances[1].price_per_hour: want a number"));
  EXPECT_THAT(error("0.8048", "0"), HasSubstr("price_per_hour: want a number"));
  EXPECT_THAT(error("0.8048", "-1"), HasSubstr("price_per_hour: want a number"));
  EXPECT_THAT(error("price_per_hour: 0.1, ", ""), HasSubstr("lists[1].instances[0].price_per_hour: missing"));
  EXPECT_THAT(error("2026-02-01", "2026-02-31"), HasSubstr("lists[1].date: want a day"));
  EXPECT_THAT(error("accelerators: 1", "accelerators: 0"), HasSubstr("accelerators: want an integer from 1"));
  EXPECT_THAT(error(", accelerators: 1", ""), HasSubstr("accelerators: missing"));
  EXPECT_THAT(error("version: 1", "version: 2"), HasSubstr("version: want an integer from 1 to 1"));
  EXPECT_THAT(error("pawsight-pricing", "prices"), HasSubstr("format: want pawsight-pricing"));
  EXPECT_THAT(error("region: eu-west-1", "region: us-east-1"), HasSubstr("c7i.large is there twice in us-east-1"));
  EXPECT_THAT(Parse("[]").status().message(), HasSubstr("want an object"));
  EXPECT_THAT(Parse("format: pawsight-pricing\nversion: 1\nlists: []").status().message(), HasSubstr("lists: want"));
}

TEST(Pricing, AnInstanceThatIsNotThereIsNamedWithItsNearest) {
  const Pricing pricing = Parse(kGood).value();
  EXPECT_THAT(FindPrice(pricing, "c7i.larg").status().message(), HasSubstr("did you mean c7i.large?"));
  EXPECT_THAT(FindPrice(pricing, "mainframe").status().message(), HasSubstr("--price-per-hour"));
  EXPECT_THAT(FindPrice(pricing, "g6.xlarge", "eu-west-1").status().message(), HasSubstr("in us-east-1"));
  EXPECT_EQ(FindPrice(pricing, "mainframe").status().code(), StatusCode::kInvalidArgument);
}

TEST(Pricing, TheFileThatShipsIsReadAndHasProcessorsGpusAndInferentia) {
  const Result<Pricing> shipped = LoadPricing(PAWSIGHT_SOURCE_DIR "/packaging/pricing.yaml");
  ASSERT_TRUE(shipped.ok()) << shipped.status().message();
  for (const char* name : {"c7i.large", "m7i.xlarge", "c7a.2xlarge", "c8g.2xlarge", "g4dn.xlarge", "g5.xlarge",
                           "g6.xlarge", "p4d.24xlarge", "p5.48xlarge", "inf2.xlarge"}) {
    EXPECT_TRUE(FindPrice(*shipped, name).ok()) << name;
  }
  for (const InstancePrice& instance : shipped->instances) {
    EXPECT_THAT(instance.source, ::testing::StartsWith("https://")) << instance.name;
  }
  EXPECT_EQ(FindPrice(*shipped, "c7i.2xlarge")->price_per_hour, 4 * FindPrice(*shipped, "c7i.large")->price_per_hour);
  EXPECT_THAT(LoadPricing("/nonexistent/pricing.yaml").status().message(), HasSubstr("/nonexistent/pricing.yaml"));
}

}  // namespace
}  // namespace pawsight::tools
