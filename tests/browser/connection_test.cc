// The page's connection: what happens while it reads or is cut off is on it all the same, and it says when it is.
#include <gmock/gmock.h>

#include <csignal>
#include <memory>

#include "page_fixture.h"

namespace pawsight::browser {
namespace {

constexpr const char* kIsLive = R"(one("#link").dataset.state === "live")";

TEST_F(PageTest, WhatHappensWhileThePageReadsIsShownWhenItHasRead) {
  const Household home = MakeHousehold("between", "attic");
  MakeRulesThatFire(home);
  Tab tab(browser());
  tab.RunBeforeEachPage(std::string(kHeldRequests) + "window.heldAfter = '/v1/alerts?';");
  tab.Open(gateway().url() + "/#token=" + home.token);
  ASSERT_TRUE(tab.Await("numHeld() === 1"));  // the alerts are read, and there are none
  SendRoom(home, 1);
  EXPECT_EQ(tab.AskText(kIsLive), "false");
  EXPECT_EQ(tab.AskText("all('.alert').length"), "0");
  tab.Ask("release()");
  ASSERT_TRUE(tab.Await(kIsLive));
  EXPECT_TRUE(tab.Await("all('.alert').length >= 1"));
  EXPECT_TRUE(tab.Await(Card("attic") + ".classList.contains('firing')"));
  EXPECT_TRUE(tab.Await("one('img', " + Card("attic") + ").naturalWidth === 320"));
}

TEST_F(PageTest, AFrameThatComesBeforeTheAnswersOfBeforeIsDrawnBehindThem) {
  const Household home = MakeHousehold("history", "attic");
  MakeRule(home, "Is it a room?");
  Tab tab(browser());
  tab.RunBeforeEachPage(kHeldRequests);
  SignIn(tab, home);
  SendRoom(home, 1);
  ASSERT_TRUE(tab.Await("/ %$/.test(text(one('.answer .number')))"));
  tab.Ask("window.heldAfter = '/v1/rules/'");
  tab.Click(Button("Add a rule"));  // makes all rows anew
  tab.Type("one('#rule-question')", "Is it an attic?");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("numHeld() === 2"));
  SendRoom(home, 2);
  ASSERT_TRUE(tab.Await("all('.answer').length === 2 && all('.answer .number').every((n) => / %$/.test(text(n)))"));
  const std::string num_longer = "all('.chart .line').filter((line) => line.getAttribute('d').includes('V')).length";
  EXPECT_EQ(tab.AskText(num_longer), "0");
  tab.Ask("release()");
  EXPECT_TRUE(tab.Await(num_longer + " === 1"));
}

TEST_F(PageTest, WhoSignsOutWhileThePageReadsIsShownNothingMore) {
  const Household home = MakeHousehold("left", "attic");
  MakeRulesThatFire(home);
  SendRoom(home, 1);
  Tab tab(browser());
  tab.RunBeforeEachPage(std::string(kHeldRequests) + "window.heldAfter = '/v1/rules/';");
  tab.Open(gateway().url() + "/#token=" + home.token);
  ASSERT_TRUE(tab.Await("numHeld() === 2"));
  tab.Click(Button("Sign out"));
  tab.Ask("release()");
  tab.Ask("fetch('/icon.svg').then((icon) => icon.text())");  // whoever waited for them has gone on
  EXPECT_EQ(tab.AskText("text(one('#link')) + all('.camera, .alert, .rule').length"), "not signed in0");
  EXPECT_EQ(tab.AskText("shown(one('#side')) + ' ' + document.title"), "false Pawsight");
}

TEST_F(PageTest, APageThatWasCutOffShowsWhatHappenedMeanwhile) {
  const Household home = MakeHousehold("cut", "attic");
  Tab tab(browser());
  tab.RunBeforeEachPage(kHeldRequests);
  SignIn(tab, home);
  tab.Ask("(window.heldBefore = '/v1/live', cut())");
  ASSERT_TRUE(tab.Await(R"(one("#link").dataset.state === "lost" && numHeld() === 1)"));
  MakeRulesThatFire(home);
  MakeCamera(gateway(), home, "cellar");
  SendRoom(home, 1);
  tab.Ask("release()");
  ASSERT_TRUE(tab.Await(kIsLive));
  EXPECT_TRUE(tab.Await("shown(" + Card("cellar") + ")"));
  EXPECT_TRUE(tab.Await("all('.alert').length >= 1"));
  EXPECT_TRUE(tab.Await("one('img', " + Card("attic") + ").naturalWidth === 320"));
  EXPECT_TRUE(
      tab.Await("all('.answer .number', " + Card("attic") + ").every((n) => /^(yes|no) \\d+ %$/.test(text(n)))"))
      << "the answers of meanwhile";
  EXPECT_TRUE(tab.Await(Card("attic") + ".classList.contains('firing')"));
}

TEST_F(PageTest, AReadingThatFailsIsRepeatedWhileTheStreamGoesOn) {
  const Household home = MakeHousehold("reread", "attic");
  Tab tab(browser());
  tab.RunBeforeEachPage(kHeldRequests);
  SignIn(tab, home);
  ASSERT_TRUE(tab.Await("shown(" + Card("attic") + ")"));
  tab.Ask(R"(String(window.refused = /^\/v1\/(rules|alerts)\?/))");
  MakeRulesThatFire(home);
  SendRoom(home, 1);  // a frame that names rules which the page does not know, so that it reads everything
  ASSERT_TRUE(tab.Await("numRefused >= 2")) << "it is tried again";
  EXPECT_EQ(tab.AskText(kIsLive), "true");
  tab.Ask("String(window.refused = /^$/)");
  EXPECT_TRUE(tab.Await("all('.rule').length === 2"));
  EXPECT_TRUE(tab.Await("all('.answer .question', " + Card("attic") + ").every((q) => text(q).endsWith('dog?'))"));
}

TEST_F(PageTest, OfTwoTokensThatComeTogetherTheSecondOpensThePage) {
  const Household first = MakeHousehold("first of two", "attic");
  const Household second = MakeHousehold("second of two", "cellar");
  Tab tab(browser());
  tab.RunBeforeEachPage(std::string(kHeldRequests) + "window.heldAfter = '/v1/me';");
  tab.Open(gateway().url() + "/#token=" + first.token);
  ASSERT_TRUE(tab.Await("numHeld() === 1"));
  tab.Ask("location.hash = 'token=" + second.token + "'");  // a second link
  ASSERT_TRUE(tab.Await("numHeld() === 2"));
  tab.Ask("release()");
  ASSERT_TRUE(tab.Await(kIsLive));
  EXPECT_TRUE(tab.Await("shown(" + Card("cellar") + ")"));
  EXPECT_EQ(tab.AskText("all('.camera').length"), "1");
  EXPECT_EQ(tab.AskText("sessionStorage.getItem('pawsight-token')"), second.token);
}

TEST_F(PageTest, WhatTheGatewayRefusesAStreamWithIsSaid) {
  const Household home = MakeHousehold("refused", "attic");
  ExpectOnConsole("status of 404");
  Tab tab(browser());
  tab.RunBeforeEachPage(std::string(kHeldRequests) + R"(
    const held = window.fetch;
    window.fetch = (path, how) => held(path === "/v1/live" && window.wrong ? "/v1/live?camera=none" : path, how);)");
  SignIn(tab, home);
  tab.Ask("(window.wrong = true, cut())");
  ASSERT_TRUE(tab.Await("text(one('#link')) === 'refused, trying again: no such camera'"));
  tab.Ask("window.wrong = false");
  EXPECT_TRUE(tab.Await(kIsLive));
}

TEST_F(PageTest, ATokenThatIsRevokedClosesAnOpenPageAndItSaysWhy) {
  const Household home = MakeHousehold("revoked", "attic");
  const Json made = gateway().Post("/v1/credentials", home.token, R"({"role":"viewer","name":"tablet"})");
  Tab tab(browser());
  SignIn(tab, gateway().url(), integration::Text(made, "token"));
  ASSERT_TRUE(tab.Await("shown(" + Card("attic") + ")"));
  ExpectOnConsole("status of 401");
  const auto revoked = gateway().Call("DELETE", "/v1/credentials/" + integration::Text(made, "id"), home.token);
  ASSERT_THAT(revoked.first, ::testing::HasSubstr(" 204 "));
  ASSERT_TRUE(tab.Await(R"(shown(one("#door")) && text(one("#trouble")).includes("no longer valid"))"));
  EXPECT_EQ(tab.AskText("all('.camera').filter(shown).length + sessionStorage.length"), "0");
  EXPECT_EQ(tab.AskText("document.activeElement.id"), "token") << "where another is typed";
}

TEST_F(PageTest, OfWhoIsCutOffWhileAPasswordIsTypedThePageKeepsNothing) {
  Household home = MakeHousehold("nothing stays", "Ada's attic");
  const net::testing::Webhook hook;
  gateway().Post("/v1/receivers", home.token, R"({"name":"Ada's radio","config":)" + hook.Config() + "}");
  gateway().Post("/v1/devices", home.token, R"({"name":"Ada's box"})");
  MakeRule(home, "Is Ada's dog there?", R"(,"threshold":0.01)");
  MakeRule(home, "Is Ada's dog away?", R"(,"threshold":0.01,"expect":"no")");
  SendRoom(home, 1);
  const Json made = gateway().Post("/v1/credentials", home.token, R"({"role":"operator","name":"tablet"})");
  Tab tab(browser());
  SignIn(tab, gateway().url(), integration::Text(made, "token"));
  ASSERT_TRUE(tab.Await("all('.alert').length >= 1 && all('.receiver').length === 1 && all('.device').length === 2"));
  tab.Click(Button("Deliveries: Ada's radio"));
  ASSERT_TRUE(tab.Await("all('#deliveries tr').length >= 1"));
  tab.Click(Button("Close"));
  tab.Click(Button("Why? Is Ada's dog there?"));
  ASSERT_TRUE(tab.Await("all('#why-newest tr').length === 1"));
  tab.Click(Button("Close"));
  for (const char* edit : {"Edit: Is Ada's dog there?", "Edit receiver: Ada's radio", "Edit device: Ada's box"}) {
    tab.Click(Button(edit));
    tab.Click(Button("Cancel"));
  }
  tab.Click(Button("Revoke: Ada's box"));
  tab.Click("one('#question-no')");
  tab.Click(Button("Test: Ada's radio"));
  ASSERT_TRUE(tab.Await("text(one('#receivers-said')).includes('A test was delivered')"));
  tab.Click(Button("Edit camera: Ada's attic"));
  tab.Type("one('#camera-source')", "rtsp://192.0.2.1/1");
  tab.Type("one('#camera-password')", "ge/heim");
  EXPECT_TRUE(tab.Await(Has("ge/heim") + " && " + Has("Ada's")));
  ExpectOnConsole("status of 401");
  gateway().Call("DELETE", "/v1/credentials/" + integration::Text(made, "id"), home.token);
  ASSERT_TRUE(tab.Await(R"(shown(one("#door")) && text(one("#trouble")).includes("no longer valid"))"));
  EXPECT_TRUE(tab.Await("!" + Has("ge/heim")));
  EXPECT_TRUE(tab.Await("!" + Has("Ada's") + " && !" + Has("192.0.2.1")));
}

TEST_F(PageTest, AGatewayThatStopsAndStartsAgainIsFoundAndWhatHappenedMeanwhileIsShown) {
  const integration::TempFolder folder;
  auto second = std::make_unique<integration::RunningGateway>(folder.Path("data"));
  const std::string url = second->url(), listen = url.substr(url.rfind('/') + 1);
  const std::string admin_token = integration::AdminToken(folder.Path("data"));
  const Json owner = second->Post("/v1/owners", admin_token, R"({"name":"again"})");
  Household home;
  home.token = integration::Text(*owner.Find("credential"), "token");
  const Json device = second->Post("/v1/devices", home.token, R"({"name":"hall"})");
  home.device = integration::Text(device, "id");
  home.device_token = integration::Text(*device.Find("credential"), "token");
  home.camera = MakeCamera(*second, home, "attic");
  ExpectRequestsTo(url + "/");
  ExpectRequestsTo("blob:" + url + "/");
  ExpectOnConsole(url);  // whatever the browser says of a gateway that has gone
  Tab tab(browser());
  SignIn(tab, url, home.token);
  SendRoom(*second, home, 1);
  ASSERT_TRUE(tab.Await("one('img', " + Card("attic") + ").naturalWidth === 320"));

  second->program().Signal(SIGTERM);
  EXPECT_EQ(second->program().Wait().code, 0);
  ASSERT_TRUE(tab.Await(R"(one("#link").dataset.state === "lost" && text(one("#link")) !== "live")"));
  EXPECT_EQ(tab.AskText("shown(" + Card("attic") + ")"), "true") << "what was known stays";
  second = std::make_unique<integration::RunningGateway>(folder.Path("data"), listen);
  second->Post("/v1/rules", home.token, R"({"question":"Is it a room?","threshold":0.01,"clear_s":3600})");
  second->Post("/v1/rules", home.token,
               R"({"question":"Is it no room?","threshold":0.01,"clear_s":3600,"expect":"no"})");
  SendRoom(*second, home, 2);
  ASSERT_TRUE(tab.Await(kIsLive));
  EXPECT_TRUE(tab.Await("all('.alert').length >= 1 && all('.rule').length === 2"));
  EXPECT_TRUE(tab.Await(Card("attic") + ".classList.contains('firing')"));
}

}  // namespace
}  // namespace pawsight::browser
