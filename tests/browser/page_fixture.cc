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

std::string Overflow(Tab& tab) {
  return tab.AskText(R"((() => {
    const wide = document.documentElement.clientWidth;
    const outside = all("body *").filter((e) => shown(e) && e.getBoundingClientRect().right > wide + 0.5);
    const scrolls = document.documentElement.scrollWidth > wide;
    return scrolls ? `${document.documentElement.scrollWidth} > ${wide}: ` +
        outside.map((e) => `${e.tagName}.${e.getAttribute("class")} ${Math.round(e.getBoundingClientRect().right)}`).join(", ") : "";
  })())");
}

}  // namespace pawsight::browser
