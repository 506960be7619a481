#include "targets/golden_check.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/generate.h"
#include "engine/safetensors.h"
#include "engine/tensor_view.h"

namespace pawsight::targets {
namespace {

using engine::AnswerRows;
using engine::Head;
using engine::ImageHandle;
using engine::Padding;
using engine::QuestionHandle;
using engine::RowToken;
using engine::TensorMap;
using engine::TensorView;
using engine::TokenRow;

struct IntMatrix {
  int rows = 0;
  int cols = 0;
  std::vector<int64_t> values;
  int at(int row, int col) const { return static_cast<int>(values[static_cast<size_t>(row * cols + col)]); }
};

Result<const TensorView*> Get(const TensorMap& goldens, const std::string& name) {
  const auto found = goldens.find(name);
  if (found == goldens.end()) return NotFound("golden: no tensor " + name);
  return &found->second;
}

Result<IntMatrix> GetIntMatrix(const TensorMap& goldens, const std::string& name) {
  PAWSIGHT_ASSIGN_OR_RETURN(const TensorView* tensor, Get(goldens, name));
  if (tensor->shape.size() != 2) return InvalidArgument("golden: " + name + " is " + engine::ShapeText(tensor->shape));
  IntMatrix matrix{static_cast<int>(tensor->shape[0]), static_cast<int>(tensor->shape[1]), {}};
  PAWSIGHT_ASSIGN_OR_RETURN(matrix.values, engine::ToInt64(*tensor));
  return matrix;
}

/// Rows of ids with the mask's length as what is valid.
Result<std::vector<TokenRow>> GetTokenRows(const TensorMap& goldens, const std::string& ids_name, const std::string& mask_name) {
  PAWSIGHT_ASSIGN_OR_RETURN(const IntMatrix ids, GetIntMatrix(goldens, ids_name));
  PAWSIGHT_ASSIGN_OR_RETURN(const IntMatrix mask, GetIntMatrix(goldens, mask_name));
  std::vector<TokenRow> rows;
  for (int r = 0; r < ids.rows; ++r) {
    TokenRow row;
    for (int c = 0; c < ids.cols; ++c) {
      row.ids.push_back(ids.at(r, c));
      row.valid += mask.at(r, c) != 0 ? 1 : 0;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

/// Answers that begin with the same token tie for their place, and the reference breaks ties by chance: puts tied ones in
/// the golden's order.
void OrderTiesAs(const IntMatrix& golden_ids, int row, engine::Ranking* ranking) {
  const std::vector<float>& probs = ranking->first_token_probs;
  const auto prob = [&](int answer) { return probs[static_cast<size_t>(answer)]; };
  const int best = ranking->top[static_cast<size_t>(ranking->best)].answer;
  for (size_t i = 0; i < ranking->top.size(); ++i) {
    const int wanted = golden_ids.at(row, static_cast<int>(i));
    const auto found = std::find_if(ranking->top.begin() + static_cast<std::ptrdiff_t>(i), ranking->top.end(),
                                    [&](const engine::RankedAnswer& a) { return a.answer == wanted; });
    if (found != ranking->top.end() && prob(found->answer) == prob(ranking->top[i].answer)) {
      std::swap(*found, ranking->top[i]);
    }
  }
  const auto place = std::ranges::find(ranking->top, best, &engine::RankedAnswer::answer);
  ranking->best = static_cast<int>(place - ranking->top.begin());
}

std::vector<int64_t> ToWide(std::span<const int> ids, size_t length, int fill) {
  std::vector<int64_t> wide(ids.begin(), ids.end());
  wide.resize(std::max(length, wide.size()), fill);
  return wide;
}

/// One run of the goldens: a file of tensors, the target under test and what has been compared so far.
class Checker {
 public:
  Checker(engine::Target& target, const TensorMap& goldens, const GoldenTolerance& tolerance)
      : target_(target), goldens_(goldens), limit_(tolerance.relative) {}

  Status CheckVqa();
  Status CheckCaptions();
  Status CheckItm();
  std::vector<StageDifference> Take() { return std::move(differences_); }

 private:
  bool Has(const std::string& name) const { return goldens_.contains(name); }
  engine::Trace Compare(const std::string& prefix);
  Status LookAt(int image, const engine::Trace& trace, ImageHandle* handle);
  Status CheckQuestions(const std::string& prefix, const ImageHandle& image, const std::vector<TokenRow>& questions);
  Status CheckForced(const std::string& prefix, AnswerRows& rows, size_t prompt_length);
  Status CheckGreedy(const std::string& prefix, const QuestionHandle& read, int count, Padding padding);
  Status CheckBeams(const std::string& prefix, const QuestionHandle& read, int count, Padding padding);
  Status CheckRank(const std::string& prefix, const QuestionHandle& read, int count);
  Status CheckSequences(const std::string& name, const std::vector<engine::Generated>& written, bool zero_behind_sep);
  Status Floats(const std::string& name, std::span<const float> ours) {
    return CompareFloats(goldens_, name, ours, limit_, &differences_);
  }
  Status Integers(const std::string& name, std::span<const int64_t> ours) {
    return CompareIntegers(goldens_, name, ours, &differences_);
  }
  Result<std::vector<std::vector<int>>> Candidates() const;

  engine::Target& target_;
  const TensorMap& goldens_;
  double limit_;
  Status traced_;  // the first error inside a trace
  std::vector<StageDifference> differences_;
};

engine::Trace Checker::Compare(const std::string& prefix) {
  return [this, prefix](std::string_view stage, const float* values, int rows, int cols) {
    const std::string name = prefix + "." + std::string(stage);
    if (!traced_.ok() || !Has(name)) return;
    traced_ = Floats(name, {values, static_cast<size_t>(rows) * static_cast<size_t>(cols)});
  };
}

Status Checker::LookAt(int image, const engine::Trace& trace, ImageHandle* handle) {
  PAWSIGHT_ASSIGN_OR_RETURN(const TensorView* pixels, Get(goldens_, "pre.pixel_values"));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<float> values, engine::ToFloat(*pixels));
  const size_t size = values.size() / static_cast<size_t>(pixels->shape.front());
  auto images = target_.Look(std::span(values).subspan(static_cast<size_t>(image) * size, size), 1, trace);
  PAWSIGHT_RETURN_IF_ERROR(images.status());
  *handle = images->front();
  return traced_;
}

Status Checker::CheckVqa() {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<TokenRow> questions, GetTokenRows(goldens_, "in.question_ids", "in.question_mask"));
  for (int image = 0; Has("q3img" + std::to_string(image) + ".vision.image_embeds"); ++image) {
    const std::string prefix = "q3img" + std::to_string(image);
    ImageHandle handle;
    PAWSIGHT_RETURN_IF_ERROR(LookAt(image, Compare(prefix), &handle));
    PAWSIGHT_RETURN_IF_ERROR(CheckQuestions(prefix, handle, questions));
  }
  if (!Has("q1img0_unpadded.text.question_states")) return Ok();
  ImageHandle first;
  PAWSIGHT_RETURN_IF_ERROR(LookAt(0, {}, &first));
  TokenRow alone = questions.at(1);
  alone.ids.resize(static_cast<size_t>(alone.valid));
  return CheckQuestions("q1img0_unpadded", first, {alone});
}

Status Checker::CheckQuestions(const std::string& prefix, const ImageHandle& image, const std::vector<TokenRow>& questions) {
  const std::vector<ImageHandle> images(questions.size(), image);
  PAWSIGHT_ASSIGN_OR_RETURN(const QuestionHandle read, target_.Read(images, questions, Compare(prefix)));
  PAWSIGHT_RETURN_IF_ERROR(traced_);
  const int count = static_cast<int>(questions.size());
  PAWSIGHT_RETURN_IF_ERROR(CheckGreedy(prefix, read, count, Padding::kAttend));
  PAWSIGHT_RETURN_IF_ERROR(CheckBeams(prefix, read, count, Padding::kAttend));
  return CheckRank(prefix, read, count);
}

/// Feeds the golden sequences, so that one wrong token does not hide the logits after it.
Status Checker::CheckForced(const std::string& prefix, AnswerRows& rows, size_t prompt_length) {
  PAWSIGHT_ASSIGN_OR_RETURN(const IntMatrix sequences, GetIntMatrix(goldens_, prefix + ".sequences"));
  const auto vocab = static_cast<size_t>(target_.config().text.vocab_size);
  const auto steps = static_cast<size_t>(sequences.cols) - prompt_length;
  std::vector<float> all(static_cast<size_t>(sequences.rows) * steps * vocab);
  std::vector<float> logits(static_cast<size_t>(sequences.rows) * vocab);
  for (int position = 0; position + 1 < sequences.cols; ++position) {
    std::vector<RowToken> tokens;
    for (int row = 0; row < sequences.rows; ++row) tokens.push_back({row, sequences.at(row, position)});
    PAWSIGHT_RETURN_IF_ERROR(target_.Step(rows, tokens, {}, logits));
    if (static_cast<size_t>(position) + 1 < prompt_length) continue;
    const size_t step = static_cast<size_t>(position) + 1 - prompt_length;
    for (size_t row = 0; row < static_cast<size_t>(sequences.rows); ++row) {
      std::copy_n(logits.data() + row * vocab, vocab, all.data() + (row * steps + step) * vocab);
    }
  }
  return Floats(prefix + ".logits", all);
}

Status Checker::CheckSequences(const std::string& name, const std::vector<engine::Generated>& written, bool zero_behind_sep) {
  PAWSIGHT_ASSIGN_OR_RETURN(const IntMatrix golden, GetIntMatrix(goldens_, name));
  std::vector<int64_t> ours;
  for (const engine::Generated& g : written) {
    std::vector<int64_t> row = ToWide(g.ids, static_cast<size_t>(golden.cols), target_.config().text.pad_id);
    if (zero_behind_sep) row.resize(static_cast<size_t>(golden.cols));
    ours.insert(ours.end(), row.begin(), row.end());
  }
  return Integers(name, ours);
}

Status Checker::CheckGreedy(const std::string& prefix, const QuestionHandle& read, int count, Padding padding) {
  const std::string name = prefix + ".greedy.sequences";
  if (!Has(name)) return Ok();
  PAWSIGHT_ASSIGN_OR_RETURN(const IntMatrix golden, GetIntMatrix(goldens_, name));
  std::vector<int> each;
  for (int i = 0; i < count; ++i) each.push_back(i);
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerRows> forced, target_.BeginAnswers(read, each, golden.cols, padding));
  PAWSIGHT_RETURN_IF_ERROR(CheckForced(prefix + ".greedy", *forced, 1));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerRows> rows, target_.BeginAnswers(read, each, golden.cols, padding));
  const std::vector<std::vector<int>> prompts(static_cast<size_t>(count), {target_.config().text.bos_id});
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::Generated> written,
                            engine::Greedy(target_, *rows, prompts, {.max_length = golden.cols}));
  return CheckSequences(name, written, false);
}

Status Checker::CheckBeams(const std::string& prefix, const QuestionHandle& read, int count, Padding padding) {
  constexpr int kBeams = 3;
  const std::string name = prefix + ".beam3.sequences";
  if (!Has(name)) return Ok();
  PAWSIGHT_ASSIGN_OR_RETURN(const IntMatrix golden, GetIntMatrix(goldens_, name));
  std::vector<int> each;
  for (int i = 0; i < count * kBeams; ++i) each.push_back(i / kBeams);
  const std::vector<std::vector<int>> prompts(static_cast<size_t>(count), {target_.config().text.bos_id});
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerRows> rows, target_.BeginAnswers(read, each, golden.cols, padding));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::Generated> written,
                            engine::BeamSearch(target_, *rows, prompts, {.max_length = 10, .num_beams = kBeams}));
  return CheckSequences(name, written, true);
}

Result<std::vector<std::vector<int>>> Checker::Candidates() const {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<TokenRow> answers, GetTokenRows(goldens_, "in.answer_ids", "in.answer_mask"));
  std::vector<std::vector<int>> candidates;
  for (const TokenRow& answer : answers) {
    candidates.emplace_back(answer.ids.begin() + 1, answer.ids.begin() + answer.valid);
  }
  return candidates;
}

Status Checker::CheckRank(const std::string& prefix, const QuestionHandle& read, int count) {
  const std::string rank = prefix + ".rank.";
  if (!Has(rank + "topk_ids")) return Ok();
  PAWSIGHT_ASSIGN_OR_RETURN(const auto candidates, Candidates());
  PAWSIGHT_ASSIGN_OR_RETURN(const IntMatrix golden, GetIntMatrix(goldens_, rank + "topk_ids"));
  PAWSIGHT_ASSIGN_OR_RETURN(const auto rankings, engine::Rank(target_, read, count, candidates, golden.cols));
  std::vector<float> first_probs, log_probs, smoothed;
  std::vector<int64_t> top_ids, best, best_smoothed;
  for (int row = 0; row < count; ++row) {
    engine::Ranking ranking = rankings[static_cast<size_t>(row)];
    OrderTiesAs(golden, row, &ranking);
    first_probs.insert(first_probs.end(), ranking.first_token_probs.begin(), ranking.first_token_probs.end());
    for (const engine::RankedAnswer& answer : ranking.top) {
      top_ids.push_back(answer.answer);
      log_probs.push_back(static_cast<float>(answer.log_prob));
      smoothed.push_back(static_cast<float>(answer.neg_smoothed_loss));
    }
    best.push_back(std::ranges::max_element(ranking.top, {}, &engine::RankedAnswer::log_prob)->answer);
    best_smoothed.push_back(ranking.top[static_cast<size_t>(ranking.best)].answer);
  }
  PAWSIGHT_RETURN_IF_ERROR(Floats(rank + "first_token_probs", first_probs));
  PAWSIGHT_RETURN_IF_ERROR(Integers(rank + "topk_ids", top_ids));
  PAWSIGHT_RETURN_IF_ERROR(Floats(rank + "log_probs_sum", log_probs));
  PAWSIGHT_RETURN_IF_ERROR(Integers(rank + "best", best));
  PAWSIGHT_RETURN_IF_ERROR(Floats(rank + "neg_smoothed_loss", smoothed));
  PAWSIGHT_RETURN_IF_ERROR(Integers(rank + "best_smoothed", best_smoothed));
  if (!Has(prefix + ".score.all_log_probs")) return Ok();
  PAWSIGHT_ASSIGN_OR_RETURN(const auto scored, engine::Score(target_, read, count, candidates));
  std::vector<float> all;
  for (const auto& row : scored) {
    for (const engine::RankedAnswer& answer : row) all.push_back(static_cast<float>(answer.log_prob));
  }
  return Floats(prefix + ".score.all_log_probs", all);
}

Status Checker::CheckCaptions() {
  if (!Has("caption.unconditional.sequences")) return Ok();
  std::vector<ImageHandle> images(2);
  for (int i = 0; i < 2; ++i) PAWSIGHT_RETURN_IF_ERROR(LookAt(i, {}, &images[static_cast<size_t>(i)]));
  PAWSIGHT_ASSIGN_OR_RETURN(const IntMatrix prompt_ids, GetIntMatrix(goldens_, "caption.prompt_ids"));
  std::vector<std::vector<int>> prompts(images.size());
  const int bos = target_.config().text.bos_id;
  for (size_t row = 0; row < prompts.size(); ++row) {  // the first id becomes the start id, the last is dropped
    prompts[row].push_back(bos);
    for (int c = 1; c + 1 < prompt_ids.cols; ++c) prompts[row].push_back(prompt_ids.at(static_cast<int>(row), c));
  }
  for (const std::string name : {"caption.unconditional", "caption.prompted"}) {
    const bool prompted = name == "caption.prompted";
    const std::vector<std::vector<int>> starts = prompted ? prompts : std::vector<std::vector<int>>(images.size(), {bos});
    PAWSIGHT_ASSIGN_OR_RETURN(const IntMatrix golden, GetIntMatrix(goldens_, name + ".sequences"));
    PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerRows> rows, target_.BeginCaptions(images, golden.cols));
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::Generated> written,
                              engine::Greedy(target_, *rows, starts, {.max_length = golden.cols}));
    PAWSIGHT_RETURN_IF_ERROR(CheckSequences(name + ".sequences", written, false));
    if (!Has(name + ".logits")) continue;
    PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerRows> forced, target_.BeginCaptions(images, golden.cols));
    PAWSIGHT_RETURN_IF_ERROR(CheckForced(name, *forced, starts.front().size()));
  }
  return Ok();
}

Status Checker::CheckItm() {
  if (!Has("itm.image_index")) return Ok();
  PAWSIGHT_ASSIGN_OR_RETURN(const TensorView* index, Get(goldens_, "itm.image_index"));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<int64_t> image_of_text, engine::ToInt64(*index));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<TokenRow> texts, GetTokenRows(goldens_, "in.question_ids", "in.question_mask"));
  std::vector<ImageHandle> images(image_of_text.size());
  for (size_t i = 0; i < images.size(); ++i) {
    PAWSIGHT_RETURN_IF_ERROR(LookAt(static_cast<int>(image_of_text[i]), {}, &images[i]));
  }
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<engine::Match> matches, target_.MatchTexts(images, texts));
  std::vector<float> logits, cosines;
  for (const engine::Match& image : matches) {
    logits.insert(logits.end(), image.logits.begin(), image.logits.end());
    for (const engine::Match& text : matches) {
      double dot = 0;
      for (size_t i = 0; i < image.image_feature.size(); ++i) {
        dot += static_cast<double>(image.image_feature[i]) * static_cast<double>(text.text_feature[i]);
      }
      cosines.push_back(static_cast<float>(dot));
    }
  }
  PAWSIGHT_RETURN_IF_ERROR(Floats("itm.itm_score", logits));
  return Floats("itm.itc_cosine", cosines);
}

}  // namespace

Result<GoldenFile> GoldenFile::Open(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(MappedFile mapping, MappedFile::Open(path));
  Result<TensorMap> tensors = engine::ReadSafetensors(mapping.bytes(), engine::Alignment::kAny);
  if (!tensors.ok()) return Annotate(tensors.status(), path);
  return GoldenFile{std::move(mapping), std::move(tensors).value()};
}

Status CompareFloats(const TensorMap& goldens, const std::string& name, std::span<const float> ours, double relative_limit,
                     std::vector<StageDifference>* out) {
  PAWSIGHT_ASSIGN_OR_RETURN(const TensorView* tensor, Get(goldens, name));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<float> reference, engine::ToFloat(*tensor));
  if (reference.size() != ours.size()) {
    return InvalidArgument("golden: " + name + " is " + engine::ShapeText(tensor->shape) + ", this model gives " +
                           std::to_string(ours.size()) + " values");
  }
  StageDifference difference{.stage = name, .limit = relative_limit};
  double largest = 0;
  bool finite = true;
  for (size_t i = 0; i < ours.size(); ++i) {
    finite = finite && std::isfinite(ours[i]);
    difference.max_absolute =
        std::max(difference.max_absolute, std::abs(static_cast<double>(ours[i]) - static_cast<double>(reference[i])));
    largest = std::max(largest, std::abs(static_cast<double>(reference[i])));
  }
  difference.max_relative = largest > 0 ? difference.max_absolute / largest : difference.max_absolute;
  difference.ok = finite && difference.max_relative <= relative_limit;
  out->push_back(difference);
  return Ok();
}

Status CompareIntegers(const TensorMap& goldens, const std::string& name, std::span<const int64_t> ours,
                       std::vector<StageDifference>* out) {
  PAWSIGHT_ASSIGN_OR_RETURN(const TensorView* tensor, Get(goldens, name));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<int64_t> reference, engine::ToInt64(*tensor));
  StageDifference difference{.stage = name, .exact = true};
  if (reference.size() != ours.size()) {
    difference.max_absolute = static_cast<double>(std::max(reference.size(), ours.size()));
  } else {
    for (size_t i = 0; i < ours.size(); ++i) difference.max_absolute += ours[i] != reference[i] ? 1.0 : 0.0;
  }
  difference.ok = difference.max_absolute == 0.0;
  out->push_back(difference);
  return Ok();
}

Result<std::vector<StageDifference>> CheckGoldens(engine::Target& target, const TensorMap& goldens,
                                                  const GoldenTolerance& tolerance) {
  Checker checker(target, goldens, tolerance);
  if (target.Has(Head::kVqa)) PAWSIGHT_RETURN_IF_ERROR(checker.CheckVqa());
  if (target.Has(Head::kCaption)) PAWSIGHT_RETURN_IF_ERROR(checker.CheckCaptions());
  if (target.Has(Head::kItm)) PAWSIGHT_RETURN_IF_ERROR(checker.CheckItm());
  return checker.Take();
}

}  // namespace pawsight::targets
