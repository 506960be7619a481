// Cameras that a whole gateway pulls: MJPEG, a snapshot URL, RTSP. Their frames come and are answered; one that hangs
// or refuses is left, tried again after a pause, and both can be read over the API.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "base/files.h"
#include "base/json.h"
#include "frames/encode.h"
#include "gateway/rtsp_testing.h"
#include "net/child_process.h"
#include "net/http_server.h"
#include "net/testing.h"
#include "program.h"
#include "running_gateway.h"
#include "scenes/draw.h"

namespace pawsight::integration {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

/// An MJPEG camera: one client at a time, the newest; it gets what Show is given, and nothing when nothing is shown.
class MjpegCamera {
 public:
  MjpegCamera() : thread_([this] { ServeAll(); }) {}
  ~MjpegCamera() {
    stopping_ = true;
    listener_.Stop();
    thread_.join();
    if (client_ >= 0) close(client_);
  }
  MjpegCamera(const MjpegCamera&) = delete;
  MjpegCamera& operator=(const MjpegCamera&) = delete;

  std::string Address() const { return "127.0.0.1:" + std::to_string(listener_.port()); }
  /// That were let in.
  int num_clients() const { return num_clients_; }
  /// From now on nobody is let in, and who is in goes.
  void SetBusy(bool busy) {
    const std::lock_guard lock(mu_);
    busy_ = busy;
    if (busy_ && client_ >= 0) shutdown(client_, SHUT_RDWR);
  }
  void Show(const std::string& jpeg) {
    const std::lock_guard lock(mu_);
    if (client_ < 0) return;
    Send(client_, "--cut\r\nContent-Type: image/jpeg\r\nContent-Length: " + std::to_string(jpeg.size()) + "\r\n\r\n" +
                      jpeg + "\r\n");
  }

 private:
  static void Send(int to, std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // it has gone
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  void ServeAll() {
    while (!stopping_) {
      const int client = listener_.Accept();
      if (client < 0) continue;
      std::string request;
      char part[1024];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t got = recv(client, part, sizeof part, 0);
        if (got <= 0) break;
        request.append(part, static_cast<size_t>(got));
      }
      const std::lock_guard lock(mu_);
      if (busy_) {
        Send(client, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        close(client);
        continue;
      }
      Send(client, "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=cut\r\n\r\n");
      if (client_ >= 0) close(client_);
      client_ = client;
      ++num_clients_;
    }
  }

  net::testing::Listener listener_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> num_clients_{0};
  std::mutex mu_;
  int client_ = -1;    // of mu_
  bool busy_ = false;  // of mu_
  std::thread thread_;
};

/// A gateway that pulls one camera of one owner, whose rule asks about every frame.
class GatewaySources : public ::testing::Test {
 protected:
  explicit GatewaySources(const std::string& silence = "1s")
      : gateway_({"gateway", "--listen", "127.0.0.1:0", "--data", folder_.Path("data"), "--pull-cameras",
                  "--pull-silence", silence},
                 "gateway_ready"),
        admin_(AdminToken(folder_.Path("data"))) {
    const Json owner = gateway_.Post("/v1/owners", admin_, R"({"name":"home"})");
    token_ = Text(*owner.Find("credential"), "token");
    rule_ = Text(gateway_.Post("/v1/rules", token_, R"({"question":"Is there a dog?"})"), "id");
  }
  ~GatewaySources() override {
    gateway_.program().Signal(SIGTERM);
    const Ended ended = gateway_.program().Wait();
    EXPECT_EQ(ended.code, 0) << ended.err;
    EXPECT_THAT(ended.err, AllOf(Not(HasSubstr("geheim")), Not(HasSubstr("k=auch")))) << "no password is logged";
  }
  /// Few frames a second: the newest 32 outcomes, in which answers are looked for, are a while then.
  void Pull(const std::string& source, int fps = 2) {
    const Json camera = Json::Object{{"name", "yard"}, {"gate", false}, {"fps", fps}, {"source", source}};
    camera_ = Text(gateway_.Post("/v1/cameras", token_, camera.Dump()), "id");
  }
  /// What the API says of the source; null while there is none.
  Json Source() const {
    const Json stats = gateway_.Get("/v1/stats", token_);
    const Json::Array& sources = stats.Find("sources")->as_array();
    if (sources.empty()) return {};
    EXPECT_EQ(Text(sources.at(0), "camera"), camera_);
    EXPECT_THAT(stats.Dump(), AllOf(Not(HasSubstr("geheim")), Not(HasSubstr("k=auch"))));
    return sources.at(0);
  }
  /// Until the API says so of the source; meanwhile `meanwhile`.
  template <typename Holds, typename Meanwhile>
  Json Await(const Holds& holds, const Meanwhile& meanwhile) {
    while (true) {
      meanwhile();
      const Json source = Source();
      if (!source.is_null() && holds(source)) return source;
      std::this_thread::yield();
    }
  }
  template <typename Holds>
  Json Await(const Holds& holds) {
    return Await(holds, [] {});
  }
  /// Until so many frames of the camera were answered.
  template <typename Meanwhile>
  void AwaitAnswers(int64_t count, const Meanwhile& meanwhile) {
    while (true) {
      meanwhile();
      int64_t answered = 0;
      const Json why = gateway_.Get("/v1/rules/" + rule_ + "/why", token_);
      for (const Json& outcome : why.Find("newest")->as_array()) {
        answered += outcome.GetNumber("p_yes").ok() && Text(outcome, "camera") == camera_ ? 1 : 0;
      }
      if (answered >= count) return;
      std::this_thread::yield();
    }
  }
  std::string Metric(const std::string& name) const {
    net::testing::RawClient client(gateway_.port());
    client.Send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer " + admin_ +
                "\r\n\r\n");
    const std::string all = client.ReadAll();
    const size_t at = all.find("\n" + name + " ");
    EXPECT_NE(at, std::string::npos) << name;
    if (at == std::string::npos) return "";
    const size_t from = at + name.size() + 2;
    return all.substr(from, all.find('\n', from) - from);
  }
  static int64_t Number(const Json& source, std::string_view key) { return source.GetInteger(key).value(); }

  const TempFolder folder_;
  RunningGateway gateway_;
  const std::string admin_;
  std::string token_, rule_, camera_;
};

TEST_F(GatewaySources, AnMjpegCameraIsWatchedLeftWhenItHangsAndTakenUpAgain) {
  MjpegCamera camera;
  uint64_t seed = 0;
  const auto show = [&] { camera.Show(Room(++seed % 20)); };
  Pull("http://me:geheim@" + camera.Address() + "/mjpeg?k=auch");
  AwaitAnswers(3, show);
  const Json running = Await([](const Json& source) { return Text(source, "state") == "running"; }, show);
  EXPECT_GE(Number(running, "frames"), 3);
  EXPECT_TRUE(running.GetString("last_frame").ok()) << running.Dump();
  EXPECT_EQ(Text(running, "address"), "http://" + camera.Address() + "/mjpeg?...");

  const int64_t before = Number(running, "failures");
  const int clients = camera.num_clients();
  const Json hung = Await([&](const Json& source) { return Number(source, "failures") > before; });
  EXPECT_THAT(Text(hung, "last_error"), HasSubstr("nothing came for too long"));
  while (camera.num_clients() == clients) std::this_thread::yield();  // it is connected to anew, after a pause
  const int64_t frames = Number(hung, "frames");
  Await([&](const Json& source) { return Number(source, "frames") > frames; }, show);

  camera.SetBusy(true);
  const Json refused = Await([](const Json& source) {
    return Text(source, "state") == "waiting" && Text(source, "last_error").find("503") != std::string::npos;
  });
  EXPECT_EQ(Metric(R"(pawsight_gateway_sources{state="waiting"})"), "1");
  const int64_t failures = Number(refused, "failures");
  Await([&](const Json& source) { return Number(source, "failures") > failures; });
  camera.SetBusy(false);
  const int64_t until = Number(refused, "frames") + 2;
  Await([&](const Json& source) { return Number(source, "frames") >= until; }, show);
  EXPECT_NE(Metric("pawsight_gateway_sources_failures"), "0");
  EXPECT_THAT(gateway_.Call("DELETE", "/v1/cameras/" + camera_, token_).first, HasSubstr(" 204 "));
  while (!Source().is_null()) std::this_thread::yield();
}

TEST_F(GatewaySources, ASnapshotUrlIsAskedAgainAndAgain) {
  std::atomic<uint64_t> seed{0};
  net::Router router;
  router.Add("GET", "/snap.jpg", [&](const net::HttpRequest& request) {
    const bool right = request.Header("authorization") == "Basic bWU6Z2VoZWlt";  // me:geheim
    if (!right)
      return net::HttpResponse{401, "text/plain", "", {{"WWW-Authenticate", "Basic realm=\"cam\""}}, {}, nullptr};
    return net::HttpResponse{200, "image/jpeg", Room(++seed % 20), {}, {}, nullptr};
  });
  const auto server = net::HttpServer::Start({}, router).value();
  std::string url = server->url() + "/snap.jpg";
  url.insert(url.find("//") + 2, "me:geheim@");
  Pull(url);
  AwaitAnswers(3, [] {});
  EXPECT_GE(Number(Source(), "frames"), 3);
}

/// Silence is also what there is until ffmpeg has started, however long that takes.
class PatientGatewaySources : public GatewaySources {
 protected:
  PatientGatewaySources() : GatewaySources("60s") {}
};

TEST_F(PatientGatewaySources, AnRtspCameraThatEndsIsTakenUpAgain) {
  if (!net::ChildProcess::Start({"ffmpeg", "-version"}).ok()) {
    GTEST_SKIP() << "LOUD: ffmpeg is missing, RTSP is not tested";
  }
  const gateway::testing::RtspCamera camera(frames::EncodeJpeg(scenes::Draw(3, 320, 240).image, 80).value(), 60);
  Pull(camera.url());
  AwaitAnswers(2, [] {});
  Await([](const Json& source) { return Number(source, "failures") >= 1; });
  while (camera.num_plays() < 2) std::this_thread::yield();
}

}  // namespace
}  // namespace pawsight::integration
