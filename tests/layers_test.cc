// Who may include whom: src/layers.txt, enforced on includes and on the libraries that CMake links.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "source_tree.h"

namespace pawsight::house {
namespace {

using Layers = std::map<std::string, std::set<std::string>>;

/// "folder: other other", '#' starts a comment; a folder may always include itself.
Layers ParseLayers(const std::string& text) {
  Layers layers;
  for (std::string line : Lines(text)) {
    line = line.substr(0, line.find('#'));
    const size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    std::istringstream words(line.substr(colon + 1));
    std::set<std::string>& may = layers[line.substr(0, colon)];
    for (std::string word; words >> word;) may.insert(word);
  }
  return layers;
}

Layers AllowedLayers() {
  const std::vector<SourceFile> files = ReadTree({"src/layers.txt"});
  return files.empty() ? Layers{} : ParseLayers(files[0].text);
}

std::string FirstPart(const std::string& path) { return path.substr(0, path.find('/')); }

/// One line a forbidden include: "src/net/http.cc:12 includes engine/blip.h, but net may include only base".
std::vector<std::string> ForbiddenIncludes(const SourceFile& file, const Layers& layers) {
  std::vector<std::string> found;
  const std::string folder = FolderOf(file.path);
  const auto row = layers.find(folder);
  for (const Include& include : Includes(file.text)) {
    const std::string other = FirstPart(include.name);
    if (include.name.find('/') == std::string::npos || other == folder || layers.count(other) == 0) continue;
    if (row != layers.end() && row->second.count(other) != 0) continue;
    found.push_back(file.path + ":" + std::to_string(include.line) + " includes " + include.name + ", which the row '" +
                    folder + ":' of src/layers.txt does not allow");
  }
  return found;
}

TEST(Layers, AnIncludeThatLooksUpIsFoundAndOneThatLooksDownIsNot) {
  const Layers layers = ParseLayers("# comment\nbase:\nnet: base\nengine: base kernels\nkernels: base  # why\n");
  EXPECT_THAT(ForbiddenIncludes({"src/net/x.cc", "#include \"base/json.h\"\n#include \"engine/blip.h\"\n"}, layers),
              ::testing::ElementsAre(::testing::HasSubstr("src/net/x.cc:2 includes engine/blip.h")));
  EXPECT_THAT(ForbiddenIncludes({"src/engine/x.h", "#include \"kernels/kernels.h\"\n#include <sys/stat.h>\n"}, layers),
              ::testing::IsEmpty());
  EXPECT_THAT(ForbiddenIncludes({"src/base/x.h", "#include \"net/http.h\"\n"}, layers), ::testing::SizeIs(1));
}

TEST(Layers, EveryIncludeIsAllowedBySrcLayersTxt) {
  const Layers layers = AllowedLayers();
  ASSERT_FALSE(layers.empty());
  const std::vector<SourceFile> files = ReadTree({"src"}, {".h", ".cc"});
  ASSERT_FALSE(files.empty());
  for (const SourceFile& file : files) {
    for (const std::string& fault : ForbiddenIncludes(file, layers)) ADD_FAILURE() << fault;
  }
}

TEST(Layers, EveryFolderHasARowAndTheRowsHaveNoCircle) {
  const Layers layers = AllowedLayers();
  for (const SourceFile& file : ReadTree({"src"}, {".h", ".cc"})) {
    EXPECT_EQ(layers.count(FolderOf(file.path)), 1U) << file.path << ": its folder has no row in src/layers.txt";
  }
  // Rows name only rows above them, so the file is an order from bottom to top.
  const std::vector<SourceFile> text = ReadTree({"src/layers.txt"});
  ASSERT_EQ(text.size(), 1U);
  std::set<std::string> above;
  for (const std::string& line : Lines(text[0].text)) {
    for (const auto& [folder, may] : ParseLayers(line)) {
      for (const std::string& other : may) EXPECT_EQ(above.count(other), 1U) << folder << " names " << other;
      above.insert(folder);
    }
  }
}

TEST(Layers, EveryFolderLinksOnlyWhatItMayInclude) {
  static const std::regex kCall(R"(pawsight_library\(\s*(\w+)([^)]*)\))");
  static const std::regex kDeps(R"(\bDEPS\s+((?:[a-z_]+\s*)*))");
  const Layers layers = AllowedLayers();
  for (const SourceFile& file : ReadTree({"src"}, {"CMakeLists.txt"})) {
    std::smatch call;
    if (!std::regex_search(file.text, call, kCall)) continue;
    const auto row = layers.find(call[1]);
    ASSERT_NE(row, layers.end()) << file.path << ": " << call[1] << " has no row in src/layers.txt";
    const std::string arguments = call[2];
    std::smatch deps;
    if (!std::regex_search(arguments, deps, kDeps)) continue;
    std::istringstream words(deps[1]);
    for (std::string word; words >> word;) {
      EXPECT_EQ(row->second.count(word), 1U) << file.path << ": DEPS names " << word << ", src/layers.txt does not";
    }
  }
}

TEST(Layers, OneFolderIsOneNamespace) {
  for (const SourceFile& file : ReadTree({"src"}, {".h", ".cc"})) {
    const std::string folder = FolderOf(file.path);
    if (IsTestCode(file.path)) continue;
    const std::string code = WithoutComments(file.text, Strings::kBlank);
    const std::string wanted = folder == "base" ? "namespace pawsight\\b" : "namespace pawsight::" + folder + "\\b";
    EXPECT_TRUE(std::regex_search(code, std::regex(wanted))) << file.path << ": wants " << wanted;
  }
}

}  // namespace
}  // namespace pawsight::house
