// engine/tokenizer.h: a question to token ids and token ids to an answer: BERT's uncased WordPiece (Devlin et al.
// 2019). Text typed by a user never becomes a special token: "[SEP]" is a bracket, "sep", a bracket. Thread-safe once
// opened: nothing changes.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "engine/config.h"
#include "engine/vocabulary.h"

namespace pawsight::engine {

inline constexpr int kMaxQuestionChars = 512;

/// What a client may ask. Characters are Unicode code points; an invalid byte counts as one.
/// Errors: kInvalidArgument with the reason question_empty (nothing but spaces and control characters) or
/// question_too_long (more than kMaxQuestionChars).
Status CheckQuestion(std::string_view text);

/// [CLS] is what the widely used library feeds; the original project puts [ENC] there. Answers differ a little.
enum class FirstToken { kCls, kEnc };

struct EncodeOptions {
  FirstToken first = FirstToken::kCls;
  int max_tokens = 512;            // with the first token and [SEP]; at least 2. What is over is cut before [SEP].
  bool recognise_special = false;  // words equal to a special token become it; for comparison with the library only
};

struct Tokens {
  std::vector<int> ids;    // first token, pieces, [SEP]
  bool truncated = false;  // some text did not fit
};

class Tokenizer {
 public:
  /// Reads `model_dir`/vocab.txt (one token a line, the line's number is the id) with the switches of
  /// tokenizer_config.json, if that is there; or tokenizer.json when there is no vocab.txt. Errors: kNotFound, neither
  /// is there. kInvalidArgument, reason vocab_invalid: not UTF-8, a carriage return, an empty or repeated token, no
  /// [PAD], [UNK], [CLS] or [SEP], ids that disagree with the config's or are beyond its vocab_size. kUnimplemented, no
  /// uncased BERT WordPiece; the message has the field.
  static Result<Tokenizer> Open(const std::string& model_dir, const TextConfig& text);
  /// The same from the files' text.
  static Result<Tokenizer> FromVocab(std::string_view vocab_txt, const TextConfig& text);
  static Result<Tokenizer> FromJson(std::string_view tokenizer_json, const TextConfig& text);

  /// Invalid UTF-8 is taken as U+FFFD, which the cleaner drops. kEnc without has_enc() is our bug (CHECK).
  /// Cost: linear in the text.
  Tokens Encode(std::string_view text, const EncodeOptions& options = {}) const;

  /// The pieces joined ("##ing" to the piece before), special tokens and unknown ids left out, then the library's
  /// clean-up: no space before . ? ! , and in n't 'm 's 've 're; " ' " closes up.
  std::string Decode(std::span<const int> ids) const;

  /// The id of a whole token of the vocabulary, or -1: for "yes" and "no".
  int Find(std::string_view token) const;
  /// "" when the id has no text ([DEC] and [ENC] of the hub's models lie beyond vocab.txt).
  std::string_view TokenText(int id) const;
  bool IsSpecial(int id) const;

  int cls_id() const { return cls_id_; }
  int sep_id() const { return sep_id_; }
  int pad_id() const { return pad_id_; }
  int unk_id() const { return unk_id_; }
  int bos_id() const { return bos_id_; }
  /// [ENC] of the vocabulary, or the id after [DEC] when both lie beyond it; -1 when the model has none.
  int enc_id() const { return enc_id_; }
  bool has_enc() const { return enc_id_ >= 0; }
  /// Ids that have a text.
  int num_tokens() const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  Tokenizer() = default;
  static Result<Tokenizer> Build(std::vector<VocabularyEntry> entries, const TextConfig& text);
  Status FindSpecials(const TextConfig& text);
  /// Appends the pieces of one word, or [UNK].
  void AppendWord(std::string_view word, std::vector<int>* ids) const;

  std::unordered_map<std::string, int, Hash, std::equal_to<>> ids_;
  std::vector<std::string_view> tokens_;  // by id, into the keys of ids_ (a node keeps its address when the map moves)
  size_t longest_token_ = 0;              // bytes
  int cls_id_ = -1;
  int sep_id_ = -1;
  int pad_id_ = -1;
  int unk_id_ = -1;
  int mask_id_ = -1;
  int bos_id_ = -1;
  int enc_id_ = -1;
};

}  // namespace pawsight::engine
