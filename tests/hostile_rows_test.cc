// The table of tests/conformance/README.md names for every hostile row the tests that ask about it, those of
// docs/hostile-inputs.md their files: they exist.

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "source_tree.h"

namespace pawsight::house {
namespace {

/// "Suite.Name" of every test of the tree.
std::set<std::string> AllTests() {
  static const std::regex kTest(R"(\bTEST(_F|_P)?\((\w+),\s*(\w+)\))");
  std::set<std::string> tests;
  for (const SourceFile& file : ReadTree({"src", "tests"}, {".cc"})) {
    for (auto it = std::sregex_iterator(file.text.begin(), file.text.end(), kTest); it != std::sregex_iterator();
         ++it) {
      tests.insert((*it)[2].str() + "." + (*it)[3].str());
    }
  }
  return tests;
}

TEST(HostileRows, EachIsAskedAboutByTestsThatThereAre) {
  static const std::regex kName(R"(`([A-Z]\w+\.[A-Z]\w+)`)");
  const std::set<std::string> tests = AllTests();
  std::set<std::string> rows;
  for (const SourceFile& file : ReadTree({"tests/conformance/README.md"})) {
    for (const std::string& line : Lines(file.text)) {
      if (!line.starts_with("| B")) continue;
      const std::string row = line.substr(2, line.find(' ', 2) - 2);
      rows.insert(row);
      const std::sregex_iterator first(line.begin(), line.end(), kName);
      EXPECT_TRUE(first != std::sregex_iterator() || line.ends_with("| none |")) << row << " names no test";
      for (auto it = first; it != std::sregex_iterator(); ++it)
        EXPECT_EQ(tests.count((*it)[1]), 1U) << row << ": " << (*it)[1];
    }
  }
  EXPECT_EQ(rows.size(), 32U);
}

TEST(HostileRows, TheFilesThatTheDocumentNamesAreThereAndEveryRowNamesWhoHoldsToIt) {
  static const std::regex kFile(R"(`((?:src|tests)/[\w/]+\.cc)`)");
  std::set<std::string> files;
  for (const SourceFile& file : ReadTree({"src", "tests"}, {".cc"})) files.insert(file.path);
  size_t num_rows = 0;
  for (const SourceFile& document : ReadTree({"docs/hostile-inputs.md"})) {
    for (const std::string& line : Lines(document.text)) {
      for (auto it = std::sregex_iterator(line.begin(), line.end(), kFile); it != std::sregex_iterator(); ++it) {
        EXPECT_EQ(files.count((*it)[1]), 1U) << (*it)[1];
      }
      if (!line.starts_with("| ") || line.starts_with("| row |") || line.starts_with("| ---")) continue;
      ++num_rows;
      EXPECT_FALSE(line.ends_with("|  |") || line.ends_with("| |")) << line << " names no test";
    }
  }
  EXPECT_GE(num_rows, 90U);
}

}  // namespace
}  // namespace pawsight::house
