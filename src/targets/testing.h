// targets/testing.h: for tests of targets: the model that ships, frames and questions for it, what the first step of an
// answer gives, and a tiny model of noise of whatever class.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/files.h"
#include "base/rng.h"
#include "engine/target.h"
#include "targets/random_model.h"

namespace pawsight::targets {

inline const std::string kMini = PAWSIGHT_SOURCE_DIR "/models/pawsight-mini";

inline constexpr size_t kMiniSide = 256;  // pixels

/// Mini's pixels and questions of several lengths.
inline std::vector<float> Pixels(uint64_t seed) {
  Rng rng(seed);
  std::vector<float> pixels(3 * kMiniSide * kMiniSide);
  for (float& v : pixels) v = static_cast<float>(rng.Uniform(-1.8, 2.1));
  return pixels;
}

inline engine::TokenRow Question(int seed) {
  engine::TokenRow row;
  for (int i = 0; i < 3 + seed % 9; ++i) row.ids.push_back(5 + (seed * 31 + i * 7) % 600);
  row.valid = static_cast<int>(row.ids.size());
  return row;
}

/// Logits of the whole vocabulary after the start token, question by question.
inline std::vector<float> Logits(engine::Target& target, const std::vector<engine::ImageHandle>& looks,
                                 const std::vector<engine::TokenRow>& questions) {
  const auto read = target.Read(looks, questions);
  EXPECT_TRUE(read.ok()) << read.status().ToString();
  std::vector<int> each;
  std::vector<engine::RowToken> start;
  for (int i = 0; i < static_cast<int>(questions.size()); ++i) {
    each.push_back(i);
    start.push_back({i, target.config().text.bos_id});
  }
  const auto rows = target.BeginAnswers(*read, each, 2, engine::Padding::kMask);
  std::vector<float> logits(questions.size() * static_cast<size_t>(target.config().text.vocab_size));
  EXPECT_TRUE(target.Step(**rows, start, {}, logits).ok());
  return logits;
}

/// Word `id` of a tiny vocabulary, as one types it.
inline std::string TinyWord(int id) { return "w" + std::to_string(id); }

/// vocab.txt of `size` words: TinyWord, but for BERT's special tokens, "yes" and "no", and ids from [DEC] on.
inline std::string TinyVocabulary(int size) {
  std::string text;
  for (int id = 0; id < size - 2; ++id) {
    text += id == 0     ? "[PAD]"
            : id == 100 ? "[UNK]"
            : id == 101 ? "[CLS]"
            : id == 102 ? "[SEP]"
            : id == 103 ? "yes"
            : id == 104 ? "no"
                        : TinyWord(id);
    text += '\n';
  }
  return text;
}

inline constexpr int kTinyVocabulary = 128;

/// A model directory of noise, 48 pixels and 64 wide, of that class: "BlipForQuestionAnswering",
/// "BlipForConditionalGeneration" or "BlipForImageTextRetrieval".
inline void WriteTinyModel(const std::string& dir, const std::string& architecture) {
  const std::string half = R"("hidden_size":64,"intermediate_size":128,"num_hidden_layers":2,"num_attention_heads":4)";
  const std::string config = R"({"architectures":[")" + architecture +
                             R"("],"model_type":"blip","image_text_hidden_size":32,"text_config":{)" + half +
                             R"(,"vocab_size":128,"max_position_embeddings":32,"bos_token_id":126},"vision_config":{)" +
                             half + R"(,"image_size":48,"patch_size":16}})";
  ASSERT_TRUE(WriteRandomModel(dir, config).ok());
  ASSERT_TRUE(WriteFileAtomically(dir + "/preprocessor_config.json", R"({"size":48})").ok());
  ASSERT_TRUE(WriteFileAtomically(dir + "/vocab.txt", TinyVocabulary(kTinyVocabulary)).ok());
}

}  // namespace pawsight::targets
