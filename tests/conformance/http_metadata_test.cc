#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_peer.h"

namespace pawsight::conformance {
namespace {

using ::testing::Contains;

std::vector<std::string> Names(const Json::Array& specs) {
  std::vector<std::string> names;
  for (const Json& spec : specs) names.push_back(StringOf(spec, "name"));
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
  for (const Json& extension : ArrayOf(json, "extensions")) extensions.push_back(extension.Dump());
  EXPECT_THAT(extensions, Contains("\"binary_tensor_data\""));
}

TEST(HttpMetadata, TheModelSaysWhatItTakesAndGivesWithAndWithoutItsVersion) {
  const Answer answer = Ask("GET", ModelPath(""));
  ASSERT_EQ(answer.status, 200);
  const Json json = answer.json();
  EXPECT_EQ(StringOf(json, "name"), TheTarget().model);
  EXPECT_TRUE(json.GetString("platform").ok());
  EXPECT_THAT(Names(ArrayOf(json, "inputs")), ::testing::IsSupersetOf({"image", "question"}));
  EXPECT_THAT(Names(ArrayOf(json, "outputs")), ::testing::IsSupersetOf({"answer", "p_yes"}));
  for (const Json& input : ArrayOf(json, "inputs")) {
    EXPECT_TRUE(input.GetString("datatype").ok());
    EXPECT_TRUE(input.GetArray("shape").ok());
  }
  ASSERT_TRUE(json.GetArray("versions").ok());
  for (const Json& version : ArrayOf(json, "versions")) {
    EXPECT_EQ(Ask("GET", ModelPath("/versions/" + version.as_string())).status, 200);
    EXPECT_EQ(Ask("GET", ModelPath("/versions/" + version.as_string() + "/ready")).status, 200);
    EXPECT_EQ(Ask("GET", ModelPath("/versions/" + version.as_string() + "/config")).status, 200);
    EXPECT_EQ(Ask("GET", ModelPath("/versions/" + version.as_string() + "/stats")).status, 200);
  }
}

TEST(HttpMetadata, TheModelIsReady) { EXPECT_EQ(Ask("GET", ModelPath("/ready")).status, 200); }

TEST(HttpMetadata, TheConfigurationNamesTheSameTensors) {
  const Json json = Ask("GET", ModelPath("/config")).json();
  EXPECT_EQ(StringOf(json, "name"), TheTarget().model);
  EXPECT_TRUE(json.GetInteger("max_batch_size").ok());
  EXPECT_THAT(Names(ArrayOf(json, "input")), ::testing::IsSupersetOf({"image", "question"}));
  EXPECT_THAT(Names(ArrayOf(json, "output")), ::testing::IsSupersetOf({"answer", "p_yes"}));
  for (const Json& input : ArrayOf(json, "input")) {
    EXPECT_TRUE(StringOf(input, "data_type").starts_with("TYPE_"));
    EXPECT_TRUE(input.GetArray("dims").ok());
  }
}

TEST(HttpMetadata, TheStatisticsCountWhatWasInferred) {
  const auto count = [](const std::string& path) -> int64_t {
    const Json json = Ask("GET", path).json();
    if (!json.GetArray("model_stats").ok()) return -1;
    for (const Json& model : ArrayOf(json, "model_stats")) {
      if (StringOf(model, "name") != TheTarget().model) continue;
      for (const char* stage : {"success", "fail", "queue", "compute_input", "compute_infer", "compute_output"}) {
        EXPECT_GE(IntegerOf(Member(Member(model, "inference_stats"), stage), "count"), 0) << stage;
        EXPECT_GE(IntegerOf(Member(Member(model, "inference_stats"), stage), "ns"), 0) << stage;
      }
      return IntegerOf(Member(Member(model, "inference_stats"), "success"), "count");
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
  for (const std::string& path :
       {std::string("/v2/models/no-such-model"), std::string("/v2/models/no-such-model/ready"),
        std::string("/v2/models/no-such-model/config"), ModelPath("/versions/999999")}) {
    const Answer answer = Ask("GET", path);
    EXPECT_THAT(answer.status, ::testing::AnyOf(400, 404)) << path;
    EXPECT_TRUE(answer.json().GetString("error").ok()) << path;
  }
}

}  // namespace
}  // namespace pawsight::conformance
