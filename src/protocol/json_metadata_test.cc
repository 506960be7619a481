#include "protocol/json_metadata.h"

#include <gtest/gtest.h>

#include "protocol/testing.h"

namespace pawsight::protocol {
namespace {

using std::chrono::nanoseconds;

TEST(JsonMetadata, AModelSaysWhatItTakesAndGives) {
  const ModelMetadata metadata{"vqa",
                               {"1"},
                               "x",
                               {{"image", Datatype::kBytes, {-1}}, {"mode", Datatype::kBytes, {1}, true}},
                               {{"p_yes", Datatype::kFp32, {-1, -1}}}};
  EXPECT_EQ(
      ModelMetadataToJson(metadata).Dump(),
      R"({"name":"vqa","versions":["1"],"platform":"x","inputs":[{"name":"image","datatype":"BYTES","shape":[-1]},)"
      R"({"name":"mode","datatype":"BYTES","shape":[1]}],"outputs":[{"name":"p_yes","datatype":"FP32","shape":[-1,-1]}]})");
  EXPECT_EQ(
      ModelConfigToJson(metadata, {"b", 0, {8}, std::chrono::milliseconds(2)}).Dump(),
      R"({"name":"vqa","platform":"x","backend":"b","max_batch_size":0,"input":[{"name":"image","data_type":"TYPE_STRING",)"
      R"("dims":[-1]},{"name":"mode","data_type":"TYPE_STRING","dims":[1],"optional":true}],"output":[{"name":"p_yes",)"
      R"("data_type":"TYPE_FP32","dims":[-1,-1]}],"dynamic_batching":{"preferred_batch_size":[8],"max_queue_delay_microseconds":2000}})");
}

TEST(JsonMetadata, StatisticsAreCountsAndNanoseconds) {
  ModelStatistics model;
  model.name = "vqa";
  model.version = "1";
  model.inference_count = 3;
  model.queue = {2, nanoseconds(500)};
  model.batches.push_back({2, {}, {1, nanoseconds(7)}, {}});
  const Json json = StatisticsToJson({model});
  const Json& stats = json.Find("model_stats")->as_array()[0];
  EXPECT_EQ(stats.Find("inference_count")->as_integer(), 3);
  EXPECT_EQ(stats.Find("inference_stats")->Find("queue")->Dump(), R"({"count":2,"ns":500})");
  EXPECT_EQ(stats.Find("batch_stats")->as_array()[0].Find("compute_infer")->Dump(), R"({"count":1,"ns":7})");
}

TEST(JsonMetadata, AnErrorIsAMessageAndWhereThereIsOneACode) {
  EXPECT_EQ(ErrorToJson("a \"b\"").Dump(), R"({"error":"a \"b\""})");
  EXPECT_EQ(ErrorToJson("x", "image_empty").Dump(), R"({"error":"x","code":"image_empty"})");
}

TEST(JsonMetadata, TheServerNamesItsExtensions) {
  const Json json = ServerMetadataToJson(ThisServer());
  EXPECT_EQ(json.GetString("name").value(), "pawsight");
  EXPECT_EQ(json.GetString("version").value(), PAWSIGHT_VERSION);
  EXPECT_EQ(json.Find("extensions")->as_array()[0].as_string(), "binary_tensor_data");
}

}  // namespace
}  // namespace pawsight::protocol
