#include "gateway/owners.h"

#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "base/check.h"
#include "base/clock.h"
#include "client/http_client.h"
#include "client/io_thread.h"
#include "gateway/homes.h"
#include "tools/gateway_target.h"
#include "tools/latency_record.h"
#include "tools/load_run.h"

namespace pawsight::bench {
namespace {

using std::chrono::steady_clock;

constexpr int kOwners = 200;
constexpr int kCamerasEach = 10;
constexpr size_t kFrameBytes = 20'000;
constexpr int kAlertsEvery = 20;  // one frame of so many is a yes
constexpr int kProbesEvery = 100;
constexpr int64_t kProbeStep = 37;  // so that neighbours are not probed one after the other
constexpr int kReaders = 10;
constexpr const char* kQuestion = "Is there a dog?";
constexpr const char* kRule = R"({"question":"Is there a dog?","clear_s":0,"cooldown_s":0})";

/// The gateway, its two pools, its homes and a load of frames on them.
class Flow {
 public:
  explicit Flow(const std::string& data, int connections)
      : gateway_(StartGateway(data, {"--workers", first_.url(), "--device-rate", "10000", "--device-burst", "10000"})),
        connections_(connections) {
    ApiConnection api(gateway_->port());
    const Json pools =
        Json::Object{{"pools", Json::Array{first_.Pool("a"), second_.Pool("b")}}, {"routing", Routing(0)}};
    (void)api.Must("PUT", "/v1/backends", gateway_->admin(), pools.Dump());
    homes_ = MakeHomes(*gateway_, kOwners, kCamerasEach, kRule, "");
    for (size_t i = 0; i < homes_.size(); ++i) {
      for (const std::string& camera : homes_[i].cameras) cameras_.push_back({i, camera});
    }
    client::HttpClientOptions options;
    options.url = gateway_->url();
    options.max_connections = static_cast<size_t>(connections);
    client_ = std::move(client::HttpClient::Make(options, io_).value());
  }
  ~Flow() { Stop(); }
  Flow(const Flow&) = delete;
  Flow& operator=(const Flow&) = delete;

  /// Until `most` frames, or Stop.
  void Start(int64_t most) {
    most_ = most;
    began_ = steady_clock::now();
    prober_ = std::jthread([this](const std::stop_token& stop) { ProbeAgainAndAgain(stop); });
    load_ = std::jthread([this] {
      const auto send = [this](int64_t number, client::Deadline deadline, tools::OnEnded on_ended) {
        Send(number, deadline, std::move(on_ended));
      };
      (void)tools::RunLoad(send, {.clients = connections_, .duration = std::chrono::hours(24)}, clock_,
                           enough_.get_token(), [](double) {}, {[] {}, [] {}});
    });
  }
  void Await() {
    if (load_.joinable()) load_.join();
    prober_ = {};
  }
  void Stop() {
    enough_.request_stop();
    Await();
  }
  bool running() const { return !enough_.stop_requested(); }
  double seconds() const { return std::chrono::duration<double>(steady_clock::now() - began_).count(); }

  void Switch(ApiConnection& api, int number) {
    (void)api.Must("PUT", "/v1/routing", gateway_->admin(), Routing(number).Dump());
  }

  const tools::GatewayProcess& gateway() const { return *gateway_; }
  const std::vector<Home>& homes() const { return homes_; }
  /// Of the frames that have ended since this was last called.
  tools::LatencyRecord TakeLatency() {
    const std::lock_guard lock(mu_);
    return std::exchange(latency_, {});
  }

  std::atomic<int64_t> sent{0}, failed{0}, foreign{0}, opened{0}, probes{0};

 private:
  static Json Routing(int number) {
    const std::string to = number % 2 == 0 ? "a" : "b";
    const std::string other = number % 2 == 0 ? "b" : "a";
    return Json::Object{{"weights", Json::Object{{to, 1}}}, {"fallback", Json::Object{{to, Json::Array{other}}}}};
  }

  void Send(int64_t number, client::Deadline deadline, tools::OnEnded on_ended) {
    if (number >= most_) {
      enough_.request_stop();
      return on_ended({"enough", true});
    }
    const size_t at = free_.Take().camera;  // of a camera the newest frame wins, and each is to be answered here
    const auto& [home, camera] = cameras_[at];
    const bool yes = number % kAlertsEvery == 0;
    client_->Exchange({.method = "POST",
                       .target = "/v1/cameras/" + camera + "/frames?wait=answers",
                       .content_type = "image/jpeg",
                       .body = Frame(camera, number, yes, kFrameBytes),
                       .token = homes_[home].device_token},
                      deadline,
                      [this, at, number, yes, begin = steady_clock::now(),
                       on_ended = std::move(on_ended)](const Result<net::ReceivedResponse>& response) {
                        const auto taken = steady_clock::now() - begin;
                        free_.GiveBack(at);
                        Note(taken);
                        Judge(response, cameras_[at].second, AnswerTo(cameras_[at].second, number, yes));
                        on_ended({});  // how it was is counted here
                      });
  }

  void Note(std::chrono::nanoseconds taken) {
    ++sent;
    const std::lock_guard lock(mu_);
    latency_.Add(taken);
  }

  void Judge(const Result<net::ReceivedResponse>& response, const std::string& camera, const std::string& wanted) {
    const bool ok = response.ok() && response->status == 200;
    const Result<Json> json = ok ? Json::Parse(response->body) : Result<Json>(NotFound("no answer"));
    const Json* answers = json.ok() ? json->Find("answers") : nullptr;
    if (answers == nullptr || answers->as_array().size() != 1) {
      const std::string why = response.ok() ? response->body : response.status().ToString();
      if (++failed <= 5) std::fprintf(stderr, "  failed: %s\n", why.c_str());
      return;
    }
    const Json& answer = answers->as_array().front();
    const bool own = *json->GetString("camera") == camera && *answer.GetString("answer") == wanted &&
                     *answer.GetString("question") == kQuestion;
    if (!own && ++foreign <= 5) std::fprintf(stderr, "  foreign: %s\n", response->body.c_str());
  }

  /// Once every so many frames, all along.
  void ProbeAgainAndAgain(const std::stop_token& stop) {
    ApiConnection api(gateway_->port());
    for (int64_t number = 0; !stop.stop_requested();) {
      if (sent < number * kProbesEvery) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        continue;
      }
      const auto& [home, camera] = cameras_[static_cast<size_t>(number++ * kProbeStep) % cameras_.size()];
      Probe(api, home, camera);
    }
  }

  /// The next home's tokens on this camera.
  void Probe(ApiConnection& api, size_t home, const std::string& camera) {
    const Home& other = homes_[(home + 1) % homes_.size()];
    const std::string path = "/v1/cameras/" + camera;
    for (const std::string& target : {path, path + "/frame"}) {
      ++probes;
      if (api.Call("GET", target, other.operator_token).status != 404) ++opened;
    }
    ++probes;
    const int status =
        api.Call("POST", path + "/frames", other.device_token, Frame(camera, 0, true, kFrameBytes), "image/jpeg")
            .status;
    if (status != 403 && status != 404) ++opened;
  }

  const TruthfulWorker first_, second_;
  const std::unique_ptr<tools::GatewayProcess> gateway_;
  const int connections_;
  std::vector<Home> homes_;
  std::vector<std::pair<size_t, std::string>> cameras_;  // whose, id
  std::atomic<int64_t> most_{0};
  steady_clock::time_point began_;
  std::mutex mu_;
  tools::LatencyRecord latency_;
  const SystemClock clock_;
  client::IoThread io_;
  std::unique_ptr<client::HttpClient> client_;
  tools::FreeCameras free_{kOwners * kCamerasEach};
  std::stop_source enough_;
  std::jthread load_, prober_;
};

double Quantile(std::vector<double> values, double q) {
  CHECK(!values.empty());
  std::ranges::sort(values);
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

/// Reads an owner's live stream until the gateway goes, and counts events and those that are not its own.
void ReadLive(int port, const Home& home, std::atomic<int64_t>& events, std::atomic<int64_t>& foreign) {
  const std::set<std::string> own(home.cameras.begin(), home.cameras.end());
  net::testing::RawClient client(port);
  client.Send("GET /v1/live HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + home.operator_token + "\r\n\r\n");
  for (std::string line = client.ReadUntil("\n"); !line.empty(); line = client.ReadUntil("\n")) {
    if (!line.starts_with("data: ")) continue;
    const Result<Json> event = Json::Parse(line.substr(6));
    if (!event.ok() || event->Find("camera") == nullptr) continue;
    ++events;
    if (!own.contains(*event->GetString("camera"))) ++foreign;
  }
}

/// How many alerts an owner is shown; those of others' cameras are counted in `foreign`.
int64_t ListAlerts(ApiConnection& api, const Home& home, std::atomic<int64_t>& foreign) {
  const std::set<std::string> own(home.cameras.begin(), home.cameras.end());
  int64_t listed = 0;
  std::string cursor;
  do {
    const Json page = api.Must("GET", "/v1/alerts?limit=500" + cursor, home.operator_token);
    for (const Json& alert : page.Find("items")->as_array()) {
      ++listed;
      if (!own.contains(*alert.GetString("camera"))) ++foreign;
    }
    const Json* next = page.Find("next");
    cursor = next == nullptr || next->is_null() ? "" : "&cursor=" + next->as_string();
  } while (!cursor.empty());
  return listed;
}

}  // namespace

Switched SwitchWhileFramesFlow(const std::string& scratch, int64_t frames, int connections) {
  Switched result;
  std::vector<std::jthread> readers;  // end when the gateway does
  std::atomic<int64_t> events{0}, foreign{0};
  Flow flow(scratch, connections);
  const auto& homes = flow.homes();
  for (size_t i = 0; i < kReaders; ++i) {
    readers.emplace_back(
        [&, i] { ReadLive(flow.gateway().port(), homes[i * homes.size() / kReaders], events, foreign); });
  }
  ApiConnection api(flow.gateway().port());
  flow.Start(frames);
  while (flow.running()) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    flow.Switch(api, ++result.switches);
    if (result.switches % 10 == 0) std::fprintf(stderr, "  %lld frames\n", static_cast<long long>(flow.sent.load()));
  }
  flow.Await();
  result.frames_per_s = static_cast<double>(flow.sent) / flow.seconds();
  for (const Home& home : homes) result.alerts += ListAlerts(api, home, foreign);
  const tools::LatencyRecord latency = flow.TakeLatency();
  result.p50_ms = latency.At(0.5).ms;
  result.p99_ms = latency.At(0.99).ms;
  kill(flow.gateway().pid(), SIGKILL);
  readers.clear();
  result.frames = flow.sent;
  result.failed = flow.failed;
  result.foreign = flow.foreign + foreign;
  result.opened = flow.opened;
  result.probes = flow.probes;
  result.live_events = events;
  return result;
}

SwitchCost MeasureSwitch(const std::string& scratch, int switches, int connections) {
  constexpr std::chrono::seconds kBefore(3), kAfter(5);
  Flow flow(scratch, connections);
  ApiConnection api(flow.gateway().port());
  flow.Start(INT64_MAX);
  std::this_thread::sleep_for(std::chrono::seconds(2));  // to warm up
  std::vector<double> before, after, ratios;
  for (int n = 1; n <= switches; ++n) {
    (void)flow.TakeLatency();
    std::this_thread::sleep_for(kBefore);
    before.push_back(flow.TakeLatency().At(0.99).ms);
    flow.Switch(api, n);
    std::this_thread::sleep_for(kAfter);
    after.push_back(flow.TakeLatency().At(0.99).ms);
    ratios.push_back(after.back() / before.back());
  }
  flow.Stop();
  SwitchCost cost;
  cost.frames = flow.sent;
  cost.failed = flow.failed + flow.foreign;
  cost.before_p99_ms = Quantile(before, 0.5);
  cost.after_p99_ms = Quantile(after, 0.5);
  cost.median_ratio = Quantile(ratios, 0.5);
  cost.worst_ratio = Quantile(ratios, 1);
  return cost;
}

}  // namespace pawsight::bench
