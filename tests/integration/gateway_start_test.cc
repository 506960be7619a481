// Starts of `pawsight gateway` that fail, at each part that can: what it says, with which exit code, and that whatever
// was acknowledged before is there and told once a start succeeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "net/http_server.h"
#include "net/webhook_testing.h"
#include "program.h"
#include "running_gateway.h"

namespace pawsight::integration {
namespace {

using net::testing::Webhook;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// A directory in which a gateway was killed while an alert fires that nobody could be told of.
class GatewayStart : public ::testing::Test {
 protected:
  GatewayStart() {
    router_.Add("POST", "/hook",
                [](const net::HttpRequest&) { return net::HttpResponse{503, "text/plain", "", {}, {}, nullptr}; });
    down_ = net::HttpServer::Start({}, router_).value();
    RunningGateway gateway(data_);
    const std::string admin = AdminToken(data_);
    const Json owner = gateway.Post("/v1/owners", admin, R"({"name":"home"})");
    token_ = Text(*owner.Find("credential"), "token");
    camera_ = Text(gateway.Post("/v1/cameras", token_, R"({"name":"den","gate":false})"), "id");
    receiver_ = Text(gateway.Post("/v1/receivers", token_, Receiver(down_->url() + "/hook")), "id");
    gateway.Post("/v1/rules", token_, R"({"question":"Is there a dog?","threshold":0.6,"clear_s":3600})");
    const std::string frames = "/v1/cameras/" + camera_ + "/frames?wait=answers";
    for (uint64_t seed = 1; seed <= 40 && alert_.empty(); ++seed) {
      const Json result = gateway.Call("POST", frames, token_, Room(seed), "image/jpeg").second;
      const Json::Array& alerts = result.Find("alerts")->as_array();
      if (!alerts.empty()) alert_ = alerts.front().as_string();
    }
    EXPECT_FALSE(alert_.empty()) << "some room has a dog";
    gateway.program().Signal(SIGKILL);
    (void)gateway.program().Wait();  // 137
  }
  static std::string Receiver(const std::string& url) {
    return R"({"name":"hook","config":{"kind":"webhook","url":")" + url + "\"}}";
  }
  /// A start that must fail.
  Ended Start(std::vector<std::string> more) const {
    std::vector<std::string> arguments = {"gateway",    "--data", data_, "--receiver-plain", "--receiver-networks",
                                          "127.0.0.0/8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ended ended = RunProgram(arguments);
    EXPECT_THAT(ended.err, Not(HasSubstr("gateway_started")));
    EXPECT_THAT(ended.out, Not(HasSubstr("paw_")));
    return ended;
  }
  /// The alert fires still, and its opening comes to the webhook that its receiver is given now.
  void ExpectNothingLost() const {
    Webhook hook;
    RunningGateway gateway(data_);
    const Json open = gateway.Get("/v1/alerts?state=firing", token_);
    ASSERT_EQ(open.Find("items")->as_array().size(), 1U) << open.Dump();
    EXPECT_EQ(Text(open.Find("items")->as_array()[0], "id"), alert_);
    EXPECT_THAT(gateway.Call("PUT", "/v1/receivers/" + receiver_, token_, Receiver(hook.url())).first,
                HasSubstr(" 200 "));
    const Json told = hook.Next();
    EXPECT_EQ(Text(told, "type"), "alert.fired");
    EXPECT_EQ(Text(*told.Find("data"), "alert"), alert_);
    gateway.program().Signal(SIGTERM);
    EXPECT_EQ(gateway.program().Wait().code, 0);
  }

  net::Router router_;
  std::unique_ptr<net::HttpServer> down_;  // a webhook that takes nothing
  const TempFolder folder_;
  const std::string data_ = folder_.Path("data");
  std::string token_, camera_, receiver_, alert_;
};

TEST_F(GatewayStart, APortThatIsTakenIsNamedAndNothingIsLost) {
  net::Router nothing;
  const auto other = net::HttpServer::Start({}, nothing).value();
  const std::string taken = "127.0.0.1:" + std::to_string(other->port());
  for (const std::vector<std::string>& listen :
       {std::vector<std::string>{"--listen", taken}, {"--listen", "127.0.0.1:0", "--listen-metrics", taken}}) {
    const Ended ended = Start(listen);
    EXPECT_EQ(ended.code, 4) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr("listen on " + taken + ": Address already in use; choose another port"));
  }
  ExpectNothingLost();
}

TEST_F(GatewayStart, NoFrameIsLetInThatIsDecodedNowhere) {
  EXPECT_EQ(Start({"--max-frame", "8MiB", "--check-config"}).code, 0);
  const Ended more = Start({"--max-frame", "9MiB", "--check-config"});
  EXPECT_EQ(more.code, 2) << more.err;
  EXPECT_THAT(more.err, HasSubstr("max-frame"));
}

TEST_F(GatewayStart, AModelOrALogThatCannotBeOpenedIsNamedAndNothingIsLost) {
  const Ended model = Start({"--listen", "127.0.0.1:0", "--model", folder_.Path("none")});
  EXPECT_EQ(model.code, 3) << model.err;
  EXPECT_THAT(model.err, HasSubstr(folder_.Path("none")));
  const Ended log = Start({"--listen", "127.0.0.1:0", "--access-log", folder_.Path("none/log")});
  EXPECT_EQ(log.code, 3) << log.err;
  EXPECT_THAT(log.err, HasSubstr(folder_.Path("none/log")));
  ExpectNothingLost();
}

TEST_F(GatewayStart, AStoreThatIsNoneIsLeftAsItIsAndTheRightOneGoesOn) {
  const std::string aside = folder_.Path("aside");
  fs::create_directory(aside);
  std::vector<fs::path> parts;
  for (const auto& entry : fs::directory_iterator(data_)) {
    if (entry.path().filename().string().starts_with("gateway.sqlite")) parts.push_back(entry.path());
  }
  for (const fs::path& part : parts) fs::rename(part, aside / part.filename());
  const std::string broken(8192, '#');
  WriteText(data_ + "/gateway.sqlite", broken);
  const Ended ended = Start({"--listen", "127.0.0.1:0"});
  EXPECT_EQ(ended.code, 3) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr(data_ + "/gateway.sqlite"));
  EXPECT_EQ(ReadTextFile(data_ + "/gateway.sqlite", 1U << 20U).value(), broken);
  for (const fs::path& part : parts) fs::rename(fs::path(aside) / part.filename(), part);
  ExpectNothingLost();
}

TEST(GatewayDescriptors, MoreConnectionsThanThereAreDescriptorsAreRefusedWithWhatToDo) {
  const TempFolder folder;
  const std::string command = "ulimit -n 1024 && exec timeout 60 '" PAWSIGHT_PROGRAM
                              "' gateway --listen 127.0.0.1:0 --data '" +
                              folder.Path("data") + "' --max-connections 20000 2>&1";
  FILE* const program = popen(command.c_str(), "r");
  ASSERT_NE(program, nullptr);
  std::string said;
  char part[4096];
  while (const size_t size = fread(part, 1, sizeof part, program)) said.append(part, size);
  EXPECT_EQ(WEXITSTATUS(pclose(program)), 3) << said;
  EXPECT_THAT(said, HasSubstr("max-connections: 20000 do not fit"));
  EXPECT_THAT(said, HasSubstr("LimitNOFILE="));
  EXPECT_FALSE(fs::exists(folder.Path("data"))) << "nothing was begun";
}

}  // namespace
}  // namespace pawsight::integration
