// An owner's first visit: an empty page says what to do next, and each step is done on it.
#include <gmock/gmock.h>

#include <array>
#include <chrono>
#include <string>

#include "net/child_process.h"
#include "page_fixture.h"

namespace pawsight::browser {
namespace {

using integration::Text;
using ::testing::HasSubstr;

/// Runs a line of a shell in a folder; what it printed.
std::string RunLine(const std::string& line, const std::string& folder) {
  const auto shell = net::ChildProcess::Start({"sh", "-c", "cd '" + folder + "' && " + line}).value();
  std::string said;
  std::array<uint8_t, 4096> bytes{};
  for (;;) {
    const Result<size_t> got = shell->Read(bytes, std::chrono::minutes(2), {});
    EXPECT_TRUE(got.ok()) << got.status().message();
    if (!got.ok() || *got == 0) break;
    said.append(bytes.begin(), bytes.begin() + *got);
  }
  EXPECT_EQ(shell->Wait(), 0) << shell->ErrorTail();
  return said;
}

TEST_F(PageTest, AnEmptyPageLeadsToACameraItsDeviceAFrameByTheLineThatIsShownAndARule) {
  const Json owner = gateway().Post("/v1/owners", admin(), R"({"name":"first visit"})");
  const std::string token = Text(*owner.Find("credential"), "token");
  Tab tab(browser());
  SignIn(tab, gateway().url(), token);
  ASSERT_TRUE(tab.Await("shown(one('#first-steps'))"));
  EXPECT_EQ(tab.AskText("all('#first-steps .primary').map(text).join()"), "Add a first camera");
  tab.Show("first-visit");
  tab.Click(Button("Add a first camera"));
  tab.Type("one('#camera-name')", "kitchen");
  tab.Ask("(" + Button("Save") + ".click(), " + Button("Save") + ".click())");
  ASSERT_TRUE(tab.Await("!one('#camera-dialog').open && shown(" + Card("kitchen") + ")"));
  EXPECT_EQ(Items("/v1/cameras", token).size(), 1U) << "pressed twice, made once";
  EXPECT_EQ(tab.AskText("all('#first-steps .primary').map(text).join()"), "Add a first rule");
  EXPECT_TRUE(tab.Await("['first-rule', 'add-camera'].includes(document.activeElement.id)"))
      << "what it was on is done, and gone: before its dialog was closed, or after";

  tab.Click(Button("Add a device that sends: kitchen"));
  EXPECT_EQ(tab.AskText("one('#device-name').value"), "kitchen");
  EXPECT_EQ(tab.AskText("all('#device-cameras input:checked').map((b) => text(b.closest('label'))).join()"), "kitchen");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("one('#secret-dialog').open"));
  EXPECT_THAT(Text(Items("/v1/cameras", token).at(0), "device"), HasSubstr("dev_"));
  tab.Show("token");
  const std::string device_token = tab.AskText("text(one('#secret-value'))");
  const std::string line = tab.AskText("text(one('#secret-curl'))");
  tab.Click(Button("Copy the line"));
  EXPECT_TRUE(tab.Await("text(one('#secret-copied')) === 'Copied.'"));
  const integration::TempFolder folder;
  integration::WriteText(folder.Path("frame.jpg"), integration::Room(1));
  EXPECT_THAT(RunLine(line, folder.Path("")), HasSubstr("\"frame\":\"frm_"));
  tab.Click(Button("I have it"));
  EXPECT_TRUE(tab.Await("one('img', " + Card("kitchen") + ").naturalWidth === 320"));
  EXPECT_TRUE(tab.Await("/sends kitchen\\s+last frame \\d/.test(text(one('.device')))"));
  EXPECT_TRUE(tab.Await("!" + Has(device_token)));

  tab.Click(Button("Add a first rule"));
  tab.Type("one('#rule-question')", "Is there a cat?");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#rule-dialog').open && !shown(one('#first-steps'))"));
  EXPECT_TRUE(tab.Await("document.activeElement.id === 'add-rule'"));
  EXPECT_TRUE(tab.Await("text(one('#no-receivers')).startsWith('Nobody is told yet')"));
}

TEST_F(PageTest, AViewerIsShownNoStepsAndNothingToMake) {
  const Household home = MakeHousehold("viewer", "hall");
  const net::testing::Webhook hook;
  gateway().Post("/v1/receivers", home.token, R"({"name":"radio","config":)" + hook.Config() + "}");
  MakeRulesThatFire(home);
  SendRoom(home, 1);
  const Json made = gateway().Post("/v1/credentials", home.token, R"({"role":"viewer","name":"tablet"})");
  Tab tab(browser());
  SignIn(tab, gateway().url(), Text(made, "token"));
  ASSERT_TRUE(tab.Await("shown(" + Card("hall") + ") && all('.device').length === 1 && all('.alert').length >= 1"));
  ASSERT_TRUE(tab.Await("all('.rule').length === 2 && all('.receiver').length === 1"));
  EXPECT_EQ(tab.AskText("[...new Set(all('main button').filter(shown).map(text))].sort().join()"), "Deliveries,Why?");
  EXPECT_EQ(tab.AskText("shown(one('#first-steps'))"), "false");
  tab.Click(Button("Deliveries: radio"));
  ASSERT_TRUE(tab.Await("all('#deliveries tr').length >= 1"));
  EXPECT_EQ(tab.AskText("all('#deliveries-dialog button').filter(shown).map(text).join()"), "Close");
}

}  // namespace
}  // namespace pawsight::browser
