#include "source_tree.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <regex>

#include "base/files.h"

namespace pawsight::house {
namespace {

namespace fs = std::filesystem;
constexpr size_t kMaxFileBytes = 64U << 20U;

bool EndsWithOneOf(std::string_view name, const std::vector<std::string>& suffixes) {
  return suffixes.empty() || std::any_of(suffixes.begin(), suffixes.end(),
                                         [&](const std::string& suffix) { return name.ends_with(suffix); });
}

void AddFile(const fs::path& path, std::vector<SourceFile>& files) {
  Result<std::string> text = ReadTextFile(path.string(), kMaxFileBytes);
  if (!text.ok()) {
    ADD_FAILURE() << path << ": " << text.status().message();
    return;
  }
  files.push_back({fs::relative(path, PAWSIGHT_SOURCE_DIR).generic_string(), std::move(text).value()});
}

/// The position after the literal that starts at `at` (a quote, or the R of a raw string).
size_t LiteralEnd(std::string_view text, size_t at) {
  if (text[at] == 'R') {
    const size_t open = text.find('(', at);
    if (open == std::string_view::npos) return text.size();
    const std::string close = ")" + std::string(text.substr(at + 2, open - at - 2)) + "\"";
    const size_t end = text.find(close, open);
    return end == std::string_view::npos ? text.size() : end + close.size();
  }
  size_t end = at + 1;
  while (end < text.size() && text[end] != text[at] && text[end] != '\n') end += text[end] == '\\' ? 2 : 1;
  return std::min(end + 1, text.size());
}

size_t CommentEnd(std::string_view text, size_t at) {
  const bool line = text[at + 1] == '/';
  const size_t end = text.find(line ? "\n" : "*/", at + 2);
  if (end == std::string_view::npos) return text.size();
  return line ? end : end + 2;
}

bool IsWordCharacter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool StartsLiteral(std::string_view text, size_t at) {
  const bool after_word = at > 0 && IsWordCharacter(text[at - 1]);
  if (text[at] == '"') return true;
  if (text[at] == '\'') return !after_word || text[at - 1] == 'L' || text[at - 1] == 'u' || text[at - 1] == 'U';
  return text[at] == 'R' && at + 1 < text.size() && text[at + 1] == '"' && !after_word;
}

void Blank(std::string& text, size_t from, size_t to) {
  for (size_t i = from; i < to && i < text.size(); ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

/// Preprocessor lines hold braces that do not pair up.
void BlankDirectives(std::string& text) {
  for (size_t start = 0; start < text.size();) {
    size_t end = std::min(text.find('\n', start), text.size());
    const size_t first = text.find_first_not_of(" \t", start);
    if (first < end && text[first] == '#') {
      while (end < text.size() && text[end - 1] == '\\') end = std::min(text.find('\n', end + 1), text.size());
      Blank(text, start, end);
    }
    start = end + 1;
  }
}

enum class Scope { kNamespace, kType, kFunction, kOther };

/// What the brace after `head` opens, where `head` is the text since the last statement at namespace or class scope.
Scope ScopeOf(const std::string& head) {
  static const std::regex kPrefix(R"(^\s*(template\s*<[^{]*?>(?=\s*(class|struct|union|requires)\b)|typedef|static|)"
                                  R"(inline|constexpr|const)\s*)");
  std::string rest = head;
  for (std::smatch match; std::regex_search(rest, match, kPrefix);) rest = match.suffix();
  static const std::regex kNamespaceHead(R"(^\s*((inline\s+)?namespace\b|extern\s+"\s*"\s*$))");
  static const std::regex kTypeHead(R"(^\s*(class|struct|union|enum)\b)");
  if (std::regex_search(rest, kNamespaceHead)) return Scope::kNamespace;
  if (std::regex_search(rest, kTypeHead)) return Scope::kType;
  if (rest.find('(') == std::string::npos) return Scope::kOther;
  // `Queue::Queue(int limit) : limit_{limit}, ...`: a member's initialiser, the body is yet to come.
  static const std::regex kMemberInitialiser(R"(\)\s*(noexcept\s*)?:(?!:)[^]*[\w>]\s*$)");
  return std::regex_search(rest, kMemberInitialiser) ? Scope::kOther : Scope::kFunction;
}

/// What stands before a ':' that starts a section of a class.
bool IsAccessSpecifier(std::string_view head) {
  const size_t first = head.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  head.remove_prefix(first);
  return head == "public" || head == "private" || head == "protected";
}

std::string FunctionName(const std::string& head) {
  static const std::regex kTest(R"((TEST|TEST_F|TEST_P|TYPED_TEST|BENCHMARK\w*)\s*\([^)]*\))");
  static const std::regex kCall(R"(((?:[\w~]+::)*(?:operator\s*[^\s(]+|operator\(\)|[\w~]+))\s*\()");
  std::smatch match;
  if (std::regex_search(head, match, kTest)) return std::regex_replace(match.str(), std::regex(R"(\s+)"), " ");
  for (auto it = std::sregex_iterator(head.begin(), head.end(), kCall); it != std::sregex_iterator(); ++it) {
    static const std::regex kNotAName("alignas|__attribute__|decltype|noexcept|explicit|requires");
    if (!std::regex_match((*it)[1].str(), kNotAName)) return (*it)[1];
  }
  return "?";
}

int CodeLines(std::string_view text) {
  const std::vector<std::string> lines = Lines(text);
  return static_cast<int>(std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find_first_not_of(" \t\r") != std::string::npos;
  }));
}

}  // namespace

std::vector<SourceFile> ReadTree(const std::vector<std::string>& roots, const std::vector<std::string>& suffixes) {
  std::vector<SourceFile> files;
  for (const std::string& root : roots) {
    const fs::path top = fs::path(PAWSIGHT_SOURCE_DIR) / root;
    if (fs::is_regular_file(top)) AddFile(top, files);
    if (!fs::is_directory(top)) continue;
    for (auto it = fs::recursive_directory_iterator(top); it != fs::recursive_directory_iterator(); ++it) {
      const std::string name = it->path().filename().string();
      if (it->is_directory() && (name.starts_with(".") || name == "__pycache__")) it.disable_recursion_pending();
      if (it->is_regular_file() && EndsWithOneOf(name, suffixes)) AddFile(it->path(), files);
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::string FolderOf(std::string_view path) {
  if (!path.starts_with("src/")) return "";
  path.remove_prefix(4);
  const size_t slash = path.find('/');
  return slash == std::string_view::npos ? "" : std::string(path.substr(0, slash));
}

bool IsHeader(std::string_view path) { return path.ends_with(".h"); }

bool IsTestCode(std::string_view path) {
  return path.ends_with("_test.cc") || path.ends_with("_bench.cc") || path.ends_with("_fuzz.cc") ||
         path.starts_with("tests/");
}

std::string WithoutComments(std::string_view text, Strings strings) {
  std::string code(text);
  for (size_t i = 0; i < text.size();) {
    if (text.substr(i, 2) == "//" || text.substr(i, 2) == "/*") {
      const size_t end = CommentEnd(text, i);
      Blank(code, i, end);
      i = end;
    } else if (StartsLiteral(text, i)) {
      const size_t end = LiteralEnd(text, i);
      // The quotes stay, so that `extern "C" {` is still told from a function.
      if (strings == Strings::kBlank && end > i + 1) Blank(code, i + 1, end - 1);
      i = end;
    } else {
      ++i;
    }
  }
  return code;
}

std::vector<Include> Includes(std::string_view text) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> includes;
  int number = 0;
  for (const std::string& line : Lines(WithoutComments(text, Strings::kKeep))) {
    ++number;
    std::smatch match;
    if (std::regex_search(line, match, kInclude)) includes.push_back({match[2], match[1] == "<", number});
  }
  return includes;
}

std::vector<Function> Functions(std::string_view text) {
  struct Open {
    Scope scope;
    size_t head;
    int parentheses;
  };
  std::string code = WithoutComments(text, Strings::kBlank);
  BlankDirectives(code);
  std::vector<Function> functions;
  std::vector<Open> open;
  size_t head = 0;
  int parentheses = 0;
  for (size_t i = 0; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '(') ++parentheses;
    if (c == ')') --parentheses;
    if (c == ';' && parentheses == 0) head = i + 1;
    if (c == ':' && IsAccessSpecifier(std::string_view(code).substr(head, i - head))) head = i + 1;
    if (c == '{') {
      const bool outside = open.empty() || open.back().scope == Scope::kNamespace || open.back().scope == Scope::kType;
      const Scope scope = outside && parentheses == 0 ? ScopeOf(code.substr(head, i - head)) : Scope::kOther;
      open.push_back({scope, head, parentheses});
      parentheses = 0;
      head = scope == Scope::kOther ? head : i + 1;
    }
    if (c != '}' || open.empty()) continue;
    const Open closed = open.back();
    open.pop_back();
    parentheses = closed.parentheses;
    if (closed.scope == Scope::kFunction) {
      const size_t first = code.find_first_not_of(" \t\r\n", closed.head);
      const std::string_view body = std::string_view(code).substr(first, i + 1 - first);
      const size_t brace = body.find('{');
      const auto line = std::count(code.begin(), code.begin() + static_cast<std::ptrdiff_t>(first), '\n');
      functions.push_back(
          {FunctionName(std::string(text.substr(first, brace))), static_cast<int>(line) + 1, CodeLines(body)});
    }
    if (closed.scope != Scope::kOther) head = i + 1;
  }
  return functions;
}

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    lines.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

}  // namespace pawsight::house
