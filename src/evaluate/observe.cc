#include "evaluate/observe.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "frames/encode.h"
#include "frames/resize.h"

namespace pawsight::evaluate {
namespace {

bool ByProbability(const Pair& pair) { return pair.answer.empty() || pair.answer == "yes" || pair.answer == "no"; }

/// Those of the pairs that are asked by p_yes, or the others; as many calls as the engine's limit wants.
Status AskPairs(const engine::Vqa& vqa, const engine::ImageHandle& image, const std::vector<Pair>& pairs, bool yes_no,
                int picture, std::vector<Observation>* out) {
  std::vector<const Pair*> chosen;
  for (const Pair& pair : pairs) {
    if (ByProbability(pair) == yes_no) chosen.push_back(&pair);
  }
  const engine::AskOptions options{.mode = yes_no ? engine::Mode::kYesNo : engine::Mode::kGenerate};
  for (size_t first = 0; first < chosen.size(); first += engine::kMaxQuestions) {
    const size_t end = std::min(chosen.size(), first + engine::kMaxQuestions);
    std::vector<std::string> texts;
    for (size_t i = first; i < end; ++i) texts.push_back(chosen[i]->question);
    PAWSIGHT_ASSIGN_OR_RETURN(std::vector<engine::Answer> answers, vqa.Ask(image, texts, options));
    for (size_t i = first; i < end; ++i) {
      engine::Answer& answer = answers[i - first];
      if (!std::isfinite(answer.margin.value_or(0.0F)) || !std::isfinite(answer.score)) {
        return DataLoss("\"" + chosen[i]->question + "\": the model answers with no number; are its weights damaged?");
      }
      out->push_back({.picture = picture,
                      .question = chosen[i]->question,
                      .truth = chosen[i]->answer,
                      .family = chosen[i]->family,
                      .answer = std::move(answer.text),
                      .yes_no = yes_no,
                      .margin = static_cast<double>(answer.margin.value_or(0.0F)),
                      .p_yes = static_cast<double>(answer.p_yes.value_or(0.5F)),
                      .p = static_cast<double>(answer.score)});
    }
  }
  return Ok();
}

Status ObservePicture(const engine::Vqa& vqa, const Shown& shown, const ObserveOptions& options, int picture,
                      Observed* observed) {
  PAWSIGHT_ASSIGN_OR_RETURN(const engine::ImageHandle image, vqa.Look(options.prepare(shown.image)));
  for (const bool yes_no : {true, false}) {
    PAWSIGHT_RETURN_IF_ERROR(AskPairs(vqa, image, shown.pairs, yes_no, picture, &observed->observations));
  }
  return Ok();
}

}  // namespace

Result<Observed> Observe(const engine::Vqa& vqa, const QuestionSet& set, const ObserveOptions& options) {
  Observed observed{std::string(set.name()), set.private_pictures(), {}, {}};
  for (int i = 0; i < set.size(); ++i) {
    PAWSIGHT_ASSIGN_OR_RETURN(const Shown shown, set.Get(i));
    const Status asked = ObservePicture(vqa, shown, options, i, &observed);
    if (!asked.ok()) return Annotate(asked, observed.set + ": " + shown.id);
    Thumbnail thumbnail{shown.id, shown.kind, {}};
    if (options.thumbnail_side > 0 && i < options.most_thumbnails) {
      const int side = options.thumbnail_side;
      PAWSIGHT_ASSIGN_OR_RETURN(thumbnail.jpeg, frames::EncodeJpeg(frames::ResizeBicubic(shown.image, side, side), 75));
    }
    observed.pictures.push_back(std::move(thumbnail));
    if (options.progress) options.progress(i + 1, set.size());
  }
  return observed;
}

}  // namespace pawsight::evaluate
