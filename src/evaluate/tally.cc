#include "evaluate/tally.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace pawsight::evaluate {
namespace {

constexpr double kBoldLow = 0.2;
constexpr double kBoldHigh = 0.8;

using AnswerCounts = std::map<std::string, int>;

/// The most frequent answer when one of `left_out` is taken away; "" when none is left.
std::string MostFrequent(const AnswerCounts& answers, const std::string& left_out) {
  std::string best;
  int most = 0;
  for (const auto& [answer, times] : answers) {
    const int others = times - (answer == left_out ? 1 : 0);
    if (others <= most) continue;
    most = others;
    best = answer;
  }
  return best;
}

bool IsNumber(const std::string& answer) {
  return !answer.empty() && std::ranges::all_of(answer, [](char c) { return c >= '0' && c <= '9'; });
}

std::string LowerCase(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

void Add(const Observation& observation, bool words_alone, Counts* counts) {
  const bool right = observation.right();
  const bool yes = observation.truth == "yes";
  const bool no = observation.truth == "no";
  ++counts->asked;
  counts->right += right;
  counts->yes += yes;
  counts->no += no;
  counts->yes_right += yes && right;
  counts->no_right += no && right;
  counts->words_alone += words_alone;
  counts->always_no += no;
}

std::vector<Confusion> MostFrequentConfusions(const std::map<std::pair<std::string, std::string>, int>& times) {
  std::vector<Confusion> confusions;
  for (const auto& [pair, count] : times) confusions.push_back({pair.first, pair.second, count});
  std::ranges::stable_sort(confusions, [](const Confusion& a, const Confusion& b) { return a.times > b.times; });
  if (confusions.size() > kMostConfusions) confusions.resize(kMostConfusions);
  return confusions;
}

void Add(double p_yes, const std::optional<engine::UnsureBand>& band, UnknownCounts* counts) {
  ++counts->asked;
  counts->distance += std::abs(p_yes - 0.5);
  counts->in_band += band && band->Holds(p_yes) ? 1.0 : 0.0;
  counts->bold += p_yes < kBoldLow || p_yes > kBoldHigh ? 1.0 : 0.0;
}

void Divide(UnknownCounts* counts) {
  if (counts->asked == 0) return;
  for (double* sum : {&counts->distance, &counts->in_band, &counts->bold}) *sum /= counts->asked;
}

}  // namespace

std::vector<bool> RightByWordsAlone(const std::vector<Observation>& observations) {
  std::map<std::string, AnswerCounts> by_wording, by_family;
  for (const Observation& one : observations) {
    ++by_wording[LowerCase(one.question)][one.truth];
    ++by_family[one.family][one.truth];
  }
  std::vector<bool> right;
  for (const Observation& one : observations) {
    std::string guess = MostFrequent(by_wording[LowerCase(one.question)], one.truth);
    if (guess.empty()) guess = MostFrequent(by_family[one.family], one.truth);
    right.push_back(guess == one.truth);
  }
  return right;
}

Tally MakeTally(const Observed& observed) {
  Tally tally;
  tally.set = observed.set;
  const std::vector<bool> words_alone = RightByWordsAlone(observed.observations);
  std::vector<Scored> before, after, in_words;
  std::map<std::pair<std::string, std::string>, int> confusions;
  for (size_t i = 0; i < observed.observations.size(); ++i) {
    const Observation& one = observed.observations[i];
    Counts& kind = one.yes_no ? tally.yes_no : IsNumber(one.truth) ? tally.counts : tally.words;
    for (Counts* counts : {&kind, &tally.all, &tally.families[one.family]}) Add(one, words_alone[i], counts);
    if (one.yes_no) {
      const double raw = Sigmoid(one.margin);
      before.push_back({std::max(raw, 1.0 - raw), one.right()});
      after.push_back({one.p, one.right()});
      continue;
    }
    in_words.push_back({one.p, one.right()});
    if (!one.right()) ++confusions[{one.truth, one.answer}];
  }
  tally.confusions = MostFrequentConfusions(confusions);
  tally.before = MeasureReliability(before);
  tally.after = MeasureReliability(after);
  tally.in_words = MeasureReliability(in_words);
  return tally;
}

UnknownTally MakeUnknownTally(const Observed& observed, const std::optional<engine::UnsureBand>& band) {
  UnknownTally tally;
  for (const Observation& one : observed.observations) {
    for (UnknownCounts* counts : {&tally.all, &tally.questions[one.question]}) Add(one.p_yes, band, counts);
  }
  Divide(&tally.all);
  for (auto& [question, counts] : tally.questions) Divide(&counts);
  return tally;
}

}  // namespace pawsight::evaluate
