// engine/generate.h: which token comes next: greedy, beam search, ranking a list of answers, yes or no. Token ids in, token
// ids out; the target does the arithmetic. Thread-safe: functions without state.
// Sources: rank mode as published with BLIP (Li et al. 2022): the likeliest first tokens choose k answers, whose summed
// token losses, label smoothing 0.1, decide. Beam search as the widely used library does it (no length penalty other than
// the mean, stop when no running beam can win).
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/status.h"
#include "engine/target.h"

namespace pawsight::engine {

struct GenerateOptions {
  int max_length = 20;  // tokens with the prompt, 2..max_positions
  int num_beams = 1;    // 1 is greedy; 1..16
};

struct Generated {
  std::vector<int> ids;   // the prompt, then what was written, with sep when it was reached
  double log_prob = 0.0;  // sum over what was written
  std::vector<float> first_logits;  // [vocab_size], what followed the prompt (greedy only)
};

/// Continues prompts[i] on row i until sep or max_length; rows are fresh, with capacity max_length - 1 or more.
/// Errors: kInvalidArgument, no prompt may be empty or as long as max_length (prompt_too_long); options out of range.
Result<std::vector<Generated>> Greedy(Target& target, AnswerRows& rows, std::span<const std::vector<int>> prompts,
                                      const GenerateOptions& options);

/// The same with options.num_beams rows a prompt: rows i * num_beams ... are prompt i's. Cost: a prompt of n tokens is
/// read once for all its beams, in n - 1 steps.
Result<std::vector<Generated>> BeamSearch(Target& target, AnswerRows& rows, std::span<const std::vector<int>> prompts,
                                          const GenerateOptions& options);

/// One of the answers that rank mode chose among.
struct RankedAnswer {
  int answer = 0;                  // index into the candidates
  double log_prob = 0.0;           // sum of its tokens' log-probabilities, sep included
  double neg_smoothed_loss = 0.0;  // the same with label smoothing 0.1: what decides
};

struct Ranking {
  std::vector<float> first_token_probs;  // of every candidate's first token
  std::vector<float> first_logits;       // [vocab_size]
  std::vector<RankedAnswer> top;         // the k with the likeliest first token, likeliest first
  int best = 0;                          // index into `top`
};

/// candidates: token ids with sep, without the start token; at least one, none empty. k is cut to their number.
/// Errors: kInvalidArgument, no candidates, an empty or too long one.
Result<std::vector<Ranking>> Rank(Target& target, const QuestionHandle& questions, int num_questions,
                                  std::span<const std::vector<int>> candidates, int k);

/// Log-probability of each candidate for each question, [num_questions][candidates.size()].
Result<std::vector<std::vector<RankedAnswer>>> Score(Target& target, const QuestionHandle& questions, int num_questions,
                                                     std::span<const std::vector<int>> candidates);

/// The logit of `yes` less that of `no` after the start token: one decoder step and two rows of the vocabulary a question.
Result<std::vector<float>> YesMargins(Target& target, const QuestionHandle& questions, int num_questions, int yes_id,
                                            int no_id, Padding padding);

/// Probability of the first of two logits against the second.
float SoftmaxOfTwo(float yes_logit, float no_logit);

}  // namespace pawsight::engine
