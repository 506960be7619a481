#include "targets/random_model.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "base/files.h"
#include "engine/vqa.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight::targets {
namespace {

constexpr std::string_view kSmall = R"({"architectures":["BlipForQuestionAnswering"],"model_type":"blip",
"text_config":{"vocab_size":50,"hidden_size":32,"intermediate_size":64,"num_hidden_layers":1,"num_attention_heads":2,
"max_position_embeddings":16,"bos_token_id":49,"sep_token_id":3},
"vision_config":{"hidden_size":32,"intermediate_size":64,"num_hidden_layers":1,"num_attention_heads":2,"image_size":32,
"patch_size":16}})";

class RandomModel : public testing::Test {
 protected:
  ~RandomModel() override { std::filesystem::remove_all(top_); }
  std::string Dir() const { return top_ + "/cache/model"; }
  /// What lies beside the model.
  size_t Neighbours() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(top_ + "/cache")) ++count;
    return count;
  }

  const std::string top_ = testing::TempDir() + "pawsight-random-" + std::to_string(::getpid());
};

TEST_F(RandomModel, IsAModelThatAnswers) {
  ASSERT_EQ(WriteRandomModel(Dir(), kSmall), Ok());
  auto target = OpenCpuTarget(Dir(), {.threads = 1});
  ASSERT_TRUE(target.ok()) << target.status().ToString();
  EXPECT_TRUE((*target)->Has(engine::Head::kVqa));
  EXPECT_TRUE((*target)->Look(std::vector<float>(3 * 32 * 32), 1).ok());
  auto vqa = engine::Vqa::Open(Dir(), std::move(target).value());
  ASSERT_TRUE(vqa.ok()) << vqa.status().ToString();
  const auto image = vqa->Look(std::vector<float>(3 * 32 * 32));
  ASSERT_TRUE(image.ok()) << image.status().ToString();
  EXPECT_TRUE(vqa->Ask(*image, std::vector<std::string>{"Is there a dog on the couch?"}, {}).ok());
  EXPECT_EQ(Neighbours(), 1U);
}

TEST_F(RandomModel, OneThatIsThereIsKeptAndOneOfAnotherConfigIsReplaced) {
  ASSERT_EQ(WriteRandomModel(Dir(), kSmall), Ok());
  int told = 0;
  const auto count = [&](double part) {
    EXPECT_GT(part, 0.0);
    EXPECT_LE(part, 1.0);
    return ++told > 0;
  };
  ASSERT_EQ(WriteRandomModel(Dir(), kSmall, count), Ok());
  EXPECT_EQ(told, 0);
  const std::string other = std::string(kSmall) + "\n";
  ASSERT_EQ(WriteRandomModel(Dir(), other, count), Ok());
  EXPECT_GT(told, 0);
  EXPECT_EQ(ReadTextFile(Dir() + "/config.json", 4096).value(), other);
}

TEST_F(RandomModel, OneThatIsStoppedLeavesNothing) {
  EXPECT_EQ(WriteRandomModel(Dir(), kSmall, [](double) { return false; }).code(), StatusCode::kCancelled);
  EXPECT_EQ(Neighbours(), 0U);
}

TEST_F(RandomModel, APlaceThatCannotBeWrittenIsNamed) {
  const Status status = WriteRandomModel("/proc/no-such/model", kSmall);
  EXPECT_EQ(status.code(), StatusCode::kUnavailable);
  EXPECT_NE(status.message().find("/proc/no-such"), std::string::npos) << status.message();
}

}  // namespace
}  // namespace pawsight::targets
