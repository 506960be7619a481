#include "engine/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "base/check.h"

namespace pawsight::engine {
namespace {

constexpr int kRowsAtOnce = 32;  // decoder rows whose caches live together while candidates are scored

/// log(sum(exp(logits))), in double so that the order of the vocabulary hardly matters.
double LogSumExp(std::span<const float> logits) {
  const auto top = static_cast<double>(*std::ranges::max_element(logits));
  double sum = 0;
  for (const float v : logits) sum += std::exp(static_cast<double>(v) - top);
  return top + std::log(sum);
}

int ArgMax(std::span<const float> logits) {
  return static_cast<int>(std::ranges::max_element(logits) - logits.begin());
}

Status CheckOptions(const Target& target, const GenerateOptions& options) {
  if (options.max_length < 2 || options.max_length > target.config().text.max_positions) {
    return InvalidArgument("max_length: " + std::to_string(options.max_length) + ", want 2.." +
                           std::to_string(target.config().text.max_positions));
  }
  if (options.num_beams < 1 || options.num_beams > 16) {
    return InvalidArgument("num_beams: " + std::to_string(options.num_beams) + ", want 1..16");
  }
  return Ok();
}

Status CheckPrompts(std::span<const std::vector<int>> prompts, const GenerateOptions& options) {
  for (const std::vector<int>& prompt : prompts) {
    if (!prompt.empty() && prompt.size() < static_cast<size_t>(options.max_length)) continue;
    return InvalidArgument(
        "prompt: " + std::to_string(prompt.size()) + " tokens, want 1.." + std::to_string(options.max_length - 1),
        "prompt_too_long");
  }
  return Ok();
}

/// Feeds every row the start token: logits [num_rows, wanted or vocabulary].
Result<std::vector<float>> FirstLogits(Target& target, AnswerRows& rows, int num_rows, std::span<const int> wanted) {
  std::vector<RowToken> starts;
  for (int row = 0; row < num_rows; ++row) starts.push_back({row, target.config().text.bos_id});
  const size_t columns = wanted.empty() ? static_cast<size_t>(target.config().text.vocab_size) : wanted.size();
  std::vector<float> logits(static_cast<size_t>(num_rows) * columns);
  PAWSIGHT_RETURN_IF_ERROR(target.Step(rows, starts, wanted, logits));
  return logits;
}

std::vector<int> Iota(int n) {
  std::vector<int> v(static_cast<size_t>(n));
  std::iota(v.begin(), v.end(), 0);
  return v;
}

/// A finished or running beam: its tokens and the sum of their log-probabilities.
struct Beam {
  std::vector<int> ids;
  double sum = 0;
};

/// The beams of one prompt.
class BeamGroup {
 public:
  BeamGroup(const std::vector<int>& prompt, const GenerateOptions& options)
      : num_beams_(options.num_beams),
        prompt_(prompt.size()),
        max_length_(static_cast<size_t>(options.max_length)),
        running_(static_cast<size_t>(options.num_beams)) {
    for (Beam& beam : running_) beam = {prompt, -1e9};
    running_[0].sum = 0;  // all begin alike: the first alone counts, or each would be found num_beams times
  }

  /// No running beam can win any more, or none may grow.
  bool over() const { return done_ || running_.front().ids.size() >= max_length_; }
  const std::vector<Beam>& running() const { return running_; }

  /// logits [num_beams, vocabulary] of what may follow; fills from[i], the beam that beam i continues.
  void Advance(std::span<const float> logits, int sep_id, int* from);
  Beam Best() const;

 private:
  struct Candidate {
    double sum;
    int beam;
    int token;
  };
  struct Finished {
    Beam beam;
    double score;  // mean log-probability of what was written
  };

  std::vector<Candidate> TopCandidates(std::span<const float> logits) const;
  void Finish(const Beam& beam, int written);

  int num_beams_;
  size_t prompt_;  // tokens that were given
  size_t max_length_;
  std::vector<Beam> running_;
  std::vector<Finished> finished_;
  bool done_ = false;
};

std::vector<BeamGroup::Candidate> BeamGroup::TopCandidates(std::span<const float> logits) const {
  const size_t vocab = logits.size() / running_.size();
  std::vector<Candidate> candidates;
  for (size_t b = 0; b < running_.size(); ++b) {
    const std::span<const float> own = logits.subspan(b * vocab, vocab);
    const double normaliser = LogSumExp(own);
    for (size_t token = 0; token < vocab; ++token) {
      candidates.push_back({running_[b].sum + static_cast<double>(own[token]) - normaliser, static_cast<int>(b),
                            static_cast<int>(token)});
    }
  }
  const size_t keep = std::min(candidates.size(), 2 * static_cast<size_t>(num_beams_));
  std::ranges::partial_sort(candidates, candidates.begin() + static_cast<std::ptrdiff_t>(keep),
                            [](const Candidate& a, const Candidate& b) { return a.sum > b.sum; });
  candidates.resize(keep);
  return candidates;
}

void BeamGroup::Finish(const Beam& beam, int written) {
  finished_.push_back({beam, beam.sum / written});
  std::ranges::stable_sort(finished_, [](const Finished& a, const Finished& b) { return a.score > b.score; });
  if (finished_.size() > static_cast<size_t>(num_beams_)) finished_.pop_back();
}

void BeamGroup::Advance(std::span<const float> logits, int sep_id, int* from) {
  const std::vector<Candidate> candidates = TopCandidates(logits);
  const int written = static_cast<int>(running_.front().ids.size() - prompt_) + 1;  // with this step's token
  std::vector<Beam> next;
  for (size_t rank = 0; rank < candidates.size() && next.size() < running_.size(); ++rank) {
    const Candidate& c = candidates[rank];
    Beam beam = running_[static_cast<size_t>(c.beam)];
    beam.sum = c.sum;
    if (c.token == sep_id) {
      if (rank >= running_.size()) continue;  // worse than num_beams others: not worth a place
      Finish(beam, written);
      continue;
    }
    beam.ids.push_back(c.token);
    from[next.size()] = c.beam;
    next.push_back(std::move(beam));
  }
  running_ = std::move(next);
  if (finished_.size() == static_cast<size_t>(num_beams_)) {
    done_ = finished_.back().score >= candidates.front().sum / written;
  }
}

Beam BeamGroup::Best() const {
  BeamGroup all = *this;
  if (!done_) {
    for (const Beam& beam : running_) all.Finish(beam, static_cast<int>(beam.ids.size() - prompt_));
  }
  return all.finished_.front().beam;
}

/// Feeds each prompt but its last token to the first of its beams' rows and makes the others copies of it.
Status ReadPrompts(Target& target, AnswerRows& rows, std::span<const std::vector<int>> prompts, int num_beams) {
  size_t longest = 1;
  for (const std::vector<int>& prompt : prompts) longest = std::max(longest, prompt.size());
  if (longest == 1) return Ok();
  const int unused = target.config().text.pad_id;  // what follows is known: one logit a row, of any token
  std::vector<float> logits;
  for (size_t step = 0; step + 1 < longest; ++step) {
    std::vector<RowToken> tokens;
    for (size_t i = 0; i < prompts.size(); ++i) {
      if (step + 1 < prompts[i].size()) tokens.push_back({static_cast<int>(i) * num_beams, prompts[i][step]});
    }
    logits.resize(tokens.size());
    PAWSIGHT_RETURN_IF_ERROR(target.Step(rows, tokens, {&unused, 1}, logits));
  }
  std::vector<int> from = Iota(static_cast<int>(prompts.size()) * num_beams);
  for (int& row : from) row = row / num_beams * num_beams;
  return target.Select(rows, from);
}

/// Scores candidate[i] for question[i], both of `pairs`, all rows in step.
Status ScoreChunk(Target& target, const QuestionHandle& questions, std::span<const std::vector<int>> candidates,
                  std::span<const std::pair<int, int>> pairs, std::vector<RankedAnswer>* out) {
  constexpr double kSmoothing = 0.1;
  const auto vocab = static_cast<size_t>(target.config().text.vocab_size);
  std::vector<int> question_of_row;
  size_t longest = 0;
  for (const auto& [question, candidate] : pairs) {
    question_of_row.push_back(question);
    longest = std::max(longest, candidates[static_cast<size_t>(candidate)].size());
    out->push_back({candidate, 0.0, 0.0});
  }
  RankedAnswer* scores = out->data() + out->size() - pairs.size();
  auto rows = target.BeginAnswers(questions, question_of_row, static_cast<int>(longest), Padding::kMask);
  PAWSIGHT_RETURN_IF_ERROR(rows.status());
  std::vector<float> logits;
  for (size_t step = 0; step < longest; ++step) {
    std::vector<RowToken> tokens;
    for (size_t i = 0; i < pairs.size(); ++i) {
      const std::vector<int>& answer = candidates[static_cast<size_t>(pairs[i].second)];
      if (step < answer.size()) tokens.push_back({static_cast<int>(i), step == 0 ? target.config().text.bos_id : answer[step - 1]});
    }
    logits.resize(tokens.size() * vocab);
    PAWSIGHT_RETURN_IF_ERROR(target.Step(**rows, tokens, {}, logits));
    for (size_t i = 0; i < tokens.size(); ++i) {
      const std::span<const float> own(logits.data() + i * vocab, vocab);
      const auto row = static_cast<size_t>(tokens[i].row);
      const int wanted = candidates[static_cast<size_t>(pairs[row].second)][step];
      const double normaliser = LogSumExp(own);
      const double log_prob = static_cast<double>(own[static_cast<size_t>(wanted)]) - normaliser;
      double sum = 0;
      for (const float v : own) sum += static_cast<double>(v);
      scores[row].log_prob += log_prob;
      scores[row].neg_smoothed_loss +=
          (1 - kSmoothing) * log_prob + kSmoothing * (sum / static_cast<double>(vocab) - normaliser);
    }
  }
  return Ok();
}

Status ScorePairs(Target& target, const QuestionHandle& questions, std::span<const std::vector<int>> candidates,
                  std::span<const std::pair<int, int>> pairs, std::vector<RankedAnswer>* out) {
  for (size_t first = 0; first < pairs.size(); first += kRowsAtOnce) {
    const size_t count = std::min<size_t>(kRowsAtOnce, pairs.size() - first);
    PAWSIGHT_RETURN_IF_ERROR(ScoreChunk(target, questions, candidates, pairs.subspan(first, count), out));
  }
  return Ok();
}

Status CheckCandidates(const Target& target, std::span<const std::vector<int>> candidates) {
  if (candidates.empty()) return InvalidArgument("choices: none, want at least one", "choices_empty");
  for (const std::vector<int>& candidate : candidates) {
    if (candidate.empty()) return InvalidArgument("choices: an empty one", "choices_empty");
    if (candidate.size() >= static_cast<size_t>(target.config().text.max_positions)) {
      return InvalidArgument("choices: one has " + std::to_string(candidate.size()) + " tokens, want fewer than " +
                             std::to_string(target.config().text.max_positions), "choice_too_long");
    }
  }
  return Ok();
}

}  // namespace

float SoftmaxOfTwo(float yes_logit, float no_logit) { return 1.0F / (1.0F + std::exp(no_logit - yes_logit)); }

Result<std::vector<Generated>> Greedy(Target& target, AnswerRows& rows, std::span<const std::vector<int>> prompts,
                                      const GenerateOptions& options) {
  PAWSIGHT_RETURN_IF_ERROR(CheckOptions(target, options));
  const auto vocab = static_cast<size_t>(target.config().text.vocab_size);
  std::vector<Generated> out;
  PAWSIGHT_RETURN_IF_ERROR(CheckPrompts(prompts, options));
  for (const std::vector<int>& prompt : prompts) out.push_back({prompt, 0.0, {}});
  std::vector<float> logits;
  for (size_t step = 0; step + 1 < static_cast<size_t>(options.max_length); ++step) {
    std::vector<RowToken> tokens;
    for (size_t i = 0; i < out.size(); ++i) {
      if (step < out[i].ids.size()) tokens.push_back({static_cast<int>(i), out[i].ids[step]});
    }
    std::erase_if(tokens, [&](const RowToken& t) {
      const auto row = static_cast<size_t>(t.row);
      return step >= prompts[row].size() && t.token == target.config().text.sep_id;
    });
    if (tokens.empty()) break;
    logits.resize(tokens.size() * vocab);
    PAWSIGHT_RETURN_IF_ERROR(target.Step(rows, tokens, {}, logits));
    for (size_t i = 0; i < tokens.size(); ++i) {
      const std::span<const float> own(logits.data() + i * vocab, vocab);
      const auto row = static_cast<size_t>(tokens[i].row);
      if (step + 1 < prompts[row].size()) continue;  // the prompt goes on
      if (step + 1 == prompts[row].size()) out[row].first_logits.assign(own.begin(), own.end());
      const int next = ArgMax(own);
      out[row].ids.push_back(next);
      out[row].log_prob += static_cast<double>(own[static_cast<size_t>(next)]) - LogSumExp(own);
    }
  }
  return out;
}

Result<std::vector<Generated>> BeamSearch(Target& target, AnswerRows& rows, std::span<const std::vector<int>> prompts,
                                          const GenerateOptions& options) {
  PAWSIGHT_RETURN_IF_ERROR(CheckOptions(target, options));
  PAWSIGHT_RETURN_IF_ERROR(CheckPrompts(prompts, options));
  PAWSIGHT_RETURN_IF_ERROR(ReadPrompts(target, rows, prompts, options.num_beams));
  const auto vocab = static_cast<size_t>(target.config().text.vocab_size);
  const auto beams = static_cast<size_t>(options.num_beams);
  const int sep_id = target.config().text.sep_id;
  std::vector<BeamGroup> groups;
  for (const std::vector<int>& prompt : prompts) groups.emplace_back(prompt, options);
  std::vector<float> logits;
  for (;;) {
    std::vector<RowToken> tokens;
    for (size_t g = 0; g < groups.size(); ++g) {
      if (groups[g].over()) continue;
      for (size_t b = 0; b < beams; ++b) {
        tokens.push_back({static_cast<int>(g * beams + b), groups[g].running()[b].ids.back()});
      }
    }
    if (tokens.empty()) break;
    logits.resize(tokens.size() * vocab);
    PAWSIGHT_RETURN_IF_ERROR(target.Step(rows, tokens, {}, logits));
    std::vector<int> from = Iota(static_cast<int>(groups.size() * beams));
    for (size_t t = 0; t < tokens.size(); t += beams) {
      const auto group = static_cast<size_t>(tokens[t].row) / beams;
      std::vector<int> own(beams);
      groups[group].Advance(std::span<const float>(logits.data() + t * vocab, beams * vocab), sep_id, own.data());
      for (size_t b = 0; b < beams; ++b) from[group * beams + b] = static_cast<int>(group * beams) + own[b];
    }
    PAWSIGHT_RETURN_IF_ERROR(target.Select(rows, from));
  }
  std::vector<Generated> out;
  for (const BeamGroup& group : groups) {
    const Beam best = group.Best();
    out.push_back({best.ids, best.sum, {}});
    if (best.ids.size() < static_cast<size_t>(options.max_length)) out.back().ids.push_back(sep_id);
  }
  return out;
}

Result<std::vector<Ranking>> Rank(Target& target, const QuestionHandle& questions, int num_questions,
                                  std::span<const std::vector<int>> candidates, int k) {
  PAWSIGHT_RETURN_IF_ERROR(CheckCandidates(target, candidates));
  const size_t top = std::min(static_cast<size_t>(std::max(k, 1)), candidates.size());
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerRows> rows,
                            target.BeginAnswers(questions, Iota(num_questions), 1, Padding::kMask));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<float> logits, FirstLogits(target, *rows, num_questions, {}));
  const size_t vocab = logits.size() / static_cast<size_t>(num_questions);
  std::vector<Ranking> rankings(static_cast<size_t>(num_questions));
  std::vector<std::pair<int, int>> pairs;
  for (size_t q = 0; q < rankings.size(); ++q) {
    const std::span<const float> own(logits.data() + q * vocab, vocab);
    rankings[q].first_logits.assign(own.begin(), own.end());
    const double normaliser = LogSumExp(own);
    std::vector<float>& probs = rankings[q].first_token_probs;
    for (const std::vector<int>& c : candidates) {
      probs.push_back(static_cast<float>(std::exp(static_cast<double>(own[static_cast<size_t>(c.front())]) - normaliser)));
    }
    std::vector<int> order = Iota(static_cast<int>(candidates.size()));
    std::ranges::stable_sort(order, [&](int a, int b) { return probs[static_cast<size_t>(a)] > probs[static_cast<size_t>(b)]; });
    for (size_t i = 0; i < top; ++i) pairs.emplace_back(static_cast<int>(q), order[i]);
  }
  std::vector<RankedAnswer> scored;
  PAWSIGHT_RETURN_IF_ERROR(ScorePairs(target, questions, candidates, pairs, &scored));
  for (size_t q = 0; q < rankings.size(); ++q) {
    const auto first = scored.begin() + static_cast<std::ptrdiff_t>(q * top);
    rankings[q].top.assign(first, first + static_cast<std::ptrdiff_t>(top));
    const auto best = std::ranges::max_element(rankings[q].top, {}, &RankedAnswer::neg_smoothed_loss);
    rankings[q].best = static_cast<int>(best - rankings[q].top.begin());
  }
  return rankings;
}

Result<std::vector<std::vector<RankedAnswer>>> Score(Target& target, const QuestionHandle& questions, int num_questions,
                                                     std::span<const std::vector<int>> candidates) {
  PAWSIGHT_RETURN_IF_ERROR(CheckCandidates(target, candidates));
  std::vector<std::pair<int, int>> pairs;
  for (int q = 0; q < num_questions; ++q) {
    for (int c = 0; c < static_cast<int>(candidates.size()); ++c) pairs.emplace_back(q, c);
  }
  std::vector<RankedAnswer> scored;
  PAWSIGHT_RETURN_IF_ERROR(ScorePairs(target, questions, candidates, pairs, &scored));
  std::vector<std::vector<RankedAnswer>> out;
  for (size_t first = 0; first < scored.size(); first += candidates.size()) {
    const auto from = scored.begin() + static_cast<std::ptrdiff_t>(first);
    out.emplace_back(from, from + static_cast<std::ptrdiff_t>(candidates.size()));
  }
  return out;
}

Result<std::vector<float>> YesMargins(Target& target, const QuestionHandle& questions, int num_questions, int yes_id,
                                            int no_id, Padding padding) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::unique_ptr<AnswerRows> rows,
                            target.BeginAnswers(questions, Iota(num_questions), 1, padding));
  const std::array<int, 2> wanted = {yes_id, no_id};
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<float> logits, FirstLogits(target, *rows, num_questions, wanted));
  std::vector<float> margins;
  for (size_t i = 0; i < logits.size(); i += 2) margins.push_back(logits[i] - logits[i + 1]);
  return margins;
}

}  // namespace pawsight::engine
