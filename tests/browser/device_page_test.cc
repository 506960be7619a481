// Devices from the page alone: a token is shown once, made anew, revoked; which cameras are whose.
#include <gmock/gmock.h>

#include "page_fixture.h"

namespace pawsight::browser {
namespace {

using integration::Text;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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
  ASSERT_TRUE(tab.Await("/sends attic, hall\\s+no frame yet/.test(text(" + DeviceLine("hall") + "))"));
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
  EXPECT_THAT(tab.AskText("text(one('#secret-curl'))"), HasSubstr("/v1/cameras/" + attic + "/frames"));
  tab.Send("one('#secret-camera')", "hall");
  EXPECT_THAT(tab.AskText("text(one('#secret-curl'))"), HasSubstr("/v1/cameras/" + home.camera + "/frames"));
  tab.Click(Button("I have it"));
  EXPECT_THAT(SentWith(gateway(), home, home.device_token), HasSubstr(" 401 "));
  EXPECT_THAT(SentWith(gateway(), home, token), HasSubstr(" 200 "));
  EXPECT_TRUE(tab.Await("!" + Has(token)));

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
  ASSERT_TRUE(tab.Await("text(" + DeviceLine("hall") + ").includes('sends attic, hall')"));
  EXPECT_EQ(Text(gateway().Get("/v1/cameras/" + attic, home.token), "device"), home.device);

  tab.Click(Button("Edit device: hall"));
  tab.Click(Button("Delete"));
  tab.Click("one('#question-yes')");
  ASSERT_TRUE(tab.Await("all('.device').length === 0 && shown(one('#no-devices'))"));
  EXPECT_THAT(Items("/v1/devices", home.token), IsEmpty());
  EXPECT_EQ(Items("/v1/cameras", home.token).size(), 2U);
}

TEST_F(PageTest, WhatSomebodyElseChangedWhileADevicesCamerasWereTickedStays) {
  const Household home = MakeHousehold("two hands", "hall");
  const std::string attic = MakeCamera(gateway(), home, "attic"), cellar = MakeCamera(gateway(), home, "cellar");
  const auto device_of = [&](const std::string& camera) {
    return gateway().Get("/v1/cameras/" + camera, home.token).Find("device")->Dump();
  };
  const auto put = [&](const std::string& camera, const std::string& body) {
    EXPECT_THAT(gateway().Call("PUT", "/v1/cameras/" + camera, home.token, body).first, HasSubstr(" 200 "));
  };
  Tab tab(browser());
  SignIn(tab, home);
  ASSERT_TRUE(tab.Await("text(" + DeviceLine("hall") + ").includes('sends attic, cellar, hall')"));
  tab.Click(Button("Edit device: hall"));
  put(attic, R"({"name":"attic"})");  // of no device
  ASSERT_TRUE(tab.Await("text(" + DeviceLine("hall") + ").includes('sends cellar, hall')")) << "the page knows";
  tab.Click("all('#device-cameras .tick').find((t) => text(t) === 'cellar')");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#device-dialog').open && /sends hall\\s/.test(text(" + DeviceLine("hall") + "))"));
  EXPECT_EQ(device_of(attic), "null") << "its tick was not touched";
  EXPECT_EQ(device_of(cellar), "null");

  tab.Click(Button("Edit device: hall"));
  tab.Click("all('#device-cameras .tick').find((t) => text(t) === 'attic')");
  put(attic, R"({"name":"loft"})");
  ASSERT_TRUE(tab.Await("shown(" + Card("loft") + ")"));
  ExpectOnConsole("status of 412");
  tab.Click(Button("Save"));
  EXPECT_TRUE(tab.Await("text(one('#device-trouble')).startsWith('Somebody else changed this device')"));
  EXPECT_EQ(device_of(attic), "null");
}

TEST_F(PageTest, ASecretThatComesWhileAnotherIsShownWaitsUntilThatIsClosed) {
  const Household home = MakeHousehold("two secrets", "hall");
  const net::testing::Webhook hook;
  Tab tab(browser());
  tab.RunBeforeEachPage(kHeldRequests);
  SignIn(tab, home);
  tab.Click(Button("Add a receiver"));
  tab.Send("one('#receiver-kind')", "a webhook");
  tab.Type("one('#receiver-name')", "radio");
  tab.Type("one('#receiver-url')", hook.url());
  ASSERT_TRUE(tab.Await("all('.device').length === 1"));
  tab.Ask("window.heldAfter = '/v1/receivers'");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("numHeld() >= 1"));
  tab.Click("one('#receiver-cancel')");
  tab.Click(Button("New token: hall"));
  tab.Click("one('#question-yes')");
  ASSERT_TRUE(tab.Await("one('#secret-dialog').open && text(one('#secret-value')).startsWith('paw_d')"));
  tab.Ask("release()");
  ASSERT_TRUE(tab.Await("all('.receiver').length === 1")) << "it was answered";
  const std::string token = tab.AskText("text(one('#secret-value'))");
  EXPECT_THAT(token, StartsWith("paw_d"));
  tab.Click(Button("I have it"));
  ASSERT_TRUE(tab.Await("one('#secret-dialog').open && text(one('#secret-value')).startsWith('whsec_')"));
  EXPECT_EQ(tab.AskText("text(one('#secret-title'))"), "The signing secret of radio");
  const std::string secret = tab.AskText("text(one('#secret-value'))");
  tab.Click(Button("I have it"));
  EXPECT_TRUE(tab.Await("!one('#secret-dialog').open && !" + Has(secret) + " && !" + Has(token)));
}

}  // namespace
}  // namespace pawsight::browser
