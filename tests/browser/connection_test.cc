// The page's connection: what happens while it reads or is cut off is on it all the same, and it says when it is.
#include <gmock/gmock.h>

#include "page_fixture.h"

namespace pawsight::browser {
namespace {

/// The page's requests, held where a test says: those whose path begins with `heldBefore` before they are sent, those
/// with `heldAfter` once their answer is there. `release()` lets them go, `cut()` ends the live stream.
constexpr const char* kHeldRequests = R"(
(() => {
  const real = window.fetch, held = [];
  window.heldBefore = window.heldAfter = "none";
  window.numHeld = () => held.length;
  window.release = () => { window.heldBefore = window.heldAfter = "none"; held.splice(0).forEach((go) => go()); return true; };
  const hold = () => new Promise((go) => held.push(go));
  window.fetch = async (path, how = {}) => {
    const ended = new AbortController();
    how.signal?.addEventListener("abort", () => ended.abort());
    if (path === "/v1/live") window.cut = () => { ended.abort(); return true; };
    if (path.startsWith(window.heldBefore)) await hold();
    const response = await real(path, { ...how, signal: ended.signal });
    if (path.startsWith(window.heldAfter)) await hold();
    return response;
  };
})();
)";

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

TEST_F(PageTest, APageThatWasCutOffShowsWhatHappenedMeanwhile) {
  const Household home = MakeHousehold("cut", "attic");
  Tab tab(browser());
  tab.RunBeforeEachPage(kHeldRequests);
  SignIn(tab, home);
  tab.Ask("(window.heldBefore = '/v1/live', cut())");
  ASSERT_TRUE(tab.Await(R"(one("#link").dataset.state === "connecting" && numHeld() === 1)"));
  MakeRulesThatFire(home);
  MakeCamera(gateway(), home, "cellar");
  SendRoom(home, 1);
  tab.Ask("release()");
  ASSERT_TRUE(tab.Await(kIsLive));
  EXPECT_TRUE(tab.Await("shown(" + Card("cellar") + ")"));
  EXPECT_TRUE(tab.Await("all('.alert').length >= 1"));
  EXPECT_TRUE(tab.Await("one('img', " + Card("attic") + ").naturalWidth === 320"));
  EXPECT_TRUE(tab.Await("all('.answer .number', " + Card("attic") + ").every((n) => /^\\d+ %$/.test(text(n)))"))
      << "the answers of meanwhile";
  EXPECT_TRUE(tab.Await(Card("attic") + ".classList.contains('firing')"));
}

}  // namespace
}  // namespace pawsight::browser
