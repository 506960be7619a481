// tests/browser/page_fixture.h: the gateway's page in a real browser before a real gateway: one browser and one gateway
// for all tests of the program, a home of its own for each. Frames are sent one by one and nothing waits for a clock,
// so a page shows what a test has sent. After each test the console is empty, but for what it said would be there, and
// nothing but the gateway was asked for anything. Skipped where there is no Chromium. For tests only.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "browser.h"
#include "integration/running_gateway.h"
#include "net/webhook_testing.h"

namespace pawsight::browser {

/// An owner with an operator, a device and a camera whose every frame is asked about.
struct Household {
  std::string owner, token, device, device_token, camera;
};

class PageTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;
  void TearDown() override;

  static Browser& browser() { return *browser_; }
  static integration::RunningGateway& gateway() { return *gateway_; }
  static const std::string& admin() { return admin_; }

  /// Texts are put into JSON as they are: no quotes in them.
  static Household MakeHousehold(const std::string& name, const std::string& camera);
  static std::string MakeCamera(const integration::RunningGateway& gateway, const Household& home,
                                const std::string& name);
  /// Its id.
  static std::string MakeRule(const Household& home, const std::string& question, const std::string& more = "");
  /// Whatever a model thinks, one of the two alerts at the first frame.
  static void MakeRulesThatFire(const Household& home);
  /// What came of a room that is sent; the gateway is done with it.
  static Json SendRoom(const integration::RunningGateway& gateway, const Household& home, uint64_t seed);
  static Json SendRoom(const Household& home, uint64_t seed) { return SendRoom(*gateway_, home, seed); }
  static std::vector<Json> Items(const std::string& target, const std::string& token);

  /// The page as a link with a token opens it, following what happens.
  static void SignIn(Tab& tab, const std::string& url, const std::string& token);
  static void SignIn(Tab& tab, const Household& home) { SignIn(tab, gateway_->url(), home.token); }

  /// A line with that in it may stand on the console: what a browser itself says of an answer like 400.
  void ExpectOnConsole(const std::string& part) { expected_.push_back(part); }
  /// Something else than the gateway may be asked too, whose addresses begin so.
  void ExpectRequestsTo(const std::string& start) { origins_.push_back(start); }

 private:
  static std::unique_ptr<integration::TempFolder> folder_;
  static std::unique_ptr<integration::RunningGateway> gateway_;
  static std::unique_ptr<Browser> browser_;
  static std::string admin_;
  std::vector<std::string> expected_, origins_;
};

/// A script for RunBeforeEachPage: the page's requests, held where a test says: those whose path begins with
/// `heldBefore` before they are sent, those with `heldAfter` once their answer is there; those of `refused` get no
/// answer. `release()` lets them go, `cut()` ends the live stream.
inline constexpr const char* kHeldRequests = R"(
(() => {
  const real = window.fetch, held = [];
  window.heldBefore = window.heldAfter = "none";
  window.refused = /^$/;
  window.numRefused = 0;  // of the alerts, which are read with everything else only
  window.numHeld = () => held.length;
  window.release = () => { window.heldBefore = window.heldAfter = "none"; held.splice(0).forEach((go) => go()); return true; };
  const hold = () => new Promise((go) => held.push(go));
  window.fetch = async (path, how = {}) => {
    const ended = new AbortController();
    how.signal?.addEventListener("abort", () => ended.abort());
    if (path === "/v1/live") window.cut = () => { ended.abort(); return true; };
    if (path.startsWith(window.heldBefore)) await hold();
    if (window.refused.test(path)) {
      if (path.startsWith("/v1/alerts?")) ++window.numRefused;
      throw new TypeError("cut off");
    }
    const response = await real(path, { ...how, signal: ended.signal });
    if (path.startsWith(window.heldAfter)) await hold();
    return response;
  };
})();
)";

/// Elements of the page, as expressions for a Tab.
std::string Card(const std::string& camera);
std::string RuleLine(const std::string& question);
std::string AlertLine(const std::string& question);
std::string Button(const std::string& name);
/// Whether the page has that text anywhere, shown or not: in its markup or in a field, as it is or as it stands in an
/// address.
std::string Has(const std::string& text);

/// What is wider than the window or its dialog, "" when nothing is: both scroll up and down only.
std::string Overflow(Tab& tab);
/// Texts of which the contrast is below 4.5 to 1 (WCAG 2.2, 1.4.3, of small text), as they are painted: with every
/// background and opacity they are in. "" when there are none.
std::string LowContrast(Tab& tab);

}  // namespace pawsight::browser
