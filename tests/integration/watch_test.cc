// Whole runs with the model that ships: photos asked, a folder watched, alerts recorded, a run interrupted.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <thread>

#include "api_call.h"
#include "base/files.h"
#include "base/json.h"
#include "frames/encode.h"
#include "net/http_server.h"
#include "program.h"
#include "scenes/draw.h"

namespace pawsight::integration {
namespace {

using ::testing::HasSubstr;

/// Each line of `text` as JSON; a line that is none fails the test.
std::vector<Json> JsonLines(const std::string& text) {
  std::vector<Json> lines;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    Result<Json> line = Json::Parse(text.substr(start, end - start));
    EXPECT_TRUE(line.ok()) << text.substr(start, end - start);
    if (line.ok()) lines.push_back(std::move(line).value());
    start = end + 1;
  }
  return lines;
}

/// Draws scene-0.jpg, scene-1.jpg, ... into `folder`.
void DrawScenes(const std::string& folder, int count) {
  const Ended drawn = RunProgram({"scenes", "draw", "--out", folder, "--count", std::to_string(count)});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
}

TEST(Ask, EveryPhotoAndQuestionIsOneJsonLine) {
  const TempFolder folder;
  DrawScenes(folder.Path(""), 2);
  const Ended asked = RunProgram({"ask", "--json", "-q", "Is there a dog?", "-q", "Is there a cat?",
                                  folder.Path("scene-0.jpg"), folder.Path("scene-1.jpg")});
  EXPECT_EQ(asked.code, 0) << asked.err;
  const std::vector<Json> lines = JsonLines(asked.out);
  ASSERT_EQ(lines.size(), 4U) << asked.out;
  for (const Json& line : lines) {
    for (const char* field : {"image", "question", "mode", "answer", "p_yes", "score", "ms"}) {
      EXPECT_NE(line.Find(field), nullptr) << field << " is missing in " << line.Dump();
    }
  }
}

TEST(Ask, APhotoThatIsNoneIsReportedAndTheOthersAreAnswered) {
  const TempFolder folder;
  DrawScenes(folder.Path(""), 1);
  WriteText(folder.Path("text.jpg"), "this is no photo");
  WriteText(folder.Path("empty.png"), "");
  const Ended asked = RunProgram({"ask", "--json", "-q", "Is there a dog?", folder.Path("text.jpg"),
                                  folder.Path("empty.png"), folder.Path("absent.jpg"), folder.Path("scene-0.jpg")});
  EXPECT_EQ(asked.code, 1) << asked.err;
  const std::vector<Json> lines = JsonLines(asked.out);
  ASSERT_EQ(lines.size(), 4U) << asked.out;
  for (size_t i = 0; i < 3; ++i) EXPECT_NE(lines[i].Find("error"), nullptr) << lines[i].Dump();
  EXPECT_NE(lines[3].Find("answer"), nullptr) << lines[3].Dump();
}

TEST(Ask, AnAnswerDoesNotDependOnTheQuestionsBesideIt) {
  const TempFolder folder;
  DrawScenes(folder.Path(""), 1);
  const std::string photo = folder.Path("scene-0.jpg");
  const Ended alone = RunProgram({"ask", "--json", "-q", "Is there a dog?", photo});
  const Ended beside =
      RunProgram({"ask", "--json", "-q", "Is there a dog?", "-q", "Is the cat sleeping on the bed?", photo});
  const std::vector<Json> one = JsonLines(alone.out);
  const std::vector<Json> two = JsonLines(beside.out);
  ASSERT_EQ(one.size(), 1U) << alone.err;
  ASSERT_EQ(two.size(), 2U) << beside.err;
  EXPECT_EQ(one[0].Find("p_yes")->Dump(), two[0].Find("p_yes")->Dump());
}

TEST(Watch, AFolderIsWatchedToItsEndAndItsAlertsAreRecorded) {
  const TempFolder folder;
  std::filesystem::create_directory(folder.Path("frames"));
  DrawScenes(folder.Path("frames"), 4);
  // Any answer counts as yes, so the first frame fires, whatever was drawn.
  const Ended watched =
      RunProgram({"watch", folder.Path("frames"), "-q", "Is there a dog?", "--threshold", "0.01", "--every-frame",
                  "--expect", "no", "--json", "--events", folder.Path("events.sqlite")});
  EXPECT_EQ(watched.code, 0) << watched.err;
  int frames = 0;
  int fired = 0;
  for (const Json& line : JsonLines(watched.out)) {
    const std::string type = line.Find("type")->as_string();
    frames += type == "frame" ? 1 : 0;
    fired += type == "alert.fired" && line.Find("recorded")->Dump() == "true" ? 1 : 0;
  }
  EXPECT_EQ(frames, 4) << watched.out;
  EXPECT_EQ(fired, 1) << watched.out;
  EXPECT_TRUE(FileExists(folder.Path("events.sqlite")));
}

/// A camera that shows another drawn room each time.
class SnapshotCamera {
 public:
  SnapshotCamera() {
    router_.Add("GET", "/snapshot.jpg", [this](const net::HttpRequest&) {
      const auto jpeg = frames::EncodeJpeg(scenes::Draw(++number_ % 40, 320, 240).image, 85).value();
      return net::HttpResponse{200, "image/jpeg", std::string(jpeg.begin(), jpeg.end()), {}, {}, nullptr};
    });
    server_ = net::HttpServer::Start({}, router_).value();
  }
  std::string url() const { return server_->url() + "/snapshot.jpg"; }

 private:
  std::atomic<uint64_t> number_{0};
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;
};

/// Whether it comes true while the program runs; asked for longer than any machine needs.
bool Comes(RunningProgram& program, const std::function<bool()>& true_now) {
  const auto start = std::chrono::steady_clock::now();
  while (program.Runs() && std::chrono::steady_clock::now() - start < std::chrono::minutes(5)) {
    if (true_now()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

TEST(Watch, ItsPageAndItsApiAreAGatewaysAndARuleMadeThereIsToldOf) {
  const TempFolder folder;
  const SnapshotCamera camera;
  RunningProgram watch({"watch", camera.url(), "-q", "Is there a dog?", "--camera", "den", "--every-frame", "--fps",
                        "20", "--json", "--events", folder.Path("events.sqlite"), "--listen", "127.0.0.1:0"});
  const std::string said = watch.WaitUntilSaid("/v1 too.");
  const size_t at = said.find("#token=");
  ASSERT_NE(at, std::string::npos) << said;
  const std::string token = said.substr(at + 7, said.find('\n', at) - at - 7);
  const int port = PortIn(said);
  EXPECT_THAT(CallApi(port, "GET", "/", "").first, HasSubstr(" 200 "));
  EXPECT_THAT(CallApi(port, "GET", "/v1/cameras", "paw_oWrong").first, HasSubstr(" 401 "));
  const Json cameras = CallApi(port, "GET", "/v1/cameras", token).second;
  ASSERT_NE(cameras.Find("items"), nullptr) << cameras.Dump();
  EXPECT_EQ(cameras.Find("items")->as_array().at(0).GetString("name").value(), "den");

  const auto [refused, why] = CallApi(port, "POST", "/v1/receivers", token,
                                      R"({"name":"hook","config":{"kind":"webhook","url":"http://127.0.0.1:9/"}})");
  EXPECT_THAT(refused, HasSubstr(" 400 ")) << "as by any gateway; " << why.Dump();

  const auto [status, rule] =
      CallApi(port, "POST", "/v1/rules", token, R"({"question":"Is there a cat?","threshold":0.01})");
  ASSERT_THAT(status, HasSubstr(" 201 ")) << rule.Dump();
  const std::string alerts = "/v1/alerts?rule=" + rule.GetString("id").value();
  ASSERT_TRUE(Comes(watch, [&] {
    const Json found = CallApi(port, "GET", alerts, token).second;
    return found.Find("items") != nullptr && !found.Find("items")->as_array().empty();
  }));
  watch.Signal(SIGINT);
  const Ended ended = watch.Wait();
  EXPECT_EQ(ended.code, 130) << ended.err;
  int fired = 0;
  for (const Json& line : JsonLines(ended.out)) {
    EXPECT_EQ(line.GetString("camera").value(), "den") << line.Dump();
    if (line.GetString("type").value() != "alert.fired" || line.GetString("rule").value() != "is-there-a-cat") continue;
    EXPECT_GT(line.GetInteger("sequence").value(), 0) << "it is in the file";
    ++fired;
  }
  EXPECT_GE(fired, 1) << ended.out;
}

int NumHomesIn(const std::string& directory) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    count += entry.path().filename().string().starts_with("pawsight-home-") ? 1 : 0;
  }
  return count;
}

TEST(Watch, WhatAKilledOneLeftIsRemovedByTheNextAndNotWhatARunningOneHas) {
  const TempFolder folder;
  const TempFolder temporary;
  DrawScenes(folder.Path(""), 1);
  const std::vector<std::string> environment = {"TMPDIR=" + temporary.Path("")};
  RunningProgram running({"demo", "--cameras", "1", "--json", "--listen", "127.0.0.1:0"}, environment);
  RunningProgram killed({"demo", "--cameras", "1", "--json", "--listen", "127.0.0.1:0"}, environment);
  running.WaitUntilSaid("Ctrl-C ends it.");
  killed.WaitUntilSaid("Ctrl-C ends it.");
  killed.Signal(SIGKILL);
  killed.Wait();
  EXPECT_EQ(NumHomesIn(temporary.Path("")), 2);
  const Ended watched = RunProgram({"watch", folder.Path(""), "-q", "Is there a dog?", "--no-events"}, "", environment);
  EXPECT_EQ(watched.code, 0) << watched.err;
  EXPECT_EQ(NumHomesIn(temporary.Path("")), 1) << "the running one's";
  running.Signal(SIGINT);
  EXPECT_EQ(running.Wait().code, 130);
  EXPECT_EQ(NumHomesIn(temporary.Path("")), 0);
}

TEST(Watch, ACameraThatDoesNotAnswerIsUnreachable) {
  const Ended watched =
      RunProgram({"watch", "http://127.0.0.1:1/snapshot.jpg", "-q", "Is there a dog?", "--no-events"});
  EXPECT_EQ(watched.code, 4) << watched.err;
  EXPECT_THAT(watched.err, HasSubstr("127.0.0.1:1"));
}

TEST(Watch, WhatCannotBeWatchedIsAUsageError) {
  const TempFolder folder;
  WriteText(folder.Path("rules.json"), "{");
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"ftp://host/file", "-q", "Is there a dog?"},
           {folder.Path(""), "--rules", folder.Path("rules.json")},
           {folder.Path(""), "-q", "Is there a dog?", "--listen", "300.1.1.1:99999"}}) {
    std::vector<std::string> words = {"watch", "--no-events"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const Ended watched = RunProgram(words);
    EXPECT_EQ(watched.code, 2) << ::testing::PrintToString(arguments) << watched.err;
  }
}

TEST(Demo, AnInterruptEndsItWithThatExitCode) {
  const Ended ended = RunProgram({"demo", "--cameras", "1", "--listen", "127.0.0.1:0"}, "Ctrl-C ends it");
  EXPECT_EQ(ended.code, 130) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("a drawn room at http://127.0.0.1:"));
  EXPECT_THAT(ended.out, HasSubstr("/#token=paw_o")) << "the page signs itself in";
}

/// What stands behind `name` in text, up to the end of the line.
std::string After(const std::string& text, const std::string& name) {
  const size_t at = text.find(name);
  return at == std::string::npos ? "" : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
}

TEST(Demo, AnAlertReachesItsOwnWebhookWhichBelievesOnlyWhatIsSigned) {
  RunningProgram demo({"demo", "--cameras", "2", "--json", "--listen", "127.0.0.1:0"});
  const std::string said = demo.WaitUntilSaid("Ctrl-C ends it.");
  const std::string token = After(said, "#token=");
  const int port = PortIn(said);
  const auto [status, rule] =
      CallApi(port, "POST", "/v1/rules", token, R"({"question":"Is there a bird?","threshold":0.01,"expect":"no"})");
  ASSERT_THAT(status, HasSubstr(" 201 ")) << rule.Dump();
  const Json receivers = CallApi(port, "GET", "/v1/receivers", token).second;
  const Json receiver = receivers.Find("items")->as_array().at(0);
  const std::string deliveries = "/v1/receivers/" + receiver.GetString("id").value() + "/deliveries";
  ASSERT_TRUE(Comes(demo, [&] {
    return CallApi(port, "GET", deliveries, token).second.Dump().find("\"delivered\"") != std::string::npos;
  }));
  const std::string hook = receiver.Find("config")->GetString("url").value();
  EXPECT_THAT(CallApi(PortIn(hook), "POST", "/alerts", "", R"({"type":"alert.fired","data":{}})").first,
              HasSubstr(" 401 "));
  demo.Signal(SIGINT);
  const Ended ended = demo.Wait();
  EXPECT_EQ(ended.code, 130) << ended.err;
  int told = 0;
  for (const Json& line : JsonLines(ended.out)) {
    if (line.GetString("type").value() != "webhook" || line.GetString("event").value() != "alert.fired") continue;
    EXPECT_THAT(line.GetString("camera").value(), ::testing::AnyOf("living room", "den"));
    ++told;
  }
  EXPECT_GE(told, 1) << ended.out;
}

}  // namespace
}  // namespace pawsight::integration
