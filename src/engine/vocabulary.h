// engine/vocabulary.h: reads the tokens and their ids from vocab.txt or from the fast tokenizer's tokenizer.json.
// Not here: what the tokens mean (tokenizer.h). Thread-safe: no state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pawsight::engine {

inline constexpr size_t kMaxVocabularyBytes = 16U << 20U;

struct VocabularyEntry {
  std::string token;
  int id = 0;
};

/// One token a line; the line's number from 0 is the id. Errors: kInvalidArgument, reason vocab_invalid: not UTF-8, a
/// carriage return, an empty line, more than `limit` lines; the message has the line.
Result<std::vector<VocabularyEntry>> ParseVocabTxt(std::string_view text, int limit);

/// `model.vocab` and `added_tokens` of a tokenizer.json. Errors: kInvalidArgument, reason vocab_invalid: not JSON, a
/// token twice, an id outside [0, limit), an added token that contradicts the vocabulary. kUnimplemented: no uncased
/// BERT WordPiece; the message names the field.
Result<std::vector<VocabularyEntry>> ParseTokenizerJson(std::string_view text, int limit);

/// tokenizer_config.json says with a few switches how vocab.txt is used. Errors: kInvalidArgument, not JSON.
/// kUnimplemented, do_lower_case, strip_accents or tokenize_chinese_chars is false.
Status CheckTokenizerConfig(std::string_view text);

}  // namespace pawsight::engine
