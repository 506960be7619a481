// The reports that are files, in a real browser: `pawsight stress --out` and `pawsight model score --report`. A file
// asks for nothing, runs nothing, and is read on a telephone as at a desk, light and dark.
#include <gmock/gmock.h>

#include "page_fixture.h"

namespace pawsight::browser {
namespace {

using integration::Ended;

/// A report of a program that has ended well, opened; `charts` are what it must have.
void ExpectReadable(Tab& tab, const std::string& file, const std::string& name, const std::string& charts) {
  tab.Open("file://" + file);
  EXPECT_EQ(tab.AskText("document.title !== '' && document.querySelectorAll('h1').length === 1"), "true");
  tab.SetDark(false);
  const std::string ground = "getComputedStyle(document.body).backgroundColor";
  const std::string light = tab.AskText(ground);
  tab.SetDark(true);
  EXPECT_NE(tab.AskText(ground), light) << "dark where the reader wants it";
  EXPECT_EQ(tab.AskText("document.querySelectorAll('script, link, iframe, [onload], [onerror]').length"), "0");
  for (const int width : {390, 1280}) {
    tab.SetWidth(width);
    for (const bool dark : {false, true}) {
      tab.SetDark(dark);
      const std::string where = name + " " + std::to_string(width) + (dark ? " dark" : " light");
      EXPECT_EQ(Overflow(tab), "") << where;
      EXPECT_EQ(LowContrast(tab), "") << where;
      EXPECT_EQ(tab.AskText("all('" + charts +
                            "').filter((c) => c.getBoundingClientRect().width > 100 && "
                            "c.getBoundingClientRect().height > 50).length > 0"),
                "true")
          << where;
      tab.Show(name + "-" + std::to_string(width) + (dark ? "-dark" : "-light"));
    }
  }
}

TEST_F(PageTest, AReportOfStressIsReadOnATelephoneAndADeskLightAndDark) {
  const integration::TempFolder folder;
  const Ended ended = integration::RunProgram({"stress", "--grid", "server=1 client=1,2", "--timeout", "60s",
                                               "--duration", "1s", "--warmup", "50ms", "--slo", "p99=9s", "--out",
                                               folder.Path("out"), "--price-per-hour", "0.5"});
  // 1: on a machine that does much else its advice may not hold; the report says so.
  ASSERT_THAT(ended.code, ::testing::AnyOf(0, 1)) << ended.err;
  ExpectRequestsTo("file://" + folder.Path("out"));
  Tab tab(browser());
  ExpectReadable(tab, folder.Path("out/report.html"), "stress", "svg");
}

TEST_F(PageTest, AReportOfAModelsScoreIsReadOnATelephoneAndADeskLightAndDark) {
  const integration::TempFolder folder;
  const Ended ended =
      integration::RunProgram({"model", "score", "--drawn", "3", "--report", folder.Path("score.html")});
  ASSERT_EQ(ended.code, 0) << ended.err;
  ExpectRequestsTo("file://" + folder.Path("score.html"));
  ExpectRequestsTo("data:image/jpeg;base64,");
  Tab tab(browser());
  ExpectReadable(tab, folder.Path("score.html"), "score", "svg");
  tab.Ask("(all('img').forEach((i) => { i.loading = 'eager'; }), true)");
  EXPECT_TRUE(tab.Await("all('img').length > 0 && all('img').every((i) => i.naturalWidth > 0)"));
}

}  // namespace
}  // namespace pawsight::browser
