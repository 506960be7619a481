#include "page_fixture.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace pawsight::browser {

using integration::RunningGateway;
using integration::Text;
using ::testing::HasSubstr;

std::unique_ptr<integration::TempFolder> PageTest::folder_;
std::unique_ptr<RunningGateway> PageTest::gateway_;
std::unique_ptr<Browser> PageTest::browser_;
std::string PageTest::admin_;

void PageTest::SetUpTestSuite() {
  if (!MissingPrograms().empty()) return;
  folder_ = std::make_unique<integration::TempFolder>();
  gateway_ = std::make_unique<RunningGateway>(folder_->Path("data"));
  admin_ = integration::AdminToken(folder_->Path("data"));
  browser_ = std::make_unique<Browser>();
}

void PageTest::TearDownTestSuite() {
  browser_.reset();
  gateway_.reset();
  folder_.reset();
}

void PageTest::SetUp() {
  if (const std::string missing = MissingPrograms(); !missing.empty()) {
    GTEST_SKIP() << "SKIPPED: no " << missing << " (packaging/apt/browser.txt); THE PAGE IS NOT TESTED";
  }
  origins_ = {gateway_->url() + "/", "blob:" + gateway_->url() + "/", "about:blank"};
  (void)browser_->TakeComplaints();  // of the test before
  (void)browser_->TakeRequests();
}

void PageTest::TearDown() {
  if (browser_ == nullptr) return;
  for (const std::string& complaint : browser_->TakeComplaints()) {
    const bool expected = std::ranges::any_of(
        expected_, [&](const std::string& part) { return complaint.find(part) != std::string::npos; });
    EXPECT_TRUE(expected) << "on the console: " << complaint;
  }
  for (const std::string& url : browser_->TakeRequests()) {
    const bool ours = std::ranges::any_of(origins_, [&](const std::string& origin) { return url.starts_with(origin); });
    EXPECT_TRUE(ours) << "asked for " << url;
  }
}

Household PageTest::MakeHousehold(const std::string& name, const std::string& camera) {
  Household home;
  const Json owner = gateway_->Post("/v1/owners", admin_, R"({"name":")" + name + "\"}");
  home.owner = Text(owner, "id");
  home.token = Text(*owner.Find("credential"), "token");
  const Json device = gateway_->Post("/v1/devices", home.token, R"({"name":"hall"})");
  home.device = Text(device, "id");
  home.device_token = Text(*device.Find("credential"), "token");
  home.camera = MakeCamera(*gateway_, home, camera);
  return home;
}

std::string PageTest::MakeCamera(const RunningGateway& gateway, const Household& home, const std::string& name) {
  return Text(gateway.Post("/v1/cameras", home.token,
                           R"({"gate":false,"name":")" + name + R"(","device":")" + home.device + "\"}"),
              "id");
}

std::string PageTest::MakeRule(const Household& home, const std::string& question, const std::string& more) {
  return Text(gateway_->Post("/v1/rules", home.token, R"({"question":")" + question + "\"" + more + "}"), "id");
}

void PageTest::MakeRulesThatFire(const Household& home) {
  MakeRule(home, "Is there a dog?", R"(,"threshold":0.01,"clear_s":3600)");
  MakeRule(home, "Is there no dog?", R"(,"threshold":0.01,"clear_s":3600,"expect":"no")");
}

Json PageTest::SendRoom(const RunningGateway& gateway, const Household& home, uint64_t seed) {
  const auto [status, result] = gateway.Call("POST", "/v1/cameras/" + home.camera + "/frames?wait=answers",
                                             home.device_token, integration::Room(seed), "image/jpeg");
  EXPECT_THAT(status, HasSubstr(" 200 ")) << result.Dump();
  return result;
}

std::vector<Json> PageTest::Items(const std::string& target, const std::string& token) {
  const Json list = gateway_->Get(target, token);
  EXPECT_NE(list.Find("items"), nullptr) << list.Dump();
  return list.Find("items") == nullptr ? std::vector<Json>() : list.Find("items")->as_array();
}

void PageTest::SignIn(Tab& tab, const std::string& url, const std::string& token) {
  tab.Open(url + "/#token=" + token);
  tab.Await(R"(one("#link").dataset.state === "live")");
}

std::string Card(const std::string& camera) {
  return "all('.camera').find((c) => one('h2 > span', c).textContent === " + JsonQuote(camera) + ")";
}

std::string RuleLine(const std::string& question) {
  return "all('.rule').find((r) => one('.question', r).textContent === " + JsonQuote(question) + ")";
}

std::string AlertLine(const std::string& question) {
  return "all('.alert').find((a) => one('.question', a).textContent === " + JsonQuote(question) + ")";
}

std::string Button(const std::string& name) { return "button(" + JsonQuote(name) + ")"; }

std::string Has(const std::string& text) {
  return "[" + JsonQuote(text) + ", encodeURIComponent(" + JsonQuote(text) +
         ")].some((t) => document.documentElement.outerHTML.includes(t) || "
         "all('input, select, textarea').some((field) => field.value.includes(t)))";
}

std::string Overflow(Tab& tab) {
  return tab.AskText(R"((() => {
    const wide = document.documentElement.clientWidth;
    const outside = all("body *").filter((e) => shown(e) && e.getBoundingClientRect().right > wide + 0.5);
    const scrolls = document.documentElement.scrollWidth > wide;
    const within = all("dialog[open]").filter((e) => e.scrollWidth > e.clientWidth);
    if (within.length > 0) return within.map((e) => `in ${e.id} ${e.scrollWidth} > ${e.clientWidth}`).join(", ");
    return scrolls ? `${document.documentElement.scrollWidth} > ${wide}: ` +
        outside.map((e) => `${e.tagName}.${e.getAttribute("class")} ${Math.round(e.getBoundingClientRect().right)}`).join(", ") : "";
  })())");
}

std::string LowContrast(Tab& tab) {
  return tab.AskText(R"((() => {
    const parsed = (colour) => {
      const [r, g, b, a = 1] = colour.match(/[\d.]+/g).map(Number);
      return { c: [r, g, b], a };
    };
    const over = (top, below) => {
      const a = top.a + below.a * (1 - top.a);
      return { c: top.c.map((v, i) => a === 0 ? 0 : (v * top.a + below.c[i] * below.a * (1 - top.a)) / a), a };
    };
    const faded = (colour, opacity) => ({ c: colour.c, a: colour.a * opacity });
    const light = ({ c }) => c.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const contrast = (element, colour) => {
      let text = parsed(colour), back = { c: [0, 0, 0], a: 0 };
      for (let at = element; at; at = at.parentElement) {
        const style = getComputedStyle(at), ground = parsed(style.backgroundColor), opacity = Number(style.opacity);
        text = faded(over(text, ground), opacity);
        back = faded(over(back, ground), opacity);
      }
      const [a, b] = [light(text), light(back)].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05);
    };
    const low = [];
    const look = (element, words, colour) => {
      const ratio = contrast(element, colour);
      if (ratio < 4.5) low.push(`${ratio.toFixed(2)} ${element.tagName}.${element.className} "${words.slice(0, 30)}"`);
    };
    for (const element of all("body *").filter(shown)) {
      if (element.closest("svg")) continue;
      const words = [...element.childNodes].filter((n) => n.nodeType === Node.TEXT_NODE).map((n) => n.data.trim()).join("");
      if (words || element.value) look(element, words || String(element.value), getComputedStyle(element).color);
      if (element.placeholder) look(element, element.placeholder, getComputedStyle(element, "::placeholder").color);
    }
    return low.join("; ");
  })())");
}

}  // namespace pawsight::browser
