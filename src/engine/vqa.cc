#include "engine/vqa.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "engine/generate.h"

namespace pawsight::engine {
namespace {

/// The library pads the questions of a call to the longest.
void PadAlike(int pad_id, std::vector<TokenRow>* rows) {
  size_t longest = 0;
  for (const TokenRow& row : *rows) longest = std::max(longest, row.ids.size());
  for (TokenRow& row : *rows) row.ids.resize(longest, pad_id);
}

/// Greedy for one beam, else beams: what was written after each prompt, `options.num_beams` rows a prompt.
Result<std::vector<Generated>> Write(Target& target, AnswerRows& rows, std::span<const std::vector<int>> prompts,
                                     const GenerateOptions& options) {
  return options.num_beams == 1 ? Greedy(target, rows, prompts, options) : BeamSearch(target, rows, prompts, options);
}

}  // namespace

Head HeadOf(Mode mode) {
  switch (mode) {
    case Mode::kYesNo:
    case Mode::kGenerate:
    case Mode::kRank:
      return Head::kVqa;
    case Mode::kCaption:
      return Head::kCaption;
    case Mode::kMatch:
      return Head::kItm;
  }
  return Head::kVqa;
}

Status CheckText(Mode mode, std::string_view text) {
  const Status status = CheckQuestion(text);
  return mode == Mode::kCaption && status.reason() == "question_empty" ? Ok() : status;
}

/// The texts of a call as token ids, equal ids about the same image as one row.
struct Vqa::TextRows {
  std::vector<TokenRow> rows;
  std::vector<ImageHandle> images;  // of each row
  std::vector<size_t> row_of;       // of each text
  std::vector<bool> truncated;      // each text
};

Result<Vqa> Vqa::Open(const std::string& model_dir, std::unique_ptr<Target> target, const VqaOptions& options) {
  PAWSIGHT_ASSIGN_OR_RETURN(PreprocessConfig preprocess, PreprocessConfig::Open(model_dir));
  PAWSIGHT_RETURN_IF_ERROR(CheckFit(preprocess, target->config().vision));
  PAWSIGHT_ASSIGN_OR_RETURN(Tokenizer tokenizer, Tokenizer::Open(model_dir, target->config().text));
  Calibration calibration;
  if (options.calibrate) {
    PAWSIGHT_ASSIGN_OR_RETURN(calibration, Calibration::Open(model_dir));
  }
  return Vqa(std::move(tokenizer), preprocess, std::move(calibration), std::move(target));
}

Result<ImageHandle> Vqa::Look(std::span<const float> pixels) const {
  PAWSIGHT_ASSIGN_OR_RETURN(std::vector<ImageHandle> images, target_->Look(pixels, 1));
  return std::move(images.front());
}

Result<std::vector<Answer>> Vqa::Ask(const ImageHandle& image, std::span<const std::string> questions,
                                     const AskOptions& options) const {
  return Ask(std::vector<ImageHandle>(questions.size(), image), questions, options);
}

Result<std::vector<Answer>> Vqa::Ask(std::span<const ImageHandle> images, std::span<const std::string> questions,
                                     const AskOptions& options) const {
  if (images.size() != questions.size()) return InvalidArgument("images: want one a question");
  if (questions.empty()) return InvalidArgument("questions: none, want at least one", "question_empty");
  if (questions.size() > kMaxQuestions) {
    return InvalidArgument("questions: " + std::to_string(questions.size()) + ", want at most " +
                           std::to_string(kMaxQuestions) + " a call", "too_many_questions");
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const TextRows texts, ToRows(images, questions, options));
  auto answered = options.mode == Mode::kCaption ? Caption(texts, options)
                  : options.mode == Mode::kMatch ? Match(texts)
                                                 : AnswerRead(texts, options);
  PAWSIGHT_RETURN_IF_ERROR(answered.status());
  std::vector<Answer> answers;
  for (size_t i = 0; i < questions.size(); ++i) {
    answers.push_back((*answered)[texts.row_of[i]]);
    answers.back().truncated = texts.truncated[i];
    // Questions that are one row may differ in words that the vocabulary lacks, so each is calibrated as it was asked.
    if (HeadOf(options.mode) == Head::kVqa) Calibrate(questions[i], options.mode, &answers.back());
  }
  return answers;
}

Result<Vqa::TextRows> Vqa::ToRows(std::span<const ImageHandle> images, std::span<const std::string> texts,
                                  const AskOptions& options) const {
  if (options.first_token == FirstToken::kEnc && !tokenizer_.has_enc()) {
    return FailedPrecondition("first_token: this model's vocabulary has no [ENC]");
  }
  TextRows out;
  std::map<std::pair<const ImageState*, std::vector<int>>, size_t> known;
  for (size_t i = 0; i < texts.size(); ++i) {
    PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckText(options.mode, texts[i]), "questions[" + std::to_string(i) + "]"));
    Tokens tokens =
        tokenizer_.Encode(texts[i], {.first = options.first_token, .max_tokens = target_->config().text.max_positions});
    const auto [place, fresh] = known.emplace(std::pair(images[i].get(), tokens.ids), out.rows.size());
    if (fresh) {
      out.rows.push_back({tokens.ids, static_cast<int>(tokens.ids.size())});
      out.images.push_back(images[i]);
    }
    out.row_of.push_back(place->second);
    out.truncated.push_back(tokens.truncated);
  }
  if (options.padding == Padding::kAttend) PadAlike(tokenizer_.pad_id(), &out.rows);
  return out;
}

Result<std::vector<Answer>> Vqa::AnswerRead(const TextRows& texts, const AskOptions& options) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const QuestionHandle read, target_->Read(texts.images, texts.rows));
  const int count = static_cast<int>(texts.rows.size());
  switch (options.mode) {
    case Mode::kYesNo:
      return YesNo(read, count, options);
    case Mode::kRank:
      return RankChoices(read, count, options);
    case Mode::kGenerate:
    case Mode::kCaption:  // neither comes here
    case Mode::kMatch:
      break;
  }
  return Generate(read, count, options);
}

Result<std::vector<Answer>> Vqa::Caption(const TextRows& prompts, const AskOptions& options) const {
  std::vector<std::vector<int>> starts;
  std::vector<ImageHandle> images;  // of each row of the decoder
  for (size_t i = 0; i < prompts.rows.size(); ++i) {
    const TokenRow& row = prompts.rows[i];
    starts.emplace_back(row.ids.begin(),
                        row.ids.begin() + row.valid - 1);  // a caption goes on where [SEP] would end it
    starts.back().front() = target_->config().text.bos_id;
    images.insert(images.end(), static_cast<size_t>(std::max(options.num_beams, 1)), prompts.images[i]);
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerRows> rows, target_->BeginCaptions(images, options.max_length));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<Generated> written,
                            Write(*target_, *rows, starts, {options.max_length, options.num_beams}));
  std::vector<Answer> answers;
  for (size_t i = 0; i < written.size(); ++i) {
    const std::span<const int> own = std::span(written[i].ids).subspan(starts[i].size());
    answers.push_back({tokenizer_.Decode(own), {}, static_cast<float>(std::exp(written[i].log_prob))});
  }
  return answers;
}

Result<std::vector<Answer>> Vqa::Match(const TextRows& texts) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::Match> matches, target_->MatchTexts(texts.images, texts.rows));
  std::vector<Answer> answers;
  for (const engine::Match& match : matches) {
    double dot = 0;
    for (size_t i = 0; i < match.text_feature.size(); ++i) {
      dot += static_cast<double>(match.image_feature[i]) * static_cast<double>(match.text_feature[i]);
    }
    const float p = SoftmaxOfTwo(match.logits[1], match.logits[0]);
    answers.push_back({.p_yes = p,
                       .score = p,
                       .margin = match.logits[1] - match.logits[0],
                       .cosine = static_cast<float>(std::clamp(dot, -1.0, 1.0))});
  }
  return answers;
}

Result<std::vector<Answer>> Vqa::YesNo(const QuestionHandle& read, int count, const AskOptions& options) const {
  const int yes = tokenizer_.Find("yes");
  const int no = tokenizer_.Find("no");
  if (yes < 0 || no < 0) {
    return FailedPrecondition("mode: the vocabulary lacks \"yes\" or \"no\"; use generate or rank");
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<float> margins,
                            YesMargins(*target_, read, count, yes, no, options.padding));
  std::vector<Answer> answers(margins.size());
  for (size_t i = 0; i < margins.size(); ++i) answers[i].margin = margins[i];
  return answers;
}

void Vqa::Calibrate(std::string_view question, Mode mode, Answer* answer) const {
  if (!answer->margin) return;
  const auto temperature = static_cast<float>(calibration_.TemperatureOf(question));
  const float p = SoftmaxOfTwo(*answer->margin / temperature, 0.0F);
  answer->p_yes = p;
  if (mode != Mode::kYesNo) return;
  answer->text = p >= 0.5F ? "yes" : "no";
  answer->score = std::max(p, 1.0F - p);
  answer->unsure = calibration_.unsure && calibration_.unsure->Holds(static_cast<double>(p));
}

std::optional<float> Vqa::MarginOf(std::span<const float> logits) const {
  const int yes = tokenizer_.Find("yes");
  const int no = tokenizer_.Find("no");
  if (yes < 0 || no < 0) return std::nullopt;
  return logits[static_cast<size_t>(yes)] - logits[static_cast<size_t>(no)];
}

Result<std::vector<Answer>> Vqa::Generate(const QuestionHandle& read, int count, const AskOptions& options) const {
  const GenerateOptions generate{options.max_length, options.num_beams};
  std::vector<int> question_of_row;
  for (int i = 0; i < count * options.num_beams; ++i) question_of_row.push_back(i / std::max(options.num_beams, 1));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerRows> rows,
                            target_->BeginAnswers(read, question_of_row, options.max_length, options.padding));
  const std::vector<std::vector<int>> prompts(static_cast<size_t>(count), {target_->config().text.bos_id});
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<Generated> written, Write(*target_, *rows, prompts, generate));
  std::vector<Answer> answers;
  for (const Generated& g : written) {
    answers.push_back({tokenizer_.Decode(g.ids), {}, static_cast<float>(std::exp(g.log_prob))});
    if (!g.first_logits.empty()) answers.back().margin = MarginOf(g.first_logits);
  }
  return answers;
}

Result<std::vector<Answer>> Vqa::RankChoices(const QuestionHandle& read, int count, const AskOptions& options) const {
  if (options.choices.empty() || options.choices.size() > kMaxChoices) {
    return InvalidArgument("choices: " + std::to_string(options.choices.size()) + ", want 1.." + std::to_string(kMaxChoices),
                           "choices_invalid");
  }
  std::vector<std::vector<int>> candidates;
  for (const std::string& choice : options.choices) {
    PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckQuestion(choice), "choices"));
    std::vector<int> ids = tokenizer_.Encode(choice, {.max_tokens = target_->config().text.max_positions}).ids;
    ids.erase(ids.begin());  // the decoder's start token stands where the first token was
    candidates.push_back(std::move(ids));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<Ranking> rankings, Rank(*target_, read, count, candidates, options.top_k));
  std::vector<Answer> answers;
  for (const Ranking& ranking : rankings) {
    const RankedAnswer& best = ranking.top[static_cast<size_t>(ranking.best)];
    answers.push_back({options.choices[static_cast<size_t>(best.answer)], {}, static_cast<float>(best.neg_smoothed_loss)});
    answers.back().margin = MarginOf(ranking.first_logits);
  }
  return answers;
}

}  // namespace pawsight::engine
