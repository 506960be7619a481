// The limits of the style page: lengths, names, what may stand where. Exceptions are in tests/tidiness_exceptions.txt,
// which may only shrink: an exception that is larger than needed, or not needed, fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "source_tree.h"

namespace pawsight::house {
namespace {

constexpr int kMaxFileLines = 600;
constexpr int kMaxFunctionLines = 70;

/// What of the tree is ours to keep tidy; third-party code is not in the repository.
const std::vector<std::string> kCodeFolders = {"src", "apps", "tests", "bench"};
const std::vector<std::string> kTextRoots = {"src",
                                             "apps",
                                             "tests",
                                             "bench",
                                             "scripts",
                                             "packaging",
                                             "docs",
                                             "cmake",
                                             "training",
                                             "run",
                                             ".ci/run",
                                             "README.md",
                                             "CONTRIBUTING.md",
                                             "ARCHITECTURE.md",
                                             "SECURITY.md",
                                             "CHANGELOG.md",
                                             "CMakeLists.txt",
                                             "CMakePresets.json"};
const std::vector<std::string> kTextSuffixes = {".h",  ".cc", ".txt",  ".md", ".sh",  ".py",   ".cmake",
                                                "run", ".ts", ".html", ".js", ".css", ".json", "Containerfile"};

/// "file PATH" or "function PATH NAME" to its lines of code, "processor PATH" to its lines that ask for one.
using Lengths = std::map<std::string, int>;

int LimitOf(const std::string& what) {
  return what.starts_with("file ") ? kMaxFileLines : what.starts_with("function ") ? kMaxFunctionLines : 0;
}

/// `kinds`: "file", "function", "processor".
Lengths ReadExceptions(const std::set<std::string>& kinds) {
  Lengths exceptions;
  for (const SourceFile& file : ReadTree({"tests/tidiness_exceptions.txt"})) {
    for (const std::string& line : Lines(file.text)) {
      const size_t space = line.rfind(' ');
      if (line.empty() || space == std::string::npos || kinds.count(line.substr(0, line.find(' '))) == 0) continue;
      exceptions[line.substr(0, space)] = std::stoi(line.substr(space + 1));
    }
  }
  return exceptions;
}

/// What is over a limit and not excepted, and what is excepted without need.
std::vector<std::string> Faults(const Lengths& too_long, const Lengths& exceptions) {
  std::vector<std::string> faults;
  for (const auto& [what, lines] : too_long) {
    const auto exception = exceptions.find(what);
    if (exception != exceptions.end() && exception->second >= lines) continue;
    faults.push_back(what + ": " + std::to_string(lines) + " lines; the limit is " + std::to_string(LimitOf(what)));
  }
  for (const auto& [what, lines] : exceptions) {
    const auto needed = too_long.find(what);
    if (needed != too_long.end() && needed->second >= lines) continue;
    faults.push_back("tests/tidiness_exceptions.txt: '" + what + " " + std::to_string(lines) + "' " +
                     (needed == too_long.end() ? "is no longer needed, remove it"
                                               : "can shrink to " + std::to_string(needed->second)));
  }
  return faults;
}

Lengths TooLong(const std::vector<SourceFile>& files) {
  Lengths too_long;
  for (const SourceFile& file : files) {
    const int lines = static_cast<int>(Lines(file.text).size());
    if (lines > kMaxFileLines) too_long["file " + file.path] = lines;
    for (const Function& function : Functions(file.text)) {
      if (function.lines > kMaxFunctionLines) too_long["function " + file.path + " " + function.name] = function.lines;
    }
  }
  return too_long;
}

TEST(Tidiness, AnExceptionMayOnlyShrink) {
  const Lengths too_long = {{"function src/a.cc Long", 90}};
  EXPECT_THAT(Faults(too_long, {}), ::testing::ElementsAre("function src/a.cc Long: 90 lines; the limit is 70"));
  EXPECT_THAT(Faults(too_long, {{"function src/a.cc Long", 90}}), ::testing::IsEmpty());
  EXPECT_THAT(Faults(too_long, {{"function src/a.cc Long", 89}}), ::testing::SizeIs(1));
  EXPECT_THAT(Faults(too_long, {{"function src/a.cc Long", 95}}),
              ::testing::ElementsAre(::testing::HasSubstr("can shrink to 90")));
  EXPECT_THAT(Faults({}, {{"file src/b.cc", 700}}), ::testing::ElementsAre(::testing::HasSubstr("no longer needed")));
}

TEST(Tidiness, FilesAndFunctionsAreShort) {
  const std::vector<SourceFile> files = ReadTree(kCodeFolders, {".h", ".cc"});
  ASSERT_FALSE(files.empty());
  for (const std::string& fault : Faults(TooLong(files), ReadExceptions({"file", "function"}))) ADD_FAILURE() << fault;
}

TEST(Tidiness, NoFileOrFolderHasANameThatSaysNothing) {
  static const std::regex kEmptyName(R"((^|[/_.-])(utils?|common|helpers?|misc|core|manager)([/_.-]|$))");
  for (const SourceFile& file :
       ReadTree({"src", "apps", "tests", "bench", "scripts", "packaging", "docs", "cmake", "training"})) {
    EXPECT_FALSE(std::regex_search(file.path, kEmptyName)) << file.path;
  }
}

TEST(Tidiness, FileNamesAreSnakeCaseAndCppEndsInHOrCc) {
  static const std::regex kName(R"((.*/)?[a-z0-9_]+\.(h|cc|inc))");
  for (const SourceFile& file : ReadTree(kCodeFolders, {".h", ".cc", ".hpp", ".cpp", ".cxx", ".c"})) {
    EXPECT_TRUE(std::regex_match(file.path, kName)) << file.path;
  }
}

/// Names of files in all CMakeLists.txt of these folders, without their own folders.
std::set<std::string> NamedInCMake(const std::vector<std::string>& roots) {
  static const std::regex kFile(R"([\w.]+\.cc\b)");
  std::set<std::string> names;
  for (const SourceFile& file : ReadTree(roots, {"CMakeLists.txt"})) {
    for (auto it = std::sregex_iterator(file.text.begin(), file.text.end(), kFile); it != std::sregex_iterator();
         ++it) {
      names.insert(it->str());
    }
  }
  return names;
}

// Under src/ and apps/ whatever is there is built; here a merge once lost a line, and nobody missed the tests.
TEST(Tidiness, WhatIsWrittenForAProgramOfTestsOrBenchmarksIsBuilt) {
  const std::vector<std::string> folders = {"tests", "bench"};
  const std::set<std::string> named = NamedInCMake(folders);
  for (const SourceFile& file : ReadTree(folders, {".cc"})) {
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    EXPECT_EQ(named.count(name), 1U) << file.path << " is named in no CMakeLists.txt";
  }
}

TEST(Tidiness, AWordThatMarksUnfinishedWorkNamesItsIssue) {
  // Put together here, so that this file does not hold them.
  const std::regex word(std::string(R"(\b()") + "TO" + "DO|FIX" + "ME|X" + R"(XX|HA)" + R"(CK)\b(?!\(#\d+\)))");
  for (const SourceFile& file : ReadTree(kTextRoots, kTextSuffixes)) {
    if (file.path.find("vocab") != std::string::npos || file.path.starts_with("tests/golden/")) continue;
    std::smatch match;
    EXPECT_FALSE(std::regex_search(file.text, match, word)) << file.path << ": " << match.str();
  }
}

TEST(Tidiness, HeadersStartWithTheirPathAndPragmaOnce) {
  for (const SourceFile& file : ReadTree({"src"}, {".h"})) {
    const std::string own = file.path.substr(4);
    EXPECT_TRUE(file.text.starts_with("// " + own + ": "))
        << file.path << " starts with what it is for: // " << own << ": ...";
    EXPECT_NE(file.text.find("\n#pragma once\n"), std::string::npos) << file.path;
  }
}

/// The C++ standard library, C and POSIX headers, and the processor's.
bool IsSystemHeader(const std::string& name) {
  static const std::set<std::string> kOthers = {
      "unistd.h",  "fcntl.h", "immintrin.h", "signal.h", "poll.h",   "dirent.h", "spawn.h",
      "pthread.h", "sched.h", "netdb.h",     "fenv.h",   "cpuid.h",  "dlfcn.h",  "setjmp.h",
      "termios.h", "errno.h", "string.h",    "stdio.h",  "stdlib.h", "time.h",   "malloc.h"};
  if (name.find('.') == std::string::npos && name.find('/') == std::string::npos) return true;
  return kOthers.count(name) != 0 || name.starts_with("sys/") || name.starts_with("netinet/") ||
         name.starts_with("arpa/") || name.starts_with("linux/");
}

TEST(Tidiness, NoHeaderIncludesAThirdPartysHeader) {
  for (const SourceFile& file : ReadTree({"src", "apps"}, {".h"})) {
    if (file.path.ends_with("/testing.h")) continue;  // what a folder's tests share; GoogleTest is their home
    for (const Include& include : Includes(file.text)) {
      EXPECT_TRUE(!include.angled || IsSystemHeader(include.name))
          << file.path << ":" << include.line << " includes <" << include.name << ">; it belongs in a .cc file";
    }
  }
}

/// One row of the table in docs/DEPENDENCIES.md: package, home folders, what its includes start with.
struct Dependency {
  std::string package;
  std::set<std::string> homes;
  std::vector<std::string> includes;
};

std::vector<std::string> InBackticks(const std::string& cell) {
  static const std::regex kTick("`([^`]+)`");
  std::vector<std::string> words;
  for (auto it = std::sregex_iterator(cell.begin(), cell.end(), kTick); it != std::sregex_iterator(); ++it) {
    words.push_back((*it)[1]);
  }
  return words;
}

/// Rows "| `package` | `home`, ... | `include/`, ... | what for | how to leave |".
std::vector<Dependency> ReadDependencies() {
  std::vector<Dependency> dependencies;
  for (const SourceFile& file : ReadTree({"docs/DEPENDENCIES.md"})) {
    for (const std::string& line : Lines(file.text)) {
      if (!line.starts_with("| `")) continue;
      std::vector<std::string> cells;
      std::istringstream row(line.substr(1));
      for (std::string cell; std::getline(row, cell, '|');) cells.push_back(cell);
      if (cells.size() < 3) continue;
      const std::vector<std::string> homes = InBackticks(cells[1]);
      dependencies.push_back({InBackticks(cells[0])[0], {homes.begin(), homes.end()}, InBackticks(cells[2])});
    }
  }
  return dependencies;
}

const Dependency* DependencyOf(const std::string& include, const std::vector<Dependency>& dependencies) {
  for (const Dependency& dependency : dependencies) {
    for (const std::string& start : dependency.includes) {
      if (include.starts_with(start)) return &dependency;
    }
  }
  return nullptr;
}

TEST(Tidiness, ADependencyStaysInItsHomeFolder) {
  const std::vector<Dependency> dependencies = ReadDependencies();
  ASSERT_FALSE(dependencies.empty());
  for (const SourceFile& file : ReadTree({"src", "apps", "tests", "bench"}, {".cc"})) {
    const std::string top = file.path.substr(0, file.path.find('/'));
    const std::string folder = FolderOf(file.path);
    const std::string home = IsTestCode(file.path) ? "tests" : folder.empty() ? top : folder;
    for (const Include& include : Includes(file.text)) {
      if (!include.angled || IsSystemHeader(include.name)) continue;
      const Dependency* dependency = DependencyOf(include.name, dependencies);
      ASSERT_NE(dependency, nullptr) << file.path << " includes <" << include.name
                                     << ">: no row of docs/DEPENDENCIES.md";
      EXPECT_TRUE(dependency->homes.count(home) != 0 || dependency->homes.count(folder) != 0)
          << file.path << ":" << include.line << " includes <" << include.name << ">, whose home is elsewhere";
    }
  }
}

TEST(Tidiness, EveryPackageIsExplainedAndEveryExplainedPackageIsListed) {
  std::set<std::string> listed;
  for (const SourceFile& file : ReadTree({"packaging/apt"}, {".txt"})) {
    for (const std::string& line : Lines(file.text)) {
      std::istringstream words(line.substr(0, line.find('#')));
      if (std::string first; words >> first) listed.insert(first);
    }
  }
  std::set<std::string> explained;
  for (const Dependency& dependency : ReadDependencies()) explained.insert(dependency.package);
  EXPECT_EQ(listed, explained) << "packaging/apt/*.txt and the tables of docs/DEPENDENCIES.md differ";
}

TEST(Tidiness, OnlyKernelsKnowsTheProcessor) {
  static const std::regex kProcessor(
      R"(__AVX|__SSE|__AMX|__x86_64|__i386|__aarch64|__ARM_|__builtin_cpu_|\b_mm\d*_|immintrin|\btarget(_clones)?\(")");
  Lengths asking;
  for (const SourceFile& file : ReadTree({"src", "apps"}, {".h", ".cc"})) {
    if (FolderOf(file.path) == "kernels") continue;
    for (const std::string& line : Lines(WithoutComments(file.text, Strings::kKeep))) {
      if (std::regex_search(line, kProcessor)) ++asking["processor " + file.path];
    }
  }
  for (const std::string& fault : Faults(asking, ReadExceptions({"processor"}))) ADD_FAILURE() << fault;
}

TEST(Tidiness, NoTextNamesADirectoryOfThisMachine) {
  const std::string top = PAWSIGHT_SOURCE_DIR;
  const std::string beside = top.substr(0, top.rfind('/')) + "/shared";
  // Paths of one step ("/src") are parts of others.
  const auto telling = [](const std::string& path) { return std::count(path.begin(), path.end(), '/') >= 2; };
  static const std::regex kHome(R"((^|[\s"'=`(:])/(home/[a-z]|root/))");
  for (const SourceFile& file : ReadTree(kTextRoots, kTextSuffixes)) {
    EXPECT_FALSE(telling(top) && file.text.find(top + "/") != std::string::npos) << file.path << " holds " << top;
    EXPECT_FALSE(telling(beside) && file.text.find(beside) != std::string::npos) << file.path << " holds " << beside;
    std::smatch match;
    EXPECT_FALSE(std::regex_search(file.text, match, kHome)) << file.path << ": " << match.str();
  }
}

}  // namespace
}  // namespace pawsight::house
