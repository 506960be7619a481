#include "engine/basic_words.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstddef>

namespace pawsight::engine {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kCapitalSigma = 0x03A3;
constexpr char32_t kSmallSigma = 0x03C3;
constexpr char32_t kFinalSigma = 0x03C2;
constexpr char32_t kCapitalDottedI = 0x0130;
constexpr char32_t kDotAbove = 0x0307;

struct Range {
  char32_t first;
  char32_t last;
};

template <size_t n>
bool InRanges(char32_t c, const Range (&ranges)[n]) {
  return std::any_of(std::begin(ranges), std::end(ranges), [c](Range r) { return c >= r.first && c <= r.last; });
}

utf8proc_category_t Category(char32_t c) { return utf8proc_category(static_cast<utf8proc_int32_t>(c)); }

bool IsSpace(char32_t c) {
  if (c == U' ' || c == U'\t' || c == U'\n' || c == U'\r') return true;
  const utf8proc_category_t category = Category(c);
  // Line and paragraph separators are no spaces to the cleaner, but to the split that follows it.
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

/// All of Unicode's "other" categories; tab and line ends are spaces and never asked about.
bool IsDropped(char32_t c) {
  if (c == 0 || c == kReplacement) return true;
  const utf8proc_category_t category = Category(c);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CS ||
         category == UTF8PROC_CATEGORY_CO || category == UTF8PROC_CATEGORY_CN;
}

/// The CJK ideograph blocks that the reference lists; kana and hangul are not among them.
bool IsChinese(char32_t c) {
  constexpr Range kBlocks[] = {{0x4E00, 0x9FFF},   {0x3400, 0x4DBF},   {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
                               {0x2B740, 0x2B81F}, {0x2B820, 0x2CEAF}, {0xF900, 0xFAFF},   {0x2F800, 0x2FA1F}};
  return InRanges(c, kBlocks);
}

/// All of ASCII's signs, also those that Unicode calls symbols ($, ^), and Unicode's punctuation.
bool IsPunctuation(char32_t c) {
  constexpr Range kAscii[] = {{33, 47}, {58, 64}, {91, 96}, {123, 126}};
  if (InRanges(c, kAscii)) return true;
  const utf8proc_category_t category = Category(c);
  return category >= UTF8PROC_CATEGORY_PC && category <= UTF8PROC_CATEGORY_PO;
}

/// Unicode's Cased: letters with case, Other_Uppercase and Other_Lowercase.
bool IsCased(char32_t c) {
  constexpr Range kOther[] = {{0xAA, 0xAA},       {0xBA, 0xBA},       {0x2160, 0x217F},  {0x24B6, 0x24E9},
                              {0x1F130, 0x1F149}, {0x1F150, 0x1F169}, {0x1F170, 0x1F189}};
  const utf8proc_category_t category = Category(c);
  return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LT ||
         InRanges(c, kOther);
}

/// Unicode's Case_Ignorable: marks, modifiers, format characters and what may stand inside a word (apostrophe, full
/// stop).
bool IsCaseIgnorable(char32_t c) {
  constexpr Range kInside[] = {{'\'', '\''},     {'.', '.'},       {':', ':'},       {0xB7, 0xB7},
                               {0x0387, 0x0387}, {0x055F, 0x055F}, {0x05F4, 0x05F4}, {0x2018, 0x2019},
                               {0x2024, 0x2024}, {0x2027, 0x2027}, {0xFE13, 0xFE13}, {0xFE52, 0xFE52},
                               {0xFE55, 0xFE55}, {0xFF07, 0xFF07}, {0xFF0E, 0xFF0E}, {0xFF1A, 0xFF1A}};
  const utf8proc_category_t category = Category(c);
  return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME || category == UTF8PROC_CATEGORY_CF ||
         category == UTF8PROC_CATEGORY_LM || category == UTF8PROC_CATEGORY_SK || InRanges(c, kInside);
}

/// For every character of `word`: is there a cased one before it (or behind it, when run over the reversed word) with
/// nothing but case-ignorable ones between? One pass, so that a word of sigmas stays linear.
template <typename Iterator>
std::vector<bool> CasedBefore(Iterator begin, Iterator end) {
  std::vector<bool> cased;
  bool state = false;
  for (Iterator it = begin; it != end; ++it) {
    cased.push_back(state);
    if (!IsCaseIgnorable(*it)) state = IsCased(*it);
  }
  return cased;
}

/// Full lower-casing. Two characters need more than a table: the dotted capital I, which becomes two, and the capital
/// sigma, whose small form at the end of a word is another (Unicode 14, SpecialCasing.txt).
std::u32string Lower(std::u32string_view word) {
  std::vector<bool> before;
  std::vector<bool> behind;
  if (word.find(kCapitalSigma) != std::u32string_view::npos) {
    before = CasedBefore(word.begin(), word.end());
    behind = CasedBefore(word.rbegin(), word.rend());
  }
  std::u32string lower;
  lower.reserve(word.size());
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] == kCapitalDottedI) {
      lower += {U'i', kDotAbove};
    } else if (word[i] == kCapitalSigma) {
      lower += before[i] && !behind[word.size() - 1 - i] ? kFinalSigma : kSmallSigma;
    } else {
      lower += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(word[i])));
    }
  }
  return lower;
}

/// Canonical decomposition without the nonspacing marks.
std::u32string StripAccents(std::u32string_view word) {
  std::u32string stripped;
  stripped.reserve(word.size());
  for (const char32_t c : word) {
    utf8proc_int32_t parts[8];
    int boundary = 0;
    const utf8proc_ssize_t count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, 8, UTF8PROC_DECOMPOSE, &boundary);
    for (utf8proc_ssize_t i = 0; i < std::min<utf8proc_ssize_t>(count, 8); ++i) {
      if (utf8proc_category(parts[i]) != UTF8PROC_CATEGORY_MN) stripped += static_cast<char32_t>(parts[i]);
    }
  }
  // Canonical order: runs of the combining characters that are left, by class. Hardly any text has one.
  const auto combining = [](char32_t c) {
    return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
  };
  for (auto begin = stripped.begin(); begin != stripped.end();) {
    const auto end = std::find_if(begin, stripped.end(), [&](char32_t c) { return combining(c) == 0; });
    std::stable_sort(begin, end, [&](char32_t a, char32_t b) { return combining(a) < combining(b); });
    begin = end == stripped.end() ? end : end + 1;
  }
  return stripped;
}

/// Each punctuation character is a word of its own.
void SplitAtPunctuation(std::u32string_view word, std::vector<std::string>* words) {
  size_t begin = 0;
  for (size_t i = 0; i < word.size(); ++i) {
    if (!IsPunctuation(word[i])) continue;
    if (i > begin) words->push_back(EncodeUtf8(word.substr(begin, i - begin)));
    words->push_back(EncodeUtf8(word.substr(i, 1)));
    begin = i + 1;
  }
  if (begin < word.size()) words->push_back(EncodeUtf8(word.substr(begin)));
}

}  // namespace

std::u32string DecodeUtf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t c = -1;
    const utf8proc_ssize_t used =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(std::min<size_t>(text.size() - at, 4)), &c);
    out += used > 0 ? static_cast<char32_t>(c) : kReplacement;
    at += used > 0 ? static_cast<size_t>(used) : 1;
  }
  return out;
}

std::string EncodeUtf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    utf8proc_uint8_t bytes[4];
    const utf8proc_ssize_t count = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes);
    out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
  }
  return out;
}

bool IsUtf8(std::string_view text) {
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  for (size_t at = 0; at < text.size();) {
    utf8proc_int32_t c = -1;
    const utf8proc_ssize_t used =
        utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(std::min<size_t>(text.size() - at, 4)), &c);
    if (used <= 0) return false;
    at += static_cast<size_t>(used);
  }
  return true;
}

std::u32string CleanText(std::u32string_view text) {
  std::u32string clean;
  clean.reserve(text.size());
  for (const char32_t c : text) {
    if (IsSpace(c)) {
      clean += U' ';
    } else if (!IsDropped(c)) {
      clean += c;
    }
  }
  return clean;
}

std::vector<std::string> BasicWords(std::string_view text, const std::function<bool(std::string_view)>& keep) {
  std::vector<std::string> words;
  const auto take = [&](std::u32string_view word) {
    if (word.empty()) return;
    if (keep) {
      std::string as_typed = EncodeUtf8(word);
      if (keep(as_typed)) {
        words.push_back(std::move(as_typed));
        return;
      }
    }
    SplitAtPunctuation(StripAccents(Lower(word)), &words);
  };
  const std::u32string clean = CleanText(DecodeUtf8(text));
  const std::u32string_view view = clean;
  size_t begin = 0;
  for (size_t i = 0; i < view.size(); ++i) {
    const bool chinese = IsChinese(view[i]);
    if (view[i] != U' ' && !chinese) continue;
    take(view.substr(begin, i - begin));
    if (chinese) take(view.substr(i, 1));
    begin = i + 1;
  }
  take(view.substr(begin));
  return words;
}

}  // namespace pawsight::engine
