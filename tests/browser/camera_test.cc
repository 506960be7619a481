// A stranger's own camera, from the page alone: where it is fetched, what is wrong while nothing comes, and its frames.
#include <gmock/gmock.h>

#include "base/base64.h"
#include "net/http_server.h"
#include "page_fixture.h"

namespace pawsight::browser {
namespace {

using integration::RunningGateway;

/// Of characters that do not stand in an address as they are.
constexpr std::string_view kPassword = "ge/h@e:i#m%'";

/// Somebody's camera: a JPEG, always the newest; without its password 401.
class SnapshotCamera {
 public:
  SnapshotCamera() {
    router_.Add("GET", "/now.jpg", [](const net::HttpRequest& request) {
      if (request.Header("authorization") != "Basic " + EncodeBase64("me:" + std::string(kPassword))) {
        return net::HttpResponse{401, "text/plain", "", {{"WWW-Authenticate", "Basic realm=\"yard\""}}, {}, nullptr};
      }
      return net::HttpResponse{200, "image/jpeg", integration::Room(1), {}, {}, nullptr};
    });
    server_ = net::HttpServer::Start({}, router_).value();
  }
  std::string url() const { return server_->url() + "/now.jpg"; }

 private:
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;
};

TEST_F(PageTest, AStrangersCameraIsAddedOnThePageWhichSaysWhatIsWrongUntilItsFramesCome) {
  const integration::TempFolder folder;
  const RunningGateway pulling({"gateway", "--listen", "127.0.0.1:0", "--data", folder.Path("data"), "--pull-cameras"},
                               "gateway_ready");
  const Json owner = pulling.Post("/v1/owners", integration::AdminToken(folder.Path("data")), R"({"name":"stranger"})");
  const std::string token = integration::Text(*owner.Find("credential"), "token");
  ExpectRequestsTo(pulling.url() + "/");
  ExpectRequestsTo("blob:" + pulling.url() + "/");
  const SnapshotCamera camera;
  Tab tab(browser());
  SignIn(tab, pulling.url(), token);
  ASSERT_TRUE(tab.Await("text(one('#no-cameras')).startsWith('None yet')"));
  tab.Click(Button("Add a camera"));
  tab.Type("one('#camera-name')", "yard");
  tab.Type("one('#camera-source')", camera.url());
  tab.Type("one('#camera-fps')", "5");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#camera-dialog').open && shown(" + Card("yard") + ")"));
  EXPECT_TRUE(
      tab.Await("/^No frames come, and it is tried again: .*401/.test(text(one('.source', " + Card("yard") + ")))"));
  EXPECT_EQ(LowContrast(tab), "");
  tab.Show("camera-trouble");

  tab.Click(Button("Edit camera: yard"));
  tab.Type("one('#camera-user')", "me");
  tab.Type("one('#camera-password')", kPassword);
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("one('img', " + Card("yard") + ").naturalWidth === 320"));
  EXPECT_TRUE(tab.Await("!shown(one('.source', " + Card("yard") + "))"));
  EXPECT_TRUE(tab.Await("!" + Has("ge/h")));

  tab.Click(Button("Edit camera: yard"));  // its name only: the password that is not shown stays
  EXPECT_EQ(tab.AskText("one('#camera-source').value"), camera.url());
  EXPECT_EQ(tab.AskText("one('#camera-user').value + one('#camera-password').value"), "");
  tab.Type("one('#camera-name')", "garden");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("one('img', " + Card("garden") + ").naturalWidth === 320"));
  tab.Ask("(window.before = one('img', " + Card("garden") + ").src)");
  EXPECT_TRUE(tab.Await("one('img', " + Card("garden") + ").src !== before")) << "frames go on";

  tab.Click(Button("Edit camera: garden"));
  tab.Click(Button("Delete"));
  ASSERT_TRUE(tab.Await("text(one('#question')).startsWith('Delete the camera “garden”?')"));
  tab.Click("one('#question-yes')");
  EXPECT_TRUE(tab.Await("all('.camera').length === 0 && shown(one('#no-cameras'))"));
  EXPECT_EQ(tab.AskText("document.activeElement.id"), "add-camera");
}

TEST_F(PageTest, ACameraKeepsADeviceThatThePageHasNotReadYet) {
  Household home = MakeHousehold("unread", "hall");
  Tab tab(browser());
  tab.RunBeforeEachPage(std::string(kHeldRequests) + "window.heldAfter = '/v1/devices';");
  SignIn(tab, home);
  tab.Click(Button("Edit camera: hall"));
  EXPECT_EQ(tab.AskText("one('#camera-device').selectedOptions[0].text"), "a device that is not read yet");
  tab.Type("one('#camera-name')", "attic");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("!one('#camera-dialog').open && shown(" + Card("attic") + ")"));
  EXPECT_EQ(integration::Text(gateway().Get("/v1/cameras/" + home.camera, home.token), "device"), home.device);
}

TEST_F(PageTest, WhereNoCameraIsFetchedTheFormSaysWhichSettingThatIs) {
  const Household home = MakeHousehold("unpulled", "hall");
  ExpectOnConsole("status of 403");
  Tab tab(browser());
  SignIn(tab, home);
  tab.Click(Button("Add a camera"));
  tab.Type("one('#camera-name')", "yard");
  tab.Type("one('#camera-source')", "rtsp://192.0.2.1/1");
  tab.Click(Button("Save"));
  ASSERT_TRUE(tab.Await("text(one('#camera-trouble')).includes('pull-cameras')"));
  EXPECT_EQ(tab.AskText("document.activeElement.id"), "camera-source");
  EXPECT_EQ(tab.AskText("one('#camera-source').getAttribute('aria-describedby')"), "camera-how camera-trouble");
  tab.Click(Button("Cancel"));
  tab.Click(Button("Add a camera"));
  EXPECT_EQ(tab.AskText("one('#camera-source').getAttribute('aria-describedby')"), "camera-how");
}

}  // namespace
}  // namespace pawsight::browser
