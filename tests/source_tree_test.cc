#include "source_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pawsight::house {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;

TEST(SourceTree, CommentsGoAndLiteralsThatLookLikeThemStay) {
  EXPECT_EQ(WithoutComments("int a; // b\nint c; /* d\n e */ int f;", Strings::kKeep),
            "int a;     \nint c;     \n      int f;");
  EXPECT_EQ(WithoutComments(R"(url = "http://x"; c = '"'; // y)", Strings::kKeep),
            R"(url = "http://x"; c = '"';     )");
  EXPECT_EQ(WithoutComments("R\"x(a // b \" )x\" + 1'000'000", Strings::kKeep), "R\"x(a // b \" )x\" + 1'000'000");
  EXPECT_EQ(WithoutComments(R"(f("a\"{b", '{'))", Strings::kBlank), R"(f("     ", ' '))");
}

TEST(SourceTree, AnIncludeIsFoundWithItsKindAndLineButNotInAComment) {
  EXPECT_THAT(Includes("#include <vector>\n// #include \"net/http.h\"\n  #  include \"base/json.h\"  // why\n"),
              ElementsAre(FieldsAre("vector", true, 1), FieldsAre("base/json.h", false, 3)));
}

TEST(SourceTree, AFunctionsLengthLeavesOutCommentsAndBlankLines) {
  EXPECT_THAT(
      Functions(
          "namespace a {\n\n// About it.\nint Add(int x,\n        int y) {\n  // Why.\n\n  return x + y;\n}\n}\n"),
      ElementsAre(FieldsAre("Add", 4, 4)));
}

TEST(SourceTree, MethodsConstructorsOperatorsAndTestsAreFunctions) {
  EXPECT_THAT(Functions(R"(
class CAPABILITY("mutex") Box : public Base {
 public:
  explicit Box(int size) : size_{size}, name_("{") {
    Fill();
  }
  int size() const { return size_; }
  bool operator()(int a) const noexcept { return a < size_; }
 private:
  std::vector<int> v_ = {1, 2};
  int size_{0};
};
Box::Box() : size_{1} {}
TEST(Box, IsEmpty) {
  auto f = [](int x) { return x; };
}
)"),
              ElementsAre(FieldsAre("Box", 4, 3), FieldsAre("size", 7, 1), FieldsAre("operator()", 8, 1),
                          FieldsAre("Box::Box", 13, 1), FieldsAre("TEST(Box, IsEmpty)", 14, 3)));
}

TEST(SourceTree, TablesTypesAndDirectivesAreNotFunctions) {
  EXPECT_THAT(Functions(R"(
#define WHILE(x) do { x; } \
  while (false)
extern "C" {
constexpr Row kRows[] = {{"a", F(1)}, {"b", F(2)}};
enum class Color { kRed };
template <typename T>
struct Pair { T a; T b; };
template <typename T>
T Twice(T x) { return x + x; }
}
)"),
              ElementsAre(FieldsAre("Twice", 9, 2)));
}

}  // namespace
}  // namespace pawsight::house
