#include "engine/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/file_testing.h"

namespace pawsight::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Status ParseStatus(const std::string& json) { return BlipConfig::Parse(json).status(); }

/// A config with these members in text_config.
std::string Text(const std::string& members) { return R"({"model_type":"blip","text_config":{)" + members + "}}"; }
std::string Vision(const std::string& members) { return R"({"model_type":"blip","vision_config":{)" + members + "}}"; }

TEST(BlipConfig, WhatIsNotStatedHasTheLibrarysDefault) {
  const BlipConfig config = BlipConfig::Parse(R"({"model_type":"blip"})").value();
  EXPECT_EQ(config.text.num_heads, 8) << "the class default; the hub's models state 12";
  EXPECT_EQ(config.text.vocab_size, 30524);
  EXPECT_EQ(config.text.bos_id, 30522);
  EXPECT_EQ(config.text.sep_id, 102);
  EXPECT_FLOAT_EQ(config.text.eps, 1e-12F);
  EXPECT_EQ(config.vision.num_heads, 12);
  EXPECT_EQ(config.vision.num_tokens(), 577);
  EXPECT_FLOAT_EQ(config.vision.eps, 1e-5F);
  EXPECT_EQ(config.image_text_hidden_size, 256);
  EXPECT_EQ(config.architecture, "");
}

TEST(BlipConfig, AFineTunesDifferencesAloneAreEnough) {
  const BlipConfig config = BlipConfig::Parse(Text(R"("num_attention_heads":12,"hidden_act":null)")).value();
  EXPECT_EQ(config.text.num_heads, 12);
  EXPECT_EQ(config.text.num_layers, 12);
}

TEST(BlipConfig, TheHubsFullConfigIsRead) {
  const std::string path = SharedPath("data/golden/blip-image-captioning-base.config.json");
  PAWSIGHT_NEED_SHARED(path);
  const Result<BlipConfig> config = BlipConfig::Parse(ReadWhole(path));
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->architecture, "BlipForConditionalGeneration");
  EXPECT_EQ(config->text.num_heads, 12);
  EXPECT_EQ(config->vision.image_size, 384);
}

TEST(BlipConfig, ATinyModelsConfigIsReadFromItsDirectory) {
  const std::string dir = SharedPath("goldens/tiny-a");
  PAWSIGHT_NEED_SHARED(dir);
  const BlipConfig config = BlipConfig::Open(dir).value();
  EXPECT_EQ(config.text.vocab_size, 128);
  EXPECT_EQ(config.text.bos_id, 126);
  EXPECT_EQ(config.text.head_dim(), 16);
  EXPECT_EQ(config.vision.num_tokens(), 10);
  EXPECT_EQ(config.architecture, "BlipForQuestionAnswering");
  EXPECT_EQ(BlipConfig::Open("/no/such/model").status().code(), StatusCode::kNotFound);
}

TEST(BlipConfig, AFieldOutOfRangeIsRefusedByName) {
  const auto refused = [](const std::string& json, const std::string& name) {
    const Status status = ParseStatus(json);
    EXPECT_EQ(status.reason(), "config_invalid") << json;
    EXPECT_THAT(status.message(), HasSubstr(name)) << json;
  };
  refused(Text(R"("num_hidden_layers":-1)"), "text_config.num_hidden_layers: -1 is outside 1..128");
  refused(Text(R"("num_hidden_layers":9223372036854775807)"), "text_config.num_hidden_layers");
  refused(Text(R"("num_hidden_layers":99999999999999999999)"), "text_config.num_hidden_layers: want an integer");
  refused(Text(R"("hidden_size":0)"), "text_config.hidden_size");
  refused(Text(R"("hidden_size":768.5)"), "text_config.hidden_size");
  refused(Text(R"("hidden_size":"768")"), "text_config.hidden_size");
  refused(Text(R"("num_attention_heads":7)"), "text_config.num_attention_heads: 7 does not divide hidden_size 768");
  refused(Text(R"("num_attention_heads":1)"), "heads of 768 values");
  refused(Text(R"("vocab_size":1000000000)"), "text_config.vocab_size");
  refused(Text(R"("vocab_size":100)"), "text_config.bos_token_id: not given, and its default 30522 is beyond");
  refused(Text(R"("bos_token_id":30524)"), "text_config.bos_token_id");
  refused(Text(R"("sep_token_id":-1)"), "text_config.sep_token_id");
  refused(Text(R"("layer_norm_eps":0)"), "text_config.layer_norm_eps");
  refused(Text(R"("layer_norm_eps":-1e-5)"), "text_config.layer_norm_eps");
  refused(Vision(R"("image_size":385)"), "vision_config.image_size: 385 is no multiple of patch_size 16");
  refused(Vision(R"("image_size":1000000)"), "vision_config.image_size");
  refused(Vision(R"("patch_size":0)"), "vision_config.patch_size");
  refused(Vision(R"("patch_size":1)"), "patches, more than 65536");
  refused(Vision(R"("num_channels":1)"), "vision_config.num_channels");
}

TEST(BlipConfig, WhatIsNoConfigIsRefused) {
  for (const char* json :
       {"", "[]", "null", "{", "{}", R"({"model_type":1})", R"({"model_type":"blip","text_config":[]})",
        R"({"model_type":"blip","vision_config":"x"})", R"({"model_type":"blip","architectures":"x"})",
        R"({"model_type":"blip","architectures":[1]})"}) {
    EXPECT_EQ(ParseStatus(json).reason(), "config_invalid") << json;
  }
  EXPECT_EQ(ParseStatus(std::string(250000, '[')).reason(), "config_invalid") << "deep nesting";
  EXPECT_EQ(ParseStatus(std::string(2U << 20U, ' ')).reason(), "config_invalid") << "two megabytes";
}

TEST(BlipConfig, AnotherGraphIsRefusedByItsName) {
  for (const auto& [json, name] : {std::pair<std::string, std::string>{Text(R"("hidden_act":"gelu_new")"), "gelu_new"},
                                   {Vision(R"("hidden_act":"quick_gelu")"), "quick_gelu"},
                                   {Text(R"("position_embedding_type":"relative_key")"), "relative_key"},
                                   {R"({"model_type":"blip-2"})", "blip-2"}}) {
    const Status status = ParseStatus(json);
    EXPECT_EQ(status.code(), StatusCode::kUnimplemented) << json;
    EXPECT_THAT(status.message(), HasSubstr(name));
  }
}

TEST(BlipConfig, AKeyTwiceIsAcceptedAndTheLastCounts) {
  EXPECT_EQ(BlipConfig::Parse(Text(R"("num_attention_heads":8,"num_attention_heads":12)"))->text.num_heads, 12);
}

TEST(PreprocessConfig, SizeMayBeANumberOrAnObject) {
  PreprocessConfig config = PreprocessConfig::Parse(R"({"size":128})").value();
  EXPECT_EQ(config.width, 128);
  EXPECT_EQ(config.height, 128);
  config = PreprocessConfig::Parse(R"({"size":{"height":48,"width":64}})").value();
  EXPECT_EQ(config.width, 64);
  EXPECT_EQ(config.height, 48);
}

TEST(PreprocessConfig, TheHubsFileIsRead) {
  const Result<PreprocessConfig> config =
      PreprocessConfig::Parse(R"({"do_normalize":true,"do_pad":true,"do_rescale":true,
      "do_resize":true,"image_mean":[0.5,0.25,0.125],"image_processor_type":"BlipImageProcessor","image_std":[1,2,0.5],
      "processor_class":"BlipProcessor","resample":3,"rescale_factor":0.00392156862745098,
      "size":{"height":384,"width":384},"size_divisor":32})");
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_THAT(config->mean, ElementsAre(0.5F, 0.25F, 0.125F));
  EXPECT_THAT(config->std, ElementsAre(1.0F, 2.0F, 0.5F));
  EXPECT_DOUBLE_EQ(config->rescale_factor, 1.0 / 255.0);
}

TEST(PreprocessConfig, WhatCannotBeRightIsRefusedByName) {
  for (const auto& [json, name] :
       {std::pair<const char*, const char*>{R"({"size":0})", "size"},
        {R"({"size":{"shortest_edge":384}})", "size: want a number or {\"height\", \"width\"}"},
        {R"({"size":{"height":-1,"width":384}})", "size.height"},
        {R"({"size":"384"})", "size"},
        {R"({"image_std":[0,1,1]})", "image_std"},
        {R"({"image_mean":[0,1]})", "image_mean"},
        {R"({"image_mean":["a","b","c"]})", "image_mean"},
        {R"({"rescale_factor":0})", "rescale_factor"},
        {R"({"do_resize":1})", "do_resize"},
        {"[]", "object"}}) {
    const Status status = PreprocessConfig::Parse(json).status();
    EXPECT_EQ(status.reason(), "config_invalid") << json;
    EXPECT_THAT(status.message(), HasSubstr(name)) << json;
  }
  EXPECT_THAT(PreprocessConfig::Parse(R"({"resample":2})").status().message(), HasSubstr("want 3 (bicubic)"));
  EXPECT_EQ(PreprocessConfig::Parse(R"({"do_center_crop":true})").status().code(), StatusCode::kUnimplemented);
}

TEST(PreprocessConfig, ItMustMakeWhatTheVisionModelTakes) {
  PreprocessConfig preprocess;
  VisionConfig vision;
  EXPECT_TRUE(CheckFit(preprocess, vision).ok());
  vision.image_size = 480;
  EXPECT_EQ(CheckFit(preprocess, vision).reason(), "config_invalid");
}

}  // namespace
}  // namespace pawsight::engine
