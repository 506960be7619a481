#include "engine/vocabulary.h"

#include <algorithm>
#include <map>

#include "base/json.h"
#include "engine/basic_words.h"

namespace pawsight::engine {
namespace {

constexpr size_t kMaxTokenBytes = 512;

Status Invalid(const std::string& message) { return InvalidArgument(message, "vocab_invalid"); }

/// Errors: kUnimplemented when the member `key` is there, not null, and not `wanted`.
Status Want(const Json& json, const std::string& path, std::string_view key, const Json& wanted) {
  const Json* found = json.Find(key);
  if (found == nullptr || found->is_null()) return Ok();
  const std::string is = found->Dump();
  if (is == wanted.Dump()) return Ok();
  return Unimplemented(path + std::string(key) + ": " + is.substr(0, 80) + " is not supported, want " + wanted.Dump());
}

/// Uncased BERT: each stage is the one that is built here, with its usual switches.
Status CheckStages(const Json& root, const Json& model) {
  PAWSIGHT_RETURN_IF_ERROR(Want(model, "model.", "type", "WordPiece"));
  PAWSIGHT_RETURN_IF_ERROR(Want(model, "model.", "unk_token", "[UNK]"));
  PAWSIGHT_RETURN_IF_ERROR(Want(model, "model.", "continuing_subword_prefix", "##"));
  PAWSIGHT_RETURN_IF_ERROR(Want(model, "model.", "max_input_chars_per_word", 100));
  if (const Json* normalizer = root.Find("normalizer"); normalizer != nullptr && !normalizer->is_null()) {
    PAWSIGHT_RETURN_IF_ERROR(Want(*normalizer, "normalizer.", "type", "BertNormalizer"));
    for (const char* key : {"lowercase", "clean_text", "handle_chinese_chars", "strip_accents"}) {
      PAWSIGHT_RETURN_IF_ERROR(Want(*normalizer, "normalizer.", key, true));
    }
  }
  if (const Json* splitter = root.Find("pre_tokenizer"); splitter != nullptr && !splitter->is_null()) {
    PAWSIGHT_RETURN_IF_ERROR(Want(*splitter, "pre_tokenizer.", "type", "BertPreTokenizer"));
  }
  return Ok();
}

Status CheckToken(std::string_view token, const Json* id, int limit) {
  if (token.empty() || token.size() > kMaxTokenBytes) {
    return Invalid("a token of " + std::to_string(token.size()) + " bytes");
  }
  if (id == nullptr || !id->is_integer() || id->as_integer() < 0 || id->as_integer() >= limit) {
    return Invalid("token " + JsonQuote(token.substr(0, 80)) + ": want an id of 0.." + std::to_string(limit - 1));
  }
  return Ok();
}

Status CheckLine(std::string_view token, size_t id, int limit) {
  if (id >= static_cast<size_t>(limit)) {
    return Invalid("more tokens than text_config.vocab_size, " + std::to_string(limit));
  }
  if (token.empty()) return Invalid("empty, want a token");
  if (token.size() > kMaxTokenBytes) return Invalid("a token of " + std::to_string(token.size()) + " bytes");
  if (token.find('\r') != std::string_view::npos) {
    return Invalid("a carriage return; the file must have Unix line ends");
  }
  if (!IsUtf8(token)) return Invalid("not UTF-8");
  return Ok();
}

}  // namespace

Result<std::vector<VocabularyEntry>> ParseVocabTxt(std::string_view text, int limit) {
  std::vector<VocabularyEntry> entries;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view token = text.substr(begin, end - begin);
    if (Status status = CheckLine(token, entries.size(), limit); !status.ok()) {
      return Annotate(status, "line " + std::to_string(entries.size() + 1));
    }
    entries.push_back({std::string(token), static_cast<int>(entries.size())});
    begin = end + 1;
  }
  return entries;
}

Result<std::vector<VocabularyEntry>> ParseTokenizerJson(std::string_view text, int limit) {
  // Here a key twice would be a token twice.
  const Result<Json> root = Json::Parse(text, {.max_bytes = kMaxVocabularyBytes, .max_depth = 32});
  if (!root.ok()) return Invalid(root.status().message());
  const Json* model = root->Find("model");
  if (model == nullptr || !model->is_object()) return Invalid("model: want an object");
  PAWSIGHT_RETURN_IF_ERROR(CheckStages(*root, *model));
  const Result<const Json::Object*> vocab = model->GetObject("vocab");
  if (!vocab.ok()) return Invalid("model." + vocab.status().message());
  std::vector<VocabularyEntry> entries;
  std::map<std::string_view, int> ids;
  for (const auto& [token, id] : **vocab) {
    PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckToken(token, &id, limit), "model.vocab"));
    entries.push_back({token, static_cast<int>(id.as_integer())});
    ids.emplace(token, entries.back().id);
  }
  const Json* added = root->Find("added_tokens");
  if (added == nullptr || added->is_null()) return entries;
  if (!added->is_array()) return Invalid("added_tokens: want an array");
  for (const Json& item : added->as_array()) {
    const Result<std::string> content = item.GetString("content");
    if (!content.ok()) return Invalid("added_tokens: " + content.status().message());
    PAWSIGHT_RETURN_IF_ERROR(Annotate(CheckToken(*content, item.Find("id"), limit), "added_tokens"));
    const int id = static_cast<int>(item.Find("id")->as_integer());
    const auto known = ids.find(*content);
    if (known == ids.end()) {
      entries.push_back({*content, id});
    } else if (known->second != id) {
      return Invalid("added_tokens: " + JsonQuote(content->substr(0, 80)) + " has the id " + std::to_string(id) +
                     ", in model.vocab " + std::to_string(known->second));
    }
  }
  return entries;
}

Status CheckTokenizerConfig(std::string_view text) {
  const JsonLimits limits{.max_bytes = 1U << 20U, .max_depth = 32, .allow_duplicate_keys = true};
  const Result<Json> json = Json::Parse(text, limits);
  if (!json.ok()) return Invalid(json.status().message());
  for (const char* key : {"do_lower_case", "strip_accents", "tokenize_chinese_chars"}) {
    PAWSIGHT_RETURN_IF_ERROR(Want(*json, "", key, true));
  }
  return Ok();
}

}  // namespace pawsight::engine
