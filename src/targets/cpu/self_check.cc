#include "targets/cpu/self_check.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "base/rng.h"
#include "engine/parts.h"

namespace pawsight::targets {
namespace {

using engine::Component;

/// A frame that is no photo but has a photo's smoothness: a few waves across it and a little noise.
std::vector<float> FixedPixels(int side) {
  Rng rng(20260101);
  std::vector<float> pixels(3 * static_cast<size_t>(side) * static_cast<size_t>(side));
  const double turn = 6.28318530717958648 / side;
  size_t at = 0;
  for (int channel = 0; channel < 3; ++channel) {
    const double along = rng.Uniform(0.5, 4.0);
    const double down = rng.Uniform(0.5, 4.0);
    for (int y = 0; y < side; ++y) {
      for (int x = 0; x < side; ++x) {
        pixels[at++] =
            static_cast<float>(1.5 * std::sin(turn * along * x) * std::cos(turn * down * y) + rng.Uniform(-0.3, 0.3));
      }
    }
  }
  return pixels;
}

/// One question of each length, of words from all over the vocabulary.
std::vector<engine::TokenRow> FixedQuestions(const engine::TextConfig& config, const std::vector<int>& lengths) {
  Rng rng(20260102);
  std::vector<engine::TokenRow> questions;
  for (const int length : lengths) {
    const int count = std::clamp(length, 1, config.max_positions);
    engine::TokenRow row{{}, count};
    for (int i = 0; i < count; ++i) {
      row.ids.push_back(static_cast<int>(rng.Next() % static_cast<uint64_t>(config.vocab_size)));
    }
    row.ids.back() = std::min(config.sep_id, config.vocab_size - 1);
    questions.push_back(std::move(row));
  }
  return questions;
}

SelfCheck Compare(std::string stage, std::span<const float> reference, std::span<const float> ours, size_t width) {
  SelfCheck check{.stage = std::move(stage), .cosine = 1.0};
  double differences = 0;
  double squares = 0;
  for (size_t row = 0; row + width <= reference.size() && ours.size() == reference.size(); row += width) {
    double dot = 0, own = 0, theirs = 0;
    for (size_t i = row; i < row + width; ++i) {
      const auto a = static_cast<double>(reference[i]);
      const auto b = static_cast<double>(ours[i]);
      dot += a * b;
      own += b * b;
      theirs += a * a;
      differences += (a - b) * (a - b);
    }
    squares += theirs;
    const double cosine = own * theirs > 0 ? dot / std::sqrt(own * theirs) : own == theirs ? 1.0 : 0.0;
    if (!(cosine >= check.cosine)) check.cosine = std::isfinite(cosine) ? cosine : -1.0;
  }
  check.relative_error = squares > 0 ? std::sqrt(differences / squares) : std::sqrt(differences);
  return check;
}

}  // namespace

double LeastCosine(engine::Precision precision) {
  switch (precision) {
    case engine::Precision::kFp32:
      return 0.999999;
    case engine::Precision::kBf16:
      return 0.999;
    case engine::Precision::kInt8:
      return 0.99;
  }
  return 1.0;
}

Result<SelfChecker> SelfChecker::Make(Artifacts fp32, std::vector<int> question_lengths, const CpuOptions& options) {
  SelfChecker checker;
  checker.fp32_ = std::move(fp32);
  checker.question_lengths_ = std::move(question_lengths);
  checker.options_ = options;
  PAWSIGHT_ASSIGN_OR_RETURN(checker.reference_, checker.Run(checker.fp32_));
  return checker;
}

Result<SelfChecker::Stages> SelfChecker::Run(Artifacts artifacts) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<engine::Target> target,
                            MakeCpuTarget(std::move(artifacts), options_));
  Stages stages;
  const auto keep = [](std::string_view wanted, std::vector<float>& to) {
    return [wanted, &to](std::string_view stage, const float* values, int rows, int cols) {
      if (stage == wanted) to.assign(values, values + static_cast<ptrdiff_t>(rows) * cols);
    };
  };
  const std::vector<float> pixels = FixedPixels(target->config().vision.image_size);
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::ImageHandle> images,
                            target->Look(pixels, 1, keep("vision.image_embeds", stages.embeds)));
  const int start = target->config().text.bos_id;
  const std::vector<engine::RowToken> first = {{0, start}};
  stages.logits.resize(static_cast<size_t>(target->config().text.vocab_size));
  if (target->Has(engine::Head::kVqa)) {
    const std::vector<engine::TokenRow> questions = FixedQuestions(target->config().text, question_lengths_);
    const std::vector<engine::ImageHandle> looks(questions.size(), images.front());
    PAWSIGHT_ASSIGN_OR_RETURN(const engine::QuestionHandle read,
                              target->Read(looks, questions, keep("text.question_states", stages.states)));
    const int which = 0;
    PAWSIGHT_ASSIGN_OR_RETURN(const auto rows, target->BeginAnswers(read, {&which, 1}, 1, engine::Padding::kMask));
    PAWSIGHT_RETURN_IF_ERROR(target->Step(*rows, first, {}, stages.logits));
  } else if (target->Has(engine::Head::kCaption)) {
    PAWSIGHT_ASSIGN_OR_RETURN(const auto rows, target->BeginCaptions(images, 1));
    PAWSIGHT_RETURN_IF_ERROR(target->Step(*rows, first, {}, stages.logits));
  }
  if (target->Has(engine::Head::kItm)) {
    const std::vector<engine::TokenRow> texts = FixedQuestions(target->config().text, question_lengths_);
    const std::vector<engine::ImageHandle> looks(texts.size(), images.front());
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::Match> matches, target->MatchTexts(looks, texts));
    for (const engine::Match& match : matches) {
      stages.matches.insert(stages.matches.end(), match.logits.begin(), match.logits.end());
      stages.matches.insert(stages.matches.end(), match.text_feature.begin(), match.text_feature.end());
    }
  }
  return stages;
}

Result<SelfCheck> SelfChecker::Check(const std::shared_ptr<const engine::Artifact>& artifact) const {
  const Component component = artifact->info().component;
  Artifacts mixed = fp32_;
  for (auto& one : mixed) {
    if (one->info().component == component) one = artifact;
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const Stages ours, Run(std::move(mixed)));
  const engine::BlipConfig& config = artifact->config();
  SelfCheck check;
  switch (component) {
    case Component::kImageEncoder:
      check = Compare("image_embeds", reference_.embeds, ours.embeds, static_cast<size_t>(config.vision.hidden_size));
      break;
    case Component::kTextEncoder:
      if (!reference_.states.empty()) {
        check =
            Compare("question_states", reference_.states, ours.states, static_cast<size_t>(config.text.hidden_size));
      }
      if (!reference_.matches.empty()) {  // the worse of what the component gives
        const auto width = static_cast<size_t>(config.image_text_hidden_size) + 2;
        SelfCheck matches = Compare("matches", reference_.matches, ours.matches, width);
        if (check.stage.empty() || matches.cosine < check.cosine) check = std::move(matches);
      }
      break;
    case Component::kTextDecoder:
      check = Compare("first_logits", reference_.logits, ours.logits, reference_.logits.size());
      break;
  }
  check.limit = LeastCosine(artifact->info().precision);
  return check;
}

}  // namespace pawsight::targets
