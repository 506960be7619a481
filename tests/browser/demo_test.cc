// What `pawsight demo` shows a stranger in a real browser: rooms that move, an alert and its delivery, another pool, a
// rule that is changed.
#include <gmock/gmock.h>

#include "page_fixture.h"

namespace pawsight::browser {
namespace {

using ::testing::HasSubstr;

/// What stands behind `before`, up to the line's end.
std::string LineAfter(const std::string& text, const std::string& before) {
  const size_t at = text.find(before);
  EXPECT_NE(at, std::string::npos) << before << " is not in " << text;
  if (at == std::string::npos) return "";
  const size_t start = at + before.size();
  return text.substr(start, text.find('\n', start) - start);
}

TEST_F(PageTest, TheDemoShowsRoomsAnAlertItsDeliveryAnotherPoolAndAChangedRule) {
  integration::RunningProgram demo({"demo", "--cameras", "2", "--listen", "127.0.0.1:0", "--json"});
  const std::string said = demo.WaitUntilSaid("Ctrl-C ends it.");
  const std::string link = LineAfter(said, "2 drawn rooms at ");
  const std::string admin_token = LineAfter(said, "the admin's token:\n  ");
  const std::string url = link.substr(0, link.find("/#"));
  ExpectRequestsTo(url + "/");
  ExpectRequestsTo("blob:" + url + "/");
  Tab tab(browser());
  tab.Open(link);
  ASSERT_TRUE(tab.Await(R"(one("#link").dataset.state === "live")"));
  for (const char* room : {"living room", "den"}) {
    ASSERT_TRUE(tab.Await("one('img', " + Card(room) + ").naturalWidth > 0"));
    tab.Ask("(window.before = one('img', " + Card(room) + ").src)");
    EXPECT_TRUE(tab.Await("one('img', " + Card(room) + ").src !== before")) << "it moves";
  }
  ASSERT_TRUE(tab.Await("all('.alert').length >= 1"));
  EXPECT_THAT(tab.AskText("text(one('.alert'))"), ::testing::ContainsRegex("living room|den"));
  EXPECT_TRUE(tab.Await("/this terminal\\s+webhook\\s+[1-9]\\d* delivered/.test(text(one('.receiver')))"));
  tab.Show("demo");

  for (const std::string pool : {"int8", "bf16"}) {
    const auto put = integration::CallApi(std::stoi(url.substr(url.rfind(':') + 1)), "PUT", "/v1/routing", admin_token,
                                          R"({"weights":{")" + pool + "\":1}}");
    ASSERT_THAT(put.first, HasSubstr(" 200 "));
    EXPECT_TRUE(tab.Await("all('figcaption').some((c) => text(c).includes('answered by " + pool + " in '))"));
  }

  tab.Ask(Button("Edit: Is there a person?") + ".focus()");  // an alert that comes now moves it from under a mouse
  tab.Press(Tab::kEnterKey);
  tab.Type("one('#rule-question')", "Is a person there?");
  tab.Send("one('#rule-expect')", "no");
  tab.Type("one('#rule-threshold')", "5");
  tab.Type("one('#rule-for')", "0");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#rule-dialog').open && shown(" + RuleLine("Is a person there?") + ")"));
  EXPECT_TRUE(
      tab.Await("/^no \\d+ %, alerts at 5 %$/.test(text(one('.sure', " + AlertLine("Is a person there?") + ")))"));
  tab.Show("demo-changed");
}

}  // namespace
}  // namespace pawsight::browser
