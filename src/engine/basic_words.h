// engine/basic_words.h: text to the words that WordPiece cuts into pieces: BERT's uncased "basic tokenizer" (Devlin et
// al. 2019). Cleans, sets Chinese characters apart, lower-cases, strips accents, splits at spaces and punctuation.
// Character properties are utf8proc's (Unicode 14): a character assigned later is dropped, as an unassigned one is.
// Thread-safe: functions without state.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace pawsight::engine {

/// The code points of `text`; each byte that is no UTF-8 becomes U+FFFD.
std::u32string DecodeUtf8(std::string_view text);
std::string EncodeUtf8(std::u32string_view text);
bool IsUtf8(std::string_view text);

/// What the cleaner leaves: no NUL, U+FFFD, control, format, private-use or unassigned character; every kind of white
/// space is a space.
std::u32string CleanText(std::u32string_view text);

/// The words of `text`, UTF-8, in order. A word between spaces for which `keep` returns true stays as it is, case
/// included; `keep` may be empty. Cost: linear, also for a thousand combining marks on one letter.
std::vector<std::string> BasicWords(std::string_view text, const std::function<bool(std::string_view)>& keep = {});

}  // namespace pawsight::engine
