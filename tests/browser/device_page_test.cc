// Devices from the page alone: a token is shown once, made anew, revoked; which cameras are whose.
#include <gmock/gmock.h>

#include "page_fixture.h"

namespace pawsight::browser {
namespace {

using integration::Text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

std::string DeviceLine(const std::string& name) {
  return "all('.device').find((d) => one('.question', d).textContent === " + JsonQuote(name) + ")";
}

/// What the API says of a frame that is sent with that token.
std::string SentWith(const integration::RunningGateway& gateway, const Household& home, const std::string& token) {
  return gateway
      .Call("POST", "/v1/cameras/" + home.camera + "/frames?wait=answers", token, integration::Room(1), "image/jpeg")
      .first;
}

TEST_F(PageTest, ADevicesTokenIsMadeAnewAndRevokedAfterAQuestionAndItsCamerasAreChosen) {
  Household home = MakeHousehold("devices", "hall");
  const std::string attic = MakeCamera(gateway(), home, "attic");
  Tab tab(browser());
  SignIn(tab, home);
  ASSERT_TRUE(tab.Await("/sends hall, attic\\s+no frame yet/.test(text(" + DeviceLine("hall") + "))"));
  SendRoom(home, 1);
  EXPECT_TRUE(tab.Await("/last frame \\d/.test(text(" + DeviceLine("hall") + "))"));

  tab.Click(Button("New token: hall"));
  tab.Click("one('#question-no')");
  EXPECT_THAT(SentWith(gateway(), home, home.device_token), HasSubstr(" 200 ")) << "it was a question";
  tab.Click(Button("New token: hall"));
  tab.Click("one('#question-yes')");
  ASSERT_TRUE(tab.Await("one('#secret-dialog').open"));
  const std::string token = tab.AskText("text(one('#secret-value'))");
  EXPECT_THAT(token, StartsWith("paw_d"));
  EXPECT_THAT(tab.AskText("text(one('#secret-curl'))"), HasSubstr("/v1/cameras/" + home.camera + "/frames"));
  tab.Send("one('#secret-camera')", "attic");
  EXPECT_THAT(tab.AskText("text(one('#secret-curl'))"), HasSubstr("/v1/cameras/" + attic + "/frames"));
  tab.Click(Button("I have it"));
  EXPECT_THAT(SentWith(gateway(), home, home.device_token), HasSubstr(" 401 "));
  EXPECT_THAT(SentWith(gateway(), home, token), HasSubstr(" 200 "));
  EXPECT_THAT(tab.AskText("document.documentElement.outerHTML"), Not(HasSubstr(token)));

  tab.Click(Button("Revoke: hall"));
  tab.Click("one('#question-yes')");
  ASSERT_TRUE(tab.Await("text(" + DeviceLine("hall") + ").includes('It has no token')"));
  EXPECT_THAT(SentWith(gateway(), home, token), HasSubstr(" 401 "));
  EXPECT_EQ(tab.AskText("document.activeElement.id"), "add-device") << "its button has gone";

  tab.Click(Button("Edit device: hall"));
  tab.Click("all('#device-cameras .tick').find((t) => text(t) === 'attic')");
  tab.Click(Button("Save"));
  ASSERT_TRUE(
      tab.Await("!one('#device-dialog').open && /sends hall\\s+last frame/.test(text(" + DeviceLine("hall") + "))"));
  EXPECT_TRUE(gateway().Get("/v1/cameras/" + attic, home.token).Find("device")->is_null());
  tab.Click(Button("Edit camera: attic"));
  tab.Send("one('#camera-device')", "hall");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("text(" + DeviceLine("hall") + ").includes('sends hall, attic')"));
  EXPECT_EQ(Text(gateway().Get("/v1/cameras/" + attic, home.token), "device"), home.device);

  tab.Click(Button("Edit device: hall"));
  tab.Click(Button("Delete"));
  tab.Click("one('#question-yes')");
  ASSERT_TRUE(tab.Await("all('.device').length === 0 && shown(one('#no-devices'))"));
  EXPECT_THAT(Items("/v1/devices", home.token), IsEmpty());
  EXPECT_EQ(Items("/v1/cameras", home.token).size(), 2U);
}

}  // namespace
}  // namespace pawsight::browser
