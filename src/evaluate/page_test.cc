#include "evaluate/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pawsight::evaluate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string PageOf(const std::vector<Observed>& sets) {
  std::vector<Tally> tallies;
  for (const Observed& set : sets) tallies.push_back(MakeTally(set));
  return MakePage({.model = "a <model>",
                   .when = "today",
                   .calibrated = true,
                   .unsure = engine::UnsureBand{0.4, 0.6},
                   .sets = &sets,
                   .tallies = &tallies});
}

Observed SomeSet(bool private_pictures) {
  Observed set{"pack", private_pictures, {}, {{"v<0>", "kind&", {0xFF, 0xD8}}}};
  set.observations.push_back({.question = "Is \"it\" <b>?",
                              .truth = "no",
                              .family = "<i>",
                              .answer = "yes",
                              .yes_no = true,
                              .margin = 2.0,
                              .p_yes = 0.88,
                              .p = 0.88});
  set.observations.push_back({.question = "What?", .truth = "<couch>", .family = "w", .answer = "<bed>", .p = 0.5});
  return set;
}

TEST(Page, EscapesAllTextAndLoadsNothingFromOutside) {
  const std::string page = PageOf({SomeSet(true)});
  EXPECT_THAT(page,
              AllOf(HasSubstr("a &lt;model&gt;"), HasSubstr("Is &quot;it&quot; &lt;b&gt;?"), HasSubstr("&lt;couch&gt;"),
                    HasSubstr("&lt;bed&gt;"), HasSubstr("v&lt;0&gt;"), HasSubstr("kind&amp;")));
  for (const char* outside : {"<script", "http://", "https://", "<b>?", "<couch>", "<link", "url("}) {
    EXPECT_THAT(page, Not(HasSubstr(outside))) << outside;
  }
  EXPECT_THAT(page, AllOf(HasSubstr("data:image/jpeg;base64,/9g="), HasSubstr("p_yes 0.88"), HasSubstr("<svg")));
}

TEST(Page, SaysFirstWhenPicturesOfOthersAreInIt) {
  EXPECT_THAT(PageOf({SomeSet(true)}), HasSubstr("must not be published"));
  EXPECT_THAT(PageOf({SomeSet(false)}), Not(HasSubstr("must not be published")));
}

TEST(Page, ASetWithoutPicturesOrAnswersIsStillAPage) {
  Observed empty{"pack", false, {}, {}};
  EXPECT_THAT(PageOf({empty}), HasSubstr("</html>"));
  EXPECT_THAT(PageOf({}), HasSubstr("</html>"));
}

}  // namespace
}  // namespace pawsight::evaluate
