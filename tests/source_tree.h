// tests/source_tree.h: the repository's own files as the tests of tests/ read them, and just enough C++ to tell code
// from comments and to find functions. A reader of our own style, not of all C++. Pure functions but for ReadTree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pawsight::house {

struct SourceFile {
  std::string path;  // relative to the repository's top: "src/base/json.cc"
  std::string text;
};

/// Every regular file under the given folders of the repository (or the given single files), sorted by path; hidden
/// folders and __pycache__ are left out. With `suffixes`, only names that end in one of them.
/// A folder that does not exist counts as empty; a file that cannot be read fails the running test.
std::vector<SourceFile> ReadTree(const std::vector<std::string>& roots, const std::vector<std::string>& suffixes = {});

/// "base" for "src/base/json.cc", "kernels" for "src/kernels/avx2/gemm.cc", "" for what is not under src/.
std::string FolderOf(std::string_view path);

bool IsHeader(std::string_view path);
/// Names that end in _test.cc, _bench.cc or _fuzz.cc, and what lies under tests/.
bool IsTestCode(std::string_view path);

/// The text with comments turned into spaces, line by line the same length. `strings` says whether the contents of
/// string and character literals go too.
enum class Strings { kKeep, kBlank };
std::string WithoutComments(std::string_view text, Strings strings);

struct Include {
  std::string name;  // base/json.h
  bool angled = false;
  int line = 0;  // from 1
};
std::vector<Include> Includes(std::string_view text);

struct Function {
  std::string name;  // as written: "Json::Dump", "TEST(Json, AValueSurvives)"
  int line = 0;      // where its signature starts, from 1
  int lines = 0;     // from signature to closing brace, without blank lines and comments
};
/// Functions with a body at namespace or class scope; a lambda belongs to the function it stands in.
std::vector<Function> Functions(std::string_view text);

std::vector<std::string> Lines(std::string_view text);

}  // namespace pawsight::house
