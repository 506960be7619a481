#include "engine/expected_tensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "engine/file_testing.h"

namespace pawsight::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// The smallest model: everything 1 but what must be more.
BlipConfig Smallest() {
  BlipConfig config;
  config.vision = {
      .hidden_size = 2, .intermediate_size = 3, .num_layers = 1, .num_heads = 1, .image_size = 2, .patch_size = 1};
  config.text = {.vocab_size = 7,
                 .hidden_size = 2,
                 .intermediate_size = 3,
                 .num_layers = 1,
                 .num_heads = 1,
                 .max_positions = 4,
                 .bos_id = 5,
                 .pad_id = 0,
                 .sep_id = 3};
  config.image_text_hidden_size = 2;
  return config;
}

/// A safetensors file of these tensors, all zeros.
std::string FileOf(const std::vector<ExpectedTensor>& tensors) {
  std::string header = "{";
  size_t at = 0;
  for (const ExpectedTensor& tensor : tensors) {
    const auto bytes = static_cast<size_t>(CheckedBytes(tensor.shape, DType::kF32).value());
    header += (header.size() > 1 ? ",\"" : "\"") + tensor.name + R"(":{"dtype":"F32","shape":)" +
              ShapeText(tensor.shape) + ",\"data_offsets\":[" + std::to_string(at) + "," + std::to_string(at + bytes) +
              "]}";
    at += bytes;
  }
  return Safetensors(header + "}", std::string(at, '\0'));
}

class CheckOf : public ::testing::Test {
 protected:
  Status Check(const std::vector<ExpectedTensor>& tensors, const BlipConfig& config) {
    const Weights weights = Weights::OpenFile(folder_.Write("model.safetensors", FileOf(tensors))).value();
    return CheckWeights(weights, config).status();
  }
  TempFolder folder_;
};

TEST(ExpectedTensors, TheFullSizeListIsThatOfTheRealModel) {
  const std::string path = SharedPath("data/golden/blip-vqa-base.tensors.json");
  PAWSIGHT_NEED_SHARED(path);
  const Json golden = Json::Parse(ReadWhole(path)).value();
  std::map<std::string, std::vector<int64_t>> want;
  for (const auto& [name, shape] : golden.Find("tensors")->as_object()) {
    for (const Json& dim : shape.as_array()) want[name].push_back(dim.as_integer());
  }
  BlipConfig config;
  config.text.num_heads = 12;
  std::map<std::string, std::vector<int64_t>> expected;
  for (const ExpectedTensor& tensor : ExpectedTensors(config, Head::kVqa)) {
    EXPECT_TRUE(expected.emplace(tensor.name, tensor.shape).second) << tensor.name << " stands twice";
    if (tensor.name.ends_with("position_ids")) expected.erase(tensor.name);  // in older files only
  }
  for (const char* tied : {"text_decoder.cls.predictions.decoder.bias"}) {
    if (!want.contains(tied)) expected.erase(tied);
  }
  EXPECT_EQ(expected, want);
}

TEST(CheckWeights, TheTinyModelsHaveWhatTheirConfigSays) {
  const std::string a = SharedPath("goldens/tiny-a");
  PAWSIGHT_NEED_SHARED(a);
  BlipConfig config = BlipConfig::Open(a).value();
  const auto heads = [&](const std::string& file) { return CheckWeights(Weights::OpenFile(file).value(), config); };
  EXPECT_THAT(heads(a + "/model.safetensors").value(), ElementsAre(Head::kVqa));
  EXPECT_THAT(heads(a + "/pytorch_model.bin").value(), ElementsAre(Head::kVqa));
  EXPECT_THAT(heads(a + "/caption.safetensors").value(), ElementsAre(Head::kCaption));
  EXPECT_THAT(heads(a + "/itm.safetensors").status().message(), HasSubstr("text_proj.weight [32, 64], want [256, 64]"));
  config.image_text_hidden_size = 32;  // what the goldens' README says of this file
  EXPECT_THAT(heads(a + "/itm.safetensors").value(), ElementsAre(Head::kItm));
  const std::string b = SharedPath("goldens/tiny-b");
  config = BlipConfig::Open(b).value();
  EXPECT_THAT(heads(b + "/model.safetensors").value(), ElementsAre(Head::kVqa));
}

TEST_F(CheckOf, TiedTensorsAndBuffersMayBeAbsent) {
  const BlipConfig config = Smallest();
  std::vector<ExpectedTensor> tensors = ExpectedTensors(config, Head::kVqa);
  EXPECT_TRUE(Check(tensors, config).ok());
  EXPECT_EQ(std::erase_if(tensors, [](const ExpectedTensor& t) { return t.optional; }), 4U);
  EXPECT_TRUE(Check(tensors, config).ok());
}

TEST_F(CheckOf, MissingUnexpectedAndMisshapedTensorsAreListedTogether) {
  const BlipConfig config = Smallest();
  std::vector<ExpectedTensor> tensors = ExpectedTensors(config, Head::kVqa);
  EXPECT_EQ(std::erase_if(tensors, [](const ExpectedTensor& t) { return t.name.ends_with("post_layernorm.bias"); }),
            1U);
  for (ExpectedTensor& tensor : tensors) {
    if (tensor.name == "vision_model.embeddings.position_embedding") tensor.shape = {1, 9, 2};
  }
  tensors.push_back({"text_encoder.pooler.dense.weight", {2, 2}});
  const Status status = Check(tensors, config);
  EXPECT_EQ(status.reason(), "weights_mismatch");
  EXPECT_THAT(status.message(), HasSubstr("1 missing: vision_model.post_layernorm.bias"));
  EXPECT_THAT(status.message(), HasSubstr("1 unexpected: text_encoder.pooler.dense.weight"));
  EXPECT_THAT(status.message(), HasSubstr("vision_model.embeddings.position_embedding [1, 9, 2], want [1, 5, 2]"));
}

TEST_F(CheckOf, ALongListIsCutWithItsCount) {
  BlipConfig config = Smallest();
  const std::vector<ExpectedTensor> tensors = ExpectedTensors(config, Head::kVqa);
  config.vision.num_layers = 5;
  const Status status = Check(tensors, config);
  EXPECT_THAT(status.message(), HasSubstr("48 missing: "));
  EXPECT_THAT(status.message(), HasSubstr(", ..."));
  EXPECT_THAT(status.message(), Not(HasSubstr("layers.4.")));
}

TEST_F(CheckOf, WhatIsNoBlipCheckpointIsRefused) {
  EXPECT_THAT(Check({{"model.embed_tokens.weight", {2, 2}}}, Smallest()).message(), HasSubstr("no BLIP checkpoint"));
  EXPECT_FALSE(Check({{"text_decoder.bert.x", {1}}}, Smallest()).ok());
}

TEST_F(CheckOf, AVqaModelOfTwoWidthsIsRefused) {
  BlipConfig config = Smallest();
  config.text.hidden_size = 4;
  EXPECT_EQ(Check(ExpectedTensors(config, Head::kVqa), config).reason(), "config_invalid");
  EXPECT_TRUE(Check(ExpectedTensors(config, Head::kCaption), config).ok()) << "a caption decoder reads the image alone";
}

TEST_F(CheckOf, IntegersWhereWeightsShouldBeAreRefused) {
  const BlipConfig config = Smallest();
  std::string file = FileOf(ExpectedTensors(config, Head::kCaption));
  const size_t at = file.find(R"("vision_model.post_layernorm.bias":{"dtype":"F32")");
  ASSERT_NE(at, std::string::npos);
  file.replace(file.find("F32", at), 3, "I32");
  const Weights weights = Weights::OpenFile(folder_.Write("model.safetensors", file)).value();
  const Status status = CheckWeights(weights, config).status();
  EXPECT_EQ(status.reason(), "dtype_unsupported");
  EXPECT_THAT(status.message(), HasSubstr("vision_model.post_layernorm.bias"));
}

}  // namespace
}  // namespace pawsight::engine
