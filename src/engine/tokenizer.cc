#include "engine/tokenizer.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/files.h"
#include "base/json.h"
#include "engine/basic_words.h"

namespace pawsight::engine {
namespace {

constexpr size_t kMaxWordChars = 100;
constexpr size_t kMaxTokenizerConfigBytes = 1U << 20U;
constexpr std::string_view kContinued = "##";

Status Invalid(const std::string& message) { return InvalidArgument(message, "vocab_invalid"); }

std::string Quoted(std::string_view token) { return JsonQuote(token.substr(0, 80)); }

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

size_t CountChars(std::string_view utf8) {
  return static_cast<size_t>(std::count_if(utf8.begin(), utf8.end(), [](char c) { return !IsContinuationByte(c); }));
}

void ReplaceAll(std::string_view from, std::string_view to, std::string* text) {
  std::string out;
  size_t begin = 0;
  for (size_t at = text->find(from); at != std::string::npos; at = text->find(from, begin)) {
    out.append(*text, begin, at - begin);
    out += to;
    begin = at + from.size();
  }
  out.append(*text, begin);
  *text = std::move(out);
}

}  // namespace

Status CheckQuestion(std::string_view text) {
  // A code point has at most 4 bytes, so this refuses a megabyte without decoding it.
  const std::u32string chars = DecodeUtf8(text.substr(0, 4 * kMaxQuestionChars + 4));
  if (chars.size() > kMaxQuestionChars) {
    return InvalidArgument("question: more than " + std::to_string(kMaxQuestionChars) + " characters",
                           "question_too_long");
  }
  const std::u32string clean = CleanText(chars);
  if (std::all_of(clean.begin(), clean.end(), [](char32_t c) { return c == U' '; })) {
    return InvalidArgument("question: empty, want a text", "question_empty");
  }
  return Ok();
}

Result<Tokenizer> Tokenizer::Open(const std::string& model_dir, const TextConfig& text) {
  const std::string vocab_path = model_dir + "/vocab.txt";
  const Result<std::string> vocab = ReadTextFile(vocab_path, kMaxVocabularyBytes);
  if (vocab.ok()) {
    const std::string config_path = model_dir + "/tokenizer_config.json";
    const Result<std::string> config = ReadTextFile(config_path, kMaxTokenizerConfigBytes);
    if (config.ok()) PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckTokenizerConfig(*config), config_path));
    if (!config.ok() && config.status().code() != StatusCode::kNotFound) return config.status();
    Result<Tokenizer> tokenizer = FromVocab(*vocab, text);
    if (!tokenizer.ok()) return Annotate(tokenizer.status(), vocab_path);
    return tokenizer;
  }
  if (vocab.status().code() != StatusCode::kNotFound) return vocab.status();
  const std::string json_path = model_dir + "/tokenizer.json";
  const Result<std::string> json = ReadTextFile(json_path, kMaxVocabularyBytes);
  if (!json.ok()) {
    if (json.status().code() != StatusCode::kNotFound) return json.status();
    return NotFound(model_dir + ": neither vocab.txt nor tokenizer.json");
  }
  Result<Tokenizer> tokenizer = FromJson(*json, text);
  if (!tokenizer.ok()) return Annotate(tokenizer.status(), json_path);
  return tokenizer;
}

Result<Tokenizer> Tokenizer::FromVocab(std::string_view vocab_txt, const TextConfig& text) {
  PAWSIGHT_ASSIGN_OR_RETURN(std::vector<VocabularyEntry> entries, ParseVocabTxt(vocab_txt, text.vocab_size));
  return Build(std::move(entries), text);
}

Result<Tokenizer> Tokenizer::FromJson(std::string_view tokenizer_json, const TextConfig& text) {
  PAWSIGHT_ASSIGN_OR_RETURN(std::vector<VocabularyEntry> entries, ParseTokenizerJson(tokenizer_json, text.vocab_size));
  return Build(std::move(entries), text);
}

Result<Tokenizer> Tokenizer::Build(std::vector<VocabularyEntry> entries, const TextConfig& text) {
  Tokenizer tokenizer;
  tokenizer.tokens_.resize(static_cast<size_t>(text.vocab_size));
  tokenizer.ids_.reserve(entries.size());
  for (VocabularyEntry& entry : entries) {
    CHECK(entry.id >= 0 && entry.id < text.vocab_size);
    std::string_view& token = tokenizer.tokens_[static_cast<size_t>(entry.id)];
    const auto [it, fresh] = tokenizer.ids_.emplace(std::move(entry.token), entry.id);
    if (!fresh) {
      return Invalid("token " + Quoted(it->first) + " stands twice, as " + std::to_string(it->second) + " and " +
                     std::to_string(entry.id));
    }
    if (!token.empty()) {
      return Invalid("id " + std::to_string(entry.id) + " stands twice, as " + Quoted(token) + " and " +
                     Quoted(it->first));
    }
    token = it->first;
    tokenizer.longest_token_ = std::max(tokenizer.longest_token_, token.size());
  }
  PAWSIGHT_RETURN_IF_ERROR(tokenizer.FindSpecials(text));
  return tokenizer;
}

Status Tokenizer::FindSpecials(const TextConfig& text) {
  for (const auto& [token, id] : {std::pair<std::string_view, int*>{"[PAD]", &pad_id_},
                                  {"[UNK]", &unk_id_},
                                  {"[CLS]", &cls_id_},
                                  {"[SEP]", &sep_id_}}) {
    *id = Find(token);
    if (*id < 0) return Invalid("the special token " + std::string(token) + " is missing");
  }
  mask_id_ = Find("[MASK]");
  const int dec_id = Find("[DEC]");
  for (const auto& [token, id, field, configured] :
       {std::tuple<const char*, int, const char*, int>{"[PAD]", pad_id_, "pad_token_id", text.pad_id},
        {"[SEP]", sep_id_, "sep_token_id", text.sep_id},
        {"[DEC]", dec_id < 0 ? text.bos_id : dec_id, "bos_token_id", text.bos_id}}) {
    if (id == configured) continue;
    return Invalid(std::string(token) + " has the id " + std::to_string(id) + ", but config.json's text_config." +
                   field + " is " + std::to_string(configured));
  }
  bos_id_ = text.bos_id;
  const std::string_view bos = TokenText(bos_id_);
  if (!bos.empty() && !(bos.starts_with('[') && bos.ends_with(']'))) {
    return Invalid("config.json's text_config.bos_token_id " + std::to_string(bos_id_) + " is the token " +
                   Quoted(bos) + ", want [DEC] or an id beyond the vocabulary");
  }
  enc_id_ = Find("[ENC]");
  // The original project adds [DEC] and [ENC] behind the vocabulary, in this order.
  const bool beyond = bos.empty() && bos_id_ + 1 < text.vocab_size && TokenText(bos_id_ + 1).empty();
  if (enc_id_ < 0 && beyond) enc_id_ = bos_id_ + 1;
  return Ok();
}

void Tokenizer::AppendWord(std::string_view word, std::vector<int>* ids) const {
  if (CountChars(word) > kMaxWordChars) {
    ids->push_back(unk_id_);
    return;
  }
  const size_t first = ids->size();
  std::string key;
  for (size_t begin = 0; begin < word.size();) {
    const std::string_view prefix = begin == 0 ? std::string_view() : kContinued;
    key = prefix;
    key += word.substr(begin, longest_token_);
    // From the longest piece down, a character at a time.
    int id = Find(key);
    while (id < 0) {
      while (IsContinuationByte(key.back())) key.pop_back();
      key.pop_back();
      if (key.size() <= prefix.size()) {
        ids->resize(first);
        ids->push_back(unk_id_);
        return;
      }
      id = Find(key);
    }
    ids->push_back(id);
    begin += key.size() - prefix.size();
  }
}

Tokens Tokenizer::Encode(std::string_view text, const EncodeOptions& options) const {
  CHECK(options.max_tokens >= 2);
  CHECK(options.first == FirstToken::kCls || has_enc());
  const auto is_special_word = [this](std::string_view word) {
    const int id = Find(word);
    return id >= 0 && IsSpecial(id);
  };
  Tokens tokens;
  tokens.ids.push_back(options.first == FirstToken::kEnc ? enc_id_ : cls_id_);
  const auto limit = static_cast<size_t>(options.max_tokens) - 1;  // [SEP] comes last
  const std::vector<std::string> words =
      options.recognise_special ? BasicWords(text, is_special_word) : BasicWords(text);
  for (const std::string& word : words) {
    if (tokens.ids.size() > limit) break;
    if (options.recognise_special && is_special_word(word)) {
      tokens.ids.push_back(Find(word));
    } else {
      AppendWord(word, &tokens.ids);
    }
  }
  if (tokens.ids.size() > limit) {
    tokens.ids.resize(limit);
    tokens.truncated = true;
  }
  tokens.ids.push_back(sep_id_);
  return tokens;
}

std::string Tokenizer::Decode(std::span<const int> ids) const {
  std::string text;
  for (const int id : ids) {
    const std::string_view token = TokenText(id);
    if (token.empty() || IsSpecial(id)) continue;
    if (text.empty()) {
      text = token;
    } else if (token.starts_with(kContinued)) {
      text += token.substr(kContinued.size());
    } else {
      text += ' ';
      text += token;
    }
  }
  // The library's clean-up, in its order.
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{" .", "."},
                                 {" ?", "?"},
                                 {" !", "!"},
                                 {" ,", ","},
                                 {" ' ", "'"},
                                 {" n't", "n't"},
                                 {" 'm", "'m"},
                                 {" 's", "'s"},
                                 {" 've", "'ve"},
                                 {" 're", "'re"}}) {
    ReplaceAll(from, to, &text);
  }
  return text;
}

int Tokenizer::Find(std::string_view token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? -1 : found->second;
}

std::string_view Tokenizer::TokenText(int id) const {
  return id < 0 || static_cast<size_t>(id) >= tokens_.size() ? std::string_view() : tokens_[static_cast<size_t>(id)];
}

bool Tokenizer::IsSpecial(int id) const {
  return id >= 0 && (id == cls_id_ || id == sep_id_ || id == pad_id_ || id == unk_id_ || id == mask_id_ ||
                     id == bos_id_ || id == enc_id_);
}

int Tokenizer::num_tokens() const { return static_cast<int>(ids_.size()); }

}  // namespace pawsight::engine
