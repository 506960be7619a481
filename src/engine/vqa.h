// engine/vqa.h: ask any number of questions of a frame that is looked at once, have it described, or compare it with
// texts. Words in, words and numbers out; puts tokenizer, target and generation together. Not here: JPEG to pixels
// (frames).
// Thread-safe: nothing changes after Open but inside the target, which takes care of itself.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "engine/calibration.h"
#include "engine/config.h"
#include "engine/target.h"
#include "engine/tokenizer.h"

namespace pawsight::engine {

inline constexpr int kMaxQuestions = 64;   // in one Ask
inline constexpr int kMaxChoices = 3000;   // in rank mode; the published answer list of VQA has 3,128 lines

enum class Mode {
  kYesNo,     // one decoder step, p_yes against p_no
  kGenerate,  // words, greedy or by beams
  kRank,      // the best of a list of choices
  kCaption,   // no question: the words that a prompt, which may be empty, goes on with, greedy or by beams
  kMatch,     // no question: whether a text fits the frame
};
inline constexpr int kNumModes = 5;

/// The part of a checkpoint that the mode needs.
Head HeadOf(Mode mode);
/// What may be said in this mode. Errors: those of CheckQuestion, but a caption's prompt may be empty.
Status CheckText(Mode mode, std::string_view text);

struct AskOptions {
  Mode mode = Mode::kYesNo;
  std::vector<std::string> choices;  // rank mode: 1..kMaxChoices
  int max_length = 20;               // generate, caption: tokens with the start token and the prompt, 2..max_positions
  int num_beams = 1;                 // generate, caption: 1 is greedy; 1..16
  int top_k = 128;                   // rank mode: choices scored in full, those with the likeliest first token
  FirstToken first_token = FirstToken::kCls;
  Padding padding = Padding::kMask;  // kAttend pads the questions of a call alike and lets the decoder see it, as the library
};

struct Answer {
  std::string text;  // caption: what was written, without the prompt. match: empty
  /// "yes" against "no" as the first word, calibrated; absent when the vocabulary lacks them, and of captions. match:
  /// that the text fits.
  std::optional<float> p_yes;
  /// yesno: probability of the answer given. generate, caption: probability of the words. rank: the published method's
  /// score, the negated sum of smoothed token losses. match: p_yes.
  float score = 0.0F;
  bool truncated = false;  // the question had more tokens than positions: its end was cut
  bool unsure = false;     // yesno: p_yes lies in the model's unsure band
  std::optional<float> margin;  // the logit of "yes" less that of "no", as the model said it, before calibration
  std::optional<float> cosine;  // match: how alike the text alone and the frame alone are, -1..1
};

struct VqaOptions {
  bool calibrate = true;  // false: as if there were no calibration.json
};

class Vqa {
 public:
  /// Reads tokenizer, preprocessing and calibration of `model_dir`, whose weights `target` executes.
  /// Errors: those of Tokenizer::Open, PreprocessConfig::Open, CheckFit, Calibration::Open.
  static Result<Vqa> Open(const std::string& model_dir, std::unique_ptr<Target> target, const VqaOptions& options = {});

  Target& target() const { return *target_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }
  const PreprocessConfig& preprocess() const { return preprocess_; }
  const Calibration& calibration() const { return calibration_; }

  /// pixels [3, S, S], prepared as preprocess() says. Cost: nearly all of an answer's; the handle serves any number of
  /// questions. Errors: those of Target::Look.
  Result<ImageHandle> Look(std::span<const float> pixels) const;

  /// Whether the checkpoint has what the mode needs.
  bool Can(Mode mode) const { return target_->Has(HeadOf(mode)); }

  /// Answers in the order of the questions, all in one batch; equal questions are computed once.
  /// Errors: kInvalidArgument, no question or more than kMaxQuestions (too_many_questions), those of CheckText with the
  /// question's index, bad choices, a prompt as long as a caption may be (prompt_too_long); kFailedPrecondition, a
  /// model that cannot do that (head_missing), or yesno without "yes" and "no" in the vocabulary.
  Result<std::vector<Answer>> Ask(const ImageHandle& image, std::span<const std::string> questions,
                                  const AskOptions& options = {}) const;
  /// The same of several frames: questions[i] is about images[i], all in one batch. With Padding::kAttend an answer then
  /// depends on questions about other frames too. Errors: also kInvalidArgument, not an image a question.
  Result<std::vector<Answer>> Ask(std::span<const ImageHandle> images, std::span<const std::string> questions,
                                  const AskOptions& options = {}) const;

 private:
  Vqa(Tokenizer tokenizer, PreprocessConfig preprocess, Calibration calibration, std::unique_ptr<Target> target)
      : tokenizer_(std::move(tokenizer)),
        preprocess_(preprocess),
        calibration_(std::move(calibration)),
        target_(std::move(target)) {}

  struct TextRows;
  Result<TextRows> ToRows(std::span<const ImageHandle> images, std::span<const std::string> texts,
                          const AskOptions& options) const;
  Result<std::vector<Answer>> AnswerRead(const TextRows& texts, const AskOptions& options) const;
  Result<std::vector<Answer>> Caption(const TextRows& prompts, const AskOptions& options) const;
  Result<std::vector<Answer>> Match(const TextRows& texts) const;
  Result<std::vector<Answer>> YesNo(const QuestionHandle& read, int count, const AskOptions& options) const;
  Result<std::vector<Answer>> Generate(const QuestionHandle& read, int count, const AskOptions& options) const;
  Result<std::vector<Answer>> RankChoices(const QuestionHandle& read, int count, const AskOptions& options) const;
  std::optional<float> MarginOf(std::span<const float> logits) const;
  /// p_yes from the margin, and in yesno the rest of the answer: of this question alone, whatever else was asked.
  void Calibrate(std::string_view question, Mode mode, Answer* answer) const;

  Tokenizer tokenizer_;
  PreprocessConfig preprocess_;
  Calibration calibration_;
  std::unique_ptr<Target> target_;
};

}  // namespace pawsight::engine
