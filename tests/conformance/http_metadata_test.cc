#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_peer.h"

namespace pawsight::conformance {
namespace {

using ::testing::Contains;

std::vector<std::string> Names(const Json* specs) {
  std::vector<std::string> names;
  if (specs == nullptr || !specs->is_array()) return names;
  for (const Json& spec : specs->as_array()) names.push_back(spec.GetString("name").value());
  return names;
}

TEST(HttpMetadata, TheServerIsLiveAndReady) {
  EXPECT_EQ(Ask("GET", "/v2/health/live").status, 200);
  EXPECT_EQ(Ask("GET", "/v2/health/ready").status, 200);
}

TEST(HttpMetadata, TheServerSaysItsNameVersionAndExtensions) {
  const Answer answer = Ask("GET", "/v2");
  ASSERT_EQ(answer.status, 200);
  const Json json = answer.json();
  EXPECT_TRUE(json.GetString("name").ok());
  EXPECT_TRUE(json.GetString("version").ok());
  ASSERT_TRUE(json.GetArray("extensions").ok());
  std::vector<std::string> extensions;
  for (const Json& extension : json.Find("extensions")->as_array()) extensions.push_back(extension.as_string());
  EXPECT_THAT(extensions, Contains("binary_tensor_data"));
}

TEST(HttpMetadata, TheModelSaysWhatItTakesAndGivesWithAndWithoutItsVersion) {
  const Answer answer = Ask("GET", ModelPath(""));
  ASSERT_EQ(answer.status, 200);
  const Json json = answer.json();
  EXPECT_EQ(json.GetString("name").value(), TheTarget().model);
  EXPECT_TRUE(json.GetString("platform").ok());
  EXPECT_THAT(Names(json.Find("inputs")), ::testing::IsSupersetOf({"image", "question"}));
  EXPECT_THAT(Names(json.Find("outputs")), ::testing::IsSupersetOf({"answer", "p_yes"}));
  for (const Json& input : json.Find("inputs")->as_array()) {
    EXPECT_TRUE(input.GetString("datatype").ok());
    EXPECT_TRUE(input.GetArray("shape").ok());
  }
  ASSERT_TRUE(json.GetArray("versions").ok());
  for (const Json& version : json.Find("versions")->as_array()) {
    EXPECT_EQ(Ask("GET", ModelPath("/versions/" + version.as_string())).status, 200);
    EXPECT_EQ(Ask("GET", ModelPath("/versions/" + version.as_string() + "/ready")).status, 200);
    EXPECT_EQ(Ask("GET", ModelPath("/versions/" + version.as_string() + "/config")).status, 200);
    EXPECT_EQ(Ask("GET", ModelPath("/versions/" + version.as_string() + "/stats")).status, 200);
  }
}

TEST(HttpMetadata, TheModelIsReady) { EXPECT_EQ(Ask("GET", ModelPath("/ready")).status, 200); }

TEST(HttpMetadata, TheConfigurationNamesTheSameTensors) {
  const Json json = Ask("GET", ModelPath("/config")).json();
  EXPECT_EQ(json.GetString("name").value(), TheTarget().model);
  EXPECT_TRUE(json.GetInteger("max_batch_size").ok());
  EXPECT_THAT(Names(json.Find("input")), ::testing::IsSupersetOf({"image", "question"}));
  EXPECT_THAT(Names(json.Find("output")), ::testing::IsSupersetOf({"answer", "p_yes"}));
  for (const Json& input : json.Find("input")->as_array()) {
    EXPECT_TRUE(input.GetString("data_type").value().starts_with("TYPE_"));
    EXPECT_TRUE(input.GetArray("dims").ok());
  }
}

TEST(HttpMetadata, TheStatisticsCountWhatWasInferred) {
  const auto count = [](const std::string& path) -> int64_t {
    const Json json = Ask("GET", path).json();
    if (!json.GetArray("model_stats").ok()) return -1;
    for (const Json& model : json.Find("model_stats")->as_array()) {
      if (model.GetString("name").value() != TheTarget().model) continue;
      for (const char* stage : {"success", "fail", "queue", "compute_input", "compute_infer", "compute_output"}) {
        EXPECT_TRUE(model.Find("inference_stats")->Find(stage)->GetInteger("count").ok()) << stage;
        EXPECT_TRUE(model.Find("inference_stats")->Find(stage)->GetInteger("ns").ok()) << stage;
      }
      return model.Find("inference_stats")->Find("success")->GetInteger("count").value();
    }
    return -1;
  };
  const int64_t before = count(ModelPath("/stats"));
  ASSERT_GE(before, 0);
  ASSERT_EQ(Infer(Request({"is there a cat?"})).status, 200);
  EXPECT_GE(count(ModelPath("/stats")), before + 1);
  EXPECT_GE(count("/v2/models/stats"), before + 1);
}

TEST(HttpMetadata, WhatIsNotThereIsAnErrorThatSaysSo) {
  for (const std::string& path : {std::string("/v2/models/no-such-model"), std::string("/v2/models/no-such-model/ready"),
                                  std::string("/v2/models/no-such-model/config"), ModelPath("/versions/999999")}) {
    const Answer answer = Ask("GET", path);
    EXPECT_THAT(answer.status, ::testing::AnyOf(400, 404)) << path;
    EXPECT_TRUE(answer.json().GetString("error").ok()) << path;
  }
}

}  // namespace
}  // namespace pawsight::conformance
