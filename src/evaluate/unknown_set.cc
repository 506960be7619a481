#include <algorithm>
#include <map>
#include <numeric>

#include "base/check.h"
#include "base/files.h"
#include "base/rng.h"
#include "evaluate/families.h"
#include "evaluate/question_set.h"

namespace pawsight::evaluate {
namespace {

constexpr size_t kMaxTextBytes = 1U << 20U;
constexpr size_t kMaxLines = 1000;

/// A picture of one of the sources, and what is asked of it.
struct Chosen {
  const QuestionSet* source;
  int index;
  std::vector<Pair> pairs;
};

class Unknown : public QuestionSet {
 public:
  Unknown(std::vector<Chosen> chosen, bool private_pictures)
      : chosen_(std::move(chosen)), private_pictures_(private_pictures) {}
  std::string_view name() const override { return "unknown"; }
  bool private_pictures() const override { return private_pictures_; }
  int size() const override { return static_cast<int>(chosen_.size()); }

  Result<Shown> Get(int index) const override {
    CHECK(index >= 0 && index < size());
    const Chosen& chosen = chosen_[static_cast<size_t>(index)];
    PAWSIGHT_ASSIGN_OR_RETURN(Shown shown, chosen.source->Get(chosen.index));
    shown.pairs = chosen.pairs;
    return shown;
  }

 private:
  std::vector<Chosen> chosen_;
  bool private_pictures_;
};

}  // namespace

Result<std::vector<std::string>> ReadQuestionLines(const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, ReadTextFile(path, kMaxTextBytes));
  std::vector<std::string> questions;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    at = end + 1;
    const size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos || line[first] == '#') continue;
    questions.push_back(line.substr(first, line.find_last_not_of(" \t\r") - first + 1));
  }
  if (questions.empty() || questions.size() > kMaxLines) {
    return InvalidArgument(path + ": " + std::to_string(questions.size()) + " questions, want 1..1000, one a line");
  }
  return questions;
}

std::unique_ptr<QuestionSet> UnknownSet(std::vector<const QuestionSet*> sources,
                                        const std::vector<std::string>& questions, const UnknownOptions& options) {
  std::vector<std::pair<const QuestionSet*, int>> pictures;
  bool private_pictures = false;
  for (const QuestionSet* source : sources) {
    private_pictures = private_pictures || source->private_pictures();
    for (int i = 0; i < source->size(); ++i) pictures.emplace_back(source, i);
  }
  CHECK(!pictures.empty());
  const size_t sample = std::min(pictures.size(), static_cast<size_t>(std::max(options.pictures, 1)));
  std::map<size_t, std::vector<Pair>> asked;  // in the order of the pictures, so that each is looked at once
  for (size_t q = 0; q < questions.size(); ++q) {
    Rng rng = Rng(options.seed).Fork(q);
    std::vector<size_t> order(pictures.size());
    std::iota(order.begin(), order.end(), 0);
    for (size_t i = 0; i < sample; ++i) {
      std::swap(order[i], order[i + static_cast<size_t>(rng.Below(static_cast<int>(order.size() - i)))]);
      asked[order[i]].push_back({questions[q], "", FamilyOf(questions[q])});
    }
  }
  std::vector<Chosen> chosen;
  for (auto& [picture, pairs] : asked) {
    chosen.push_back({pictures[picture].first, pictures[picture].second, std::move(pairs)});
  }
  return std::make_unique<Unknown>(std::move(chosen), private_pictures);
}

}  // namespace pawsight::evaluate
