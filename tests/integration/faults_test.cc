// A real worker and what may befall it: artifacts cut short or written into while it serves, bad ones put in place of
// good ones, threads that hang, clients that vanish in every state.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <optional>
#include <thread>

#include "frames/encode.h"
#include "net/testing.h"
#include "running_worker.h"
#include "server/served_vqa.h"
#include "stopped_thread.h"
#include "targets/testing.h"

namespace pawsight::integration {
namespace {

using net::testing::RawClient;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

/// Whether it comes true; asked again and again, for longer than any machine needs.
bool Comes(const std::function<bool()>& true_now) {
  const auto start = std::chrono::steady_clock::now();
  while (!true_now()) {
    if (std::chrono::steady_clock::now() - start > std::chrono::minutes(2)) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

const char* const kComponents[] = {"image_encoder", "text_encoder", "text_decoder"};

class Faults : public ::testing::Test {
 protected:
  /// A tiny model of noise, compiled in bf16.
  void Compile(const std::string& to) const {
    targets::WriteTinyModel(folder_.Path("model"), "BlipForQuestionAnswering");
    const Ended compiled = RunProgram({"compile", folder_.Path("model"), "--out", to, "--precision", "bf16"});
    ASSERT_EQ(compiled.code, 0) << compiled.err;
  }
  void SetUp() override {
    Compile(artifacts_);
    Compile(good_);
  }
  std::string ArtifactOf(const std::string& component) const { return artifacts_ + "/" + component + ".artifact"; }
  /// Puts a copy of the good artifact in place, as a compile does.
  void Repair(const std::string& component) const { Replace(component, good_ + "/" + component + ".artifact"); }
  void Replace(const std::string& component, const std::string& by) const {
    const std::string beside = artifacts_ + "/new";
    std::filesystem::copy_file(by, beside, std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(beside, ArtifactOf(component));
  }

  std::unique_ptr<RunningWorker> Serve(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"--artifacts", artifacts_};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<RunningWorker>(arguments);
  }
  static std::string Request(const std::string& image, const std::string& parameters = "{}") {
    return InferRequest("vqa", {{"image", {1}, {image}}, {"question", {1}, {"w5 w6"}}}, parameters);
  }
  static HttpAnswer Ask(const RunningWorker& worker, const std::string& parameters = "{}") {
    return RunningWorker::Exchange(worker.http_port(), Request(RoomJpeg(1, 64, 64), parameters));
  }
  static bool Ready(const RunningWorker& worker) { return worker.Get("/v2/health/ready").status == 200; }

  const TempFolder folder_;
  const std::string artifacts_ = folder_.Path("artifacts");
  const std::string good_ = folder_.Path("good");
};

TEST_F(Faults, AnArtifactCutShortOrWrittenIntoWhileItServesIsNoAnswerAndTheProcessLives) {  // C8
  const auto worker = Serve({"--canary-interval", "100ms", "--threads", "2"});
  const HttpAnswer before = Ask(*worker);
  ASSERT_EQ(before.status, 200) << before.body;
  const std::vector<std::function<void(const std::string&)>> harms = {
      [](const std::string& path) { std::filesystem::resize_file(path, 4096 + 64); },
      [](const std::string& path) { std::filesystem::resize_file(path, 0); },
      [](const std::string& path) {
        std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(5000);
        file.put('x');
      }};
  for (size_t i = 0; i < harms.size(); ++i) {
    for (const std::string component : kComponents) {
      SCOPED_TRACE(component + " harm " + std::to_string(i));
      harms[i](ArtifactOf(component));
      const HttpAnswer harmed = Ask(*worker);
      EXPECT_EQ(harmed.status, 503) << harmed.body;
      EXPECT_THAT(harmed.body, HasSubstr("put artifacts in place by renaming"));
      EXPECT_TRUE(Comes([&] { return !Ready(*worker); }));
      EXPECT_EQ(worker->Get("/v2/health/live").status, 200);
      Repair(component);
      worker->program().Signal(SIGHUP);
      EXPECT_TRUE(Comes([&] { return Ready(*worker); }));
      EXPECT_EQ(Ask(*worker).body, before.body) << "as before the harm";
    }
  }
  EXPECT_TRUE(worker->program().Runs());
}

TEST_F(Faults, ABadArtifactNeverReplacesAGoodOne) {
  const auto worker = Serve({});
  const HttpAnswer before = Ask(*worker);
  ASSERT_EQ(before.status, 200);
  const std::string path = ArtifactOf("text_decoder");
  const std::string bad = folder_.Path("bad");
  const auto copy = [&] { std::filesystem::copy_file(path, bad, std::filesystem::copy_options::overwrite_existing); };
  const auto flip = [&](int64_t at) {
    copy();
    std::fstream file(bad, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  };
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  const std::vector<std::pair<std::string, std::function<void()>>> cases = {
      {"empty", [&] { WriteText(bad, ""); }},
      {"no artifact", [&] { WriteText(bad, std::string(1 << 16, 'x')); }},
      {"cut short", [&] { copy(), std::filesystem::resize_file(bad, static_cast<uintmax_t>(size / 2)); }},
      {"a bit of the weights", [&] { flip(size / 2); }},
      {"a bit of the header", [&] { flip(size - 20); }},
      {"another component", [&] {
         std::filesystem::copy_file(ArtifactOf("text_encoder"), bad, std::filesystem::copy_options::overwrite_existing);
       }}};
  size_t failures = 0;
  for (const auto& [name, make] : cases) {
    SCOPED_TRACE(name);
    make();
    Replace("text_decoder", bad);
    worker->program().Signal(SIGHUP);
    ++failures;
    const auto count = [&] {
      size_t found = 0;
      const std::string said = worker->program().WaitUntilSaid("reload_failed");
      for (size_t at = said.find("reload_failed"); at != std::string::npos; at = said.find("reload_failed", at + 1))
        ++found;
      return found;
    };
    EXPECT_TRUE(Comes([&] { return count() == failures; }));
    EXPECT_TRUE(Ready(*worker));
    EXPECT_EQ(Ask(*worker).body, before.body);
    Repair("text_decoder");
  }
  std::filesystem::remove(path);
  worker->program().Signal(SIGHUP);
  EXPECT_EQ(Ask(*worker).body, before.body) << "a missing one neither";
}

/// How a request that no thread works on ends, by what the worker counts: let in, it is told at its deadline; refused
/// at the door, at once. Which of them is for the schedule (its tests have each case): what batches took before says
/// whether it could be in time, and how long one has run whether that comes back.
void ExpectToldWhyNot(const RunningWorker& worker, const std::function<int()>& ask) {
  struct Way {
    int status;
    std::string counter;
    double before = 0;
  };
  std::vector<Way> ways = {{504, R"(pawsight_server_requests_total{outcome="expired"})"},
                           {429, R"(pawsight_server_refusals_total{reason="deadline"})"},
                           {503, R"(pawsight_server_refusals_total{reason="wedged"})"}};
  for (Way& way : ways) way.before = worker.Metric(way.counter);
  const int status = ask();
  for (const Way& way : ways) {
    EXPECT_EQ(worker.Metric(way.counter) - way.before, way.status == status ? 1 : 0) << status << ", " << way.counter;
  }
  EXPECT_THAT(status, ::testing::AnyOf(504, 429, 503));
}

TEST_F(Faults, AThreadThatHangsMakesTheWorkerNotReadyAndItsReturnReadyAgain) {
  EXPECT_LE(server::ServedVqaOptions().canary_interval + server::ServedVqaOptions().canary_limit,
            std::chrono::seconds(10))
      << "within ten seconds, as the worker is started; here it is told to be faster";
  const auto worker = Serve({"--threads", "2", "--canary-interval", "100ms", "--canary-limit", "300ms"});
  for (const std::string thread : {"team", "runner", "decode"}) {
    SCOPED_TRACE(thread);
    std::string why_not;
    auto stopped = StoppedThread::Stop(worker->program().pid(), thread, StopWhere::kWaiting, &why_not);
    if (stopped == nullptr) GTEST_SKIP() << "SKIPPED: " << why_not;
    EXPECT_TRUE(Comes([&] { return !Ready(*worker); }));
    EXPECT_EQ(worker->Get("/v2/health/live").status, 200);
    ExpectToldWhyNot(*worker, [&] { return Ask(*worker, R"({"timeout":200000})").status; });
    stopped.reset();
    EXPECT_TRUE(Comes([&] { return Ready(*worker); }));
    EXPECT_TRUE(Comes([&] { return Ask(*worker).status == 200; })) << "what the hang taught of batches is forgotten";
  }
}

#ifndef PAWSIGHT_SANITIZED
/// A photo that takes a while to decode: noise of 9 megapixels.
std::string LargeJpeg() {
  frames::Image image(3000, 3000);
  uint32_t state = 1;
  for (uint8_t& byte : image.rgb) byte = static_cast<uint8_t>((state = state * 1664525 + 1013904223) >> 24U);
  const std::vector<uint8_t> jpeg = frames::EncodeJpeg(image, 60).value();
  return {jpeg.begin(), jpeg.end()};
}
#endif

TEST_F(Faults, AClientThatVanishesFreesItsSlotBeforeAnythingElseIsAnswered) {  // B31
  // One thread reads all connections, so who asks after a client has gone finds its slot free: no time is measured
  // here. server_bench's http/client_goes measures it. No canary comes between: what is in flight is the clients'.
  const auto worker = Serve({"--threads", "2", "--canary-interval", "60s"});
  ASSERT_EQ(Ask(*worker).status, 200);
  const auto in_flight = [&] { return worker->Metric("pawsight_server_requests_in_flight"); };
  const auto busy = [&] { return worker->Metric("pawsight_server_runners_busy"); };
  const auto num_gone = [&] {
    const Json said = worker->Get("/v2/models/vqa/stats").json();
    return said.Find("model_stats")->as_array().at(0).Find("inference_stats")->Find("fail")->Find("count")->as_number();
  };
  std::string why_not;

  const auto vanish = [&](std::optional<RawClient>& client, double left) {
    const double before = num_gone();
    client->Leave();
    EXPECT_EQ(num_gone(), before + 1);
    EXPECT_EQ(in_flight(), left);
    client.reset();
  };
  {
    SCOPED_TRACE("executing, then queued behind it");
    const auto stopped = StoppedThread::Stop(worker->program().pid(), "team", StopWhere::kWaiting, &why_not);
    if (stopped == nullptr) GTEST_SKIP() << "SKIPPED: " << why_not;
    std::optional<RawClient> executing(std::in_place, worker->http_port());
    executing->Send(Request(RoomJpeg(1, 64, 64)));
    ASSERT_TRUE(Comes([&] { return busy() == 1; }));
    std::optional<RawClient> queued(std::in_place, worker->http_port());
    queued->Send(Request(RoomJpeg(2, 64, 64)));
    ASSERT_TRUE(Comes([&] { return worker->Metric("pawsight_server_queue_length") == 1; }));
    EXPECT_EQ(in_flight(), 2);
    vanish(queued, 1);
    EXPECT_EQ(worker->Metric("pawsight_server_queue_length"), 0);
    vanish(executing, 0);
    EXPECT_EQ(busy(), 1) << "the engine's call is not cut off; its slot in the queue is free";
  }
  ASSERT_TRUE(Comes([&] { return busy() == 0; }));
#ifdef PAWSIGHT_SANITIZED
  std::cout
      << "NOT ASKED under a sanitizer: \"decoding\", whose stopped thread may hold the allocator's lock, on which "
         "all others wait\n";
#else
  {
    SCOPED_TRACE("decoding");
    const std::string request = Request(LargeJpeg());
    std::unique_ptr<StoppedThread> stopped;
    std::optional<RawClient> decoding;
    for (int tries = 0; stopped == nullptr && tries < 20; ++tries) {  // it may be decoded before the stop comes
      if (decoding) decoding->Leave();
      EXPECT_GE(num_gone(), 0) << "and that is in the books";
      decoding.emplace(worker->http_port());
      decoding->Send(request);
      stopped = StoppedThread::Stop(worker->program().pid(), "decode", StopWhere::kComputing, &why_not);
      if (stopped != nullptr && in_flight() < 0) stopped = nullptr;  // it holds a lock that all others want
    }
    ASSERT_NE(stopped, nullptr) << why_not;
    ASSERT_TRUE(Comes([&] { return in_flight() == 1; }));
    vanish(decoding, 0);
  }
#endif
  {
    SCOPED_TRACE("responding");
    for (int i = 0; i < 20; ++i) {
      std::optional<RawClient> responding(std::in_place, worker->http_port());
      responding->Send(Request(RoomJpeg(3, 64, 64)));
      std::this_thread::sleep_for(std::chrono::microseconds(100 * i));  // somewhere around its answer
      responding.reset();
    }
    EXPECT_TRUE(Comes([&] { return in_flight() == 0; }));
  }
  EXPECT_GE(worker->Metric(R"(pawsight_server_requests_total{outcome="cancelled"})"), 3);
  EXPECT_EQ(Ask(*worker).status, 200);
}

}  // namespace
}  // namespace pawsight::integration
