// Any bytes as a question, a vocabulary and a tokenizer.json: ids are always of the vocabulary, a user's text never
// becomes a special token, and nothing grows beyond its limit.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "engine/basic_words.h"
#include "engine/tokenizer.h"

namespace {

using pawsight::engine::TextConfig;
using pawsight::engine::Tokenizer;
using pawsight::engine::Tokens;

constexpr std::string_view kVocab =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nis\nthe\ndog\n##s\n?\n[\nsep\n]\n##ing\nbark\n#\n\xe7\x8b\x97\n\xcf\x83\n##"
    "\xcf\x82\n";

TextConfig Config() {
  TextConfig text;
  text.vocab_size = 64;
  text.bos_id = 62;
  text.sep_id = 3;
  return text;
}

void CheckText(const Tokenizer& tokenizer, std::string_view text) {
  const Tokens tokens = tokenizer.Encode(text, {.max_tokens = 35});
  CHECK(tokens.ids.size() >= 2 && tokens.ids.size() <= 35);
  CHECK(tokens.ids.front() == tokenizer.cls_id() && tokens.ids.back() == tokenizer.sep_id());
  for (size_t i = 1; i + 1 < tokens.ids.size(); ++i) {
    CHECK(tokens.ids[i] == tokenizer.unk_id() || !tokenizer.IsSpecial(tokens.ids[i]));
  }
  CHECK(pawsight::engine::IsUtf8(tokenizer.Decode(tokens.ids)));
  (void)tokenizer.Encode(text, {.recognise_special = true});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Tokenizer tokenizer = Tokenizer::FromVocab(kVocab, Config()).value();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)pawsight::engine::CheckQuestion(text);  // any answer is right
  CheckText(tokenizer, text);
  if (const auto other = Tokenizer::FromVocab(text, Config()); other.ok())
    (void)other->Encode("the dog's \xe7\x8b\x97");
  if (const auto other = Tokenizer::FromJson(text, Config()); other.ok()) (void)other->Encode("the dog's \xe7\x8b\x97");
  return 0;
}
