// targets/testing.h: for tests of targets: the model that ships, frames and questions for it, and what the first step
// of an answer gives.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/rng.h"
#include "engine/target.h"

namespace pawsight::targets {

inline const std::string kMini = PAWSIGHT_SOURCE_DIR "/models/pawsight-mini";

inline constexpr size_t kMiniSide = 144;  // pixels

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

}  // namespace pawsight::targets
