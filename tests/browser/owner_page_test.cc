// What an owner does on the page: looks at cameras, answers and alerts, asks why, makes, changes and deletes a rule,
// sees who was told and who answers.
#include <gmock/gmock.h>

#include "page_fixture.h"

namespace pawsight::browser {
namespace {

using integration::Text;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(PageTest, ATokenThatIsTypedOpensCamerasAnswersAndAnAlertWithItsReasons) {
  const Household home = MakeHousehold("typed", "living room");
  MakeRulesThatFire(home);
  Tab tab(browser());
  tab.Open(gateway().url());
  ASSERT_TRUE(tab.Await(R"(shown(one("#door")) && !shown(one("#side")))"));
  tab.Show("door");
  tab.Type(R"(one("#token"))", home.token);
  tab.Press(Tab::kEnterKey);
  ASSERT_TRUE(tab.Await(R"(one("#link").dataset.state === "live")"));
  EXPECT_TRUE(tab.Await("text(one('figcaption', " + Card("living room") + ")) === 'no frame yet'"));
  EXPECT_TRUE(tab.Await(R"(shown(one("#no-alerts")) && !shown(one("#door")))"));

  const Json result = SendRoom(home, 1);
  ASSERT_FALSE(result.Find("alerts")->as_array().empty()) << result.Dump();
  ASSERT_TRUE(tab.Await("one('img', " + Card("living room") + ").naturalWidth === 320"));
  ASSERT_TRUE(
      tab.Await("all('.answer .number', " + Card("living room") + ").some((n) => /^(yes|no) \\d+ %$/.test(text(n)))"));
  EXPECT_TRUE(tab.Await("one('.chart', " + Card("living room") + ").getBoundingClientRect().height > 20"));
  EXPECT_TRUE(tab.Await("all('.chart .line', " + Card("living room") + ").every((line) => line.getAttribute('d'))"));
  EXPECT_TRUE(tab.Await("/answered by \\S+ in \\d+ ms$/.test(text(one('figcaption', " + Card("living room") + ")))"));
  const std::string asked = Text(Items("/v1/alerts", home.token).at(0), "rule");
  const std::string question = Text(gateway().Get("/v1/rules/" + asked, home.token), "question");
  ASSERT_TRUE(tab.Await("text(" + AlertLine(question) + ").includes('living room')"));
  EXPECT_TRUE(tab.Await("/^(yes|no) \\d+ %, alerts at 1 %$/.test(text(one('.sure', " + AlertLine(question) + ")))"));
  const std::string num_firing = std::to_string(Items("/v1/alerts", home.token).size());  // none is over: clear_s
  EXPECT_TRUE(tab.Await("document.title === '(" + num_firing + ") Pawsight'"));
  EXPECT_TRUE(tab.Await(Card("living room") + ".classList.contains('firing')"));

  tab.Click(Button("Why this alert? " + question));
  ASSERT_TRUE(tab.Await(R"(one("#why-dialog").open && all("#why-newest tr.firing").length === 1)"));
  EXPECT_EQ(tab.AskText("text(one('#why-title'))"), question);
  EXPECT_THAT(tab.AskText("text(one('#why-newest'))"), HasSubstr("living room"));
  EXPECT_TRUE(tab.Await("text(one('#why-counts')).replace(/\\s+/g, ' ') === '1 alert'"));
  tab.Show("why");
  tab.Click(Button("Close"));
  EXPECT_TRUE(tab.Await(R"(!one("#why-dialog").open)"));

  tab.Show("page");
  tab.Click(Button("Sign out"));
  ASSERT_TRUE(tab.Await(R"(shown(one("#door")) && text(one("#link")) === "not signed in")"));
  EXPECT_EQ(tab.AskText("sessionStorage.length + all('.camera, .alert, .rule, .receiver').length"), "0");
  EXPECT_EQ(tab.AskText("document.title"), "Pawsight");
}

TEST_F(PageTest, ALinkSignsInAndItsTokenIsTakenOutOfTheAddressAndKeptForThisTabOnly) {
  const Household home = MakeHousehold("link", "hall");
  Tab tab(browser());
  SignIn(tab, home);
  EXPECT_EQ(tab.AskText("location.href"), gateway().url() + "/");
  EXPECT_EQ(tab.AskText("localStorage.length + document.cookie.length"), "0");
  ASSERT_TRUE(tab.Await("shown(" + Card("hall") + ")"));
  SendRoom(home, 3);
  ASSERT_TRUE(tab.Await("one('img', " + Card("hall") + ").naturalWidth === 320"));
  tab.Open(gateway().url());  // as a reload
  ASSERT_TRUE(tab.Await(R"(one("#link").dataset.state === "live")"));
  ASSERT_TRUE(tab.Await("one('img', " + Card("hall") + ").naturalWidth === 320"))
      << "the frame of before it was opened";
  Tab other(browser());
  other.Open(gateway().url());
  EXPECT_TRUE(other.Await(R"(shown(one("#door")))"));
}

TEST_F(PageTest, ARuleIsMadeChangedAndDeletedAndTheApiAgreesEachTime) {
  const Household home = MakeHousehold("rules", "den");
  Tab tab(browser());
  SignIn(tab, home);
  ASSERT_TRUE(tab.Await("shown(one('#no-rules'))"));
  tab.Click(Button("Add a rule"));
  tab.Type("one('#rule-question')", "Is there a cat?");
  tab.Type("one('#rule-threshold')", "83");
  tab.Type("one('#rule-for')", "1.5");
  tab.Ask("(" + Button("Save") + ".click(), " + Button("Save") + ".click())");  // makes one
  ASSERT_TRUE(tab.Await("!one('#rule-dialog').open && shown(" + RuleLine("Is there a cat?") + ")"));
  EXPECT_EQ(tab.AskText("text(one('.quiet', " + RuleLine("Is there a cat?") + "))"), "alerts at yes ≥ 83 % for 1.5 s");
  std::vector<Json> rules = Items("/v1/rules", home.token);
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(Text(rules[0], "question"), "Is there a cat?");
  EXPECT_EQ(rules[0].GetNumber("threshold").value(), 0.83);
  EXPECT_EQ(rules[0].GetNumber("for_s").value(), 1.5);

  tab.Click(Button("Edit: Is there a cat?"));
  EXPECT_EQ(tab.AskText("one('#rule-threshold').value"), "83");
  tab.Type("one('#rule-question')", "Is there a cat on the bed?");
  tab.Send("one('#rule-expect')", "no");
  tab.Type("one('#rule-threshold')", "5");  // less than the band that it was made with
  tab.Click("one('#rule-enabled')");
  tab.Press(Tab::kEnterKey);
  ASSERT_TRUE(tab.Await("!one('#rule-dialog').open && shown(" + RuleLine("Is there a cat on the bed?") + ")"));
  EXPECT_EQ(tab.AskText("text(one('.quiet', one('.rule')))"), "off");
  rules = Items("/v1/rules", home.token);
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(Text(rules[0], "expect"), "no");
  EXPECT_EQ(rules[0].GetNumber("threshold").value(), 0.05);
  EXPECT_EQ(rules[0].GetNumber("for_s").value(), 1.5) << "what was not touched";
  EXPECT_FALSE(rules[0].GetBool("enabled").value());

  const std::string target = "/v1/rules/" + Text(rules[0], "id");
  tab.Click(Button("Edit: Is there a cat on the bed?"));
  ASSERT_THAT(gateway().Call("PUT", target, home.token, R"({"question":"Is it day?"})").first, HasSubstr(" 200 "));
  ExpectOnConsole("status of 412");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("text(one('#rule-trouble')).startsWith('Somebody else changed this rule')"));
  tab.Click(Button("Cancel"));
  EXPECT_TRUE(tab.Await("shown(" + RuleLine("Is it day?") + ")")) << "what it is now";

  tab.Click(Button("Edit: Is it day?"));
  tab.Click(Button("Delete"));
  tab.Click("one('#question-no')");
  EXPECT_EQ(Items("/v1/rules", home.token).size(), 1U) << "it was a question";
  tab.Click(Button("Delete"));
  tab.Click("one('#question-yes')");
  ASSERT_TRUE(tab.Await("!one('#rule-dialog').open && shown(one('#no-rules'))"));
  EXPECT_TRUE(Items("/v1/rules", home.token).empty());
}

TEST_F(PageTest, WhatTheApiSaysOfABadRuleStandsAtItsField) {
  const Household home = MakeHousehold("bad", "den");
  ExpectOnConsole("status of 400");
  Tab tab(browser());
  SignIn(tab, home);
  tab.Click(Button("Add a rule"));
  std::string question;
  for (int i = 0; i < 300; ++i) question += "é";  // 600 bytes
  tab.Click("one('#rule-question')");
  tab.Paste(question);
  tab.Click(Button("Save"));
  const std::string said =
      Text(gateway().Call("POST", "/v1/rules", home.token, R"({"question":")" + question + "\"}").second, "detail");
  ASSERT_THAT(said, StartsWith("question: "));
  ASSERT_TRUE(tab.Await("text(one('#rule-trouble')) === " + JsonQuote(said.substr(10))));
  EXPECT_EQ(tab.AskText("one('#rule-question').getAttribute('aria-invalid')"), "true");
  EXPECT_EQ(tab.AskText("one('#rule-question').nextElementSibling.id"), "rule-trouble") << "right below it";
  EXPECT_EQ(tab.AskText("document.activeElement.id"), "rule-question");
  EXPECT_TRUE(Items("/v1/rules", home.token).empty());
  tab.Show("bad_rule");

  tab.Type("one('#rule-question')", "   ");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("text(one('#rule-trouble')).startsWith('empty')"));
  tab.Click(Button("Cancel"));
  tab.Click(Button("Add a rule"));
  EXPECT_EQ(tab.AskText("text(one('#rule-trouble'))"), "") << "it was another attempt";
  EXPECT_EQ(tab.AskText("one('[aria-invalid]') === null"), "true");
}

TEST_F(PageTest, AReceiverShowsWhatItWasToldAndWhatItRefused) {
  const Household home = MakeHousehold("receivers", "den");
  const net::testing::Webhook hook;
  gateway().Post("/v1/receivers", home.token, R"({"name":"kitchen radio","config":)" + hook.Config() + "}");
  MakeRulesThatFire(home);
  Tab tab(browser());
  SignIn(tab, home);
  ASSERT_TRUE(tab.Await("text(one('.receiver')).includes('0 delivered')"));
  SendRoom(home, 1);
  ASSERT_TRUE(
      tab.Await("/kitchen radio\\s+webhook\\s+[1-9] delivered\\s+alert · delivered /.test(text(one('.receiver')))"));
}

TEST_F(PageTest, ASwitchOfRoutingByTheApiIsOnThePageWithTheNextFrame) {
  const Household home = MakeHousehold("routing", "den");
  MakeRule(home, "Is there a dog?");
  Json before = gateway().Get("/v1/backends", admin());
  before.Set("routing", gateway().Get("/v1/routing", admin()));
  const auto put = [](const std::string& target, const std::string& body) {
    const auto [status, json] = gateway().Call("PUT", target, admin(), body);
    EXPECT_THAT(status, HasSubstr(" 200 ")) << json.Dump();
  };
  put("/v1/backends", R"({"pools":[{"name":"bf16","endpoints":[{"kind":"embedded","address":"bf16"}]},)"
                      R"({"name":"int8","endpoints":[{"kind":"embedded","address":"int8"}]}],)"
                      R"("routing":{"weights":{"bf16":1}}})");
  Tab tab(browser());
  SignIn(tab, home);
  uint64_t seed = 0;
  for (const std::string pool : {"bf16", "int8", "bf16"}) {
    put("/v1/routing", R"({"weights":{")" + pool + "\":1}}");
    SendRoom(home, ++seed);
    EXPECT_TRUE(tab.Await("text(one('figcaption')).includes('answered by " + pool + " in ')"));
  }
  put("/v1/backends", before.Dump());
}

TEST_F(PageTest, PagesOfTwoOwnersNeverShowEachOthersThings) {
  const std::vector<std::string> names = {"Anna", "Bert"};
  const net::testing::Webhook hook;
  std::vector<Household> homes;
  for (const std::string& name : names) {
    homes.push_back(MakeHousehold(name, "room of " + name));
    MakeRule(homes.back(), name + " is not there", R"(,"threshold":0.01,"expect":"no","clear_s":3600)");
    MakeRule(homes.back(), name + " is there", R"(,"threshold":0.01,"clear_s":3600)");
    gateway().Post("/v1/receivers", homes.back().token,
                   R"({"name":"radio of )" + name + R"(","config":)" + hook.Config() + "}");
  }
  Tab first(browser());
  Tab second(browser());
  SignIn(first, homes[0]);
  SignIn(second, homes[1]);
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    for (const Household& home : homes) SendRoom(home, seed);
  }
  for (size_t i = 0; i < 2; ++i) {
    Tab& tab = i == 0 ? first : second;
    ASSERT_TRUE(
        tab.Await("all('.alert').length >= 1 && one('.camera img').naturalWidth === 320 && shown(one('.receiver'))"));
    tab.Click(Button("Why? " + names[i] + " is there?"));
    ASSERT_TRUE(tab.Await("all('#why-newest tr').length === 3"));
    const std::string all = tab.AskText("document.documentElement.textContent + document.documentElement.outerHTML");
    EXPECT_THAT(all, HasSubstr(names[i]));
    EXPECT_THAT(all, ::testing::Not(HasSubstr(names[1 - i])));
    EXPECT_THAT(all, ::testing::Not(HasSubstr(homes[1 - i].camera)));
    EXPECT_EQ(tab.AskText("all('.camera').length"), "1");
  }
}

}  // namespace
}  // namespace pawsight::browser
