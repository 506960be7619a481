#include "gateway/crash.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/rng.h"
#include "gateway/homes.h"

namespace pawsight::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kHomes = 4;
constexpr int kCamerasEach = 4;
constexpr size_t kFrameBytes = 20'000;
constexpr const char* kRule = R"({"question":"Is there a dog?","clear_s":0,"cooldown_s":0})";

/// Somebody's webhook: keeps which alerts it was told of.
class Hook {
 public:
  Hook() {
    router_.Add("POST", "/hook", [this](const net::HttpRequest& request) {
      const Result<Json> message = Json::Parse(request.body);
      if (message.ok() && *message->GetString("type") == "alert.fired") {
        const std::lock_guard lock(mu_);
        told_.insert(*message->Find("data")->GetString("alert"));
        ++count_;
      }
      return net::HttpResponse{204, "text/plain", "", {}, {}, nullptr};
    });
    server_ = std::move(net::HttpServer::Start({}, router_).value());
  }
  std::string url() const { return server_->url() + "/hook"; }
  bool Knows(const std::string& alert) const {
    const std::lock_guard lock(mu_);
    return told_.contains(alert);
  }
  int64_t count() const {
    const std::lock_guard lock(mu_);
    return count_;
  }

 private:
  mutable std::mutex mu_;
  std::set<std::string> told_;
  int64_t count_ = 0;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;
};

/// What the answers to frames said. Thread-safe.
struct Said {
  void Note(size_t home, const Json& answer) {
    const std::lock_guard lock(mu);
    ++answered;
    for (const Json& alert : answer.Find("alerts")->as_array()) acknowledged[alert.as_string()] = home;
    if (const Json* waiting = answer.Find("unrecorded")) unrecorded += static_cast<int64_t>(waiting->as_array().size());
  }
  std::mutex mu;
  std::map<std::string, size_t> acknowledged;  // alert -> home
  int64_t answered = 0, unrecorded = 0;
};

/// One camera a connection: an alert opens with a yes and ends with two noes. Until `stop`, or the gateway goes.
void SendFrames(int port, const Home& home, size_t home_idx, const std::string& camera, std::atomic<int64_t>& number,
                const std::atomic<bool>& stop, Said& said) {
  ApiConnection api(port);
  for (int turn = 0; !stop; ++turn) {
    const std::string frame = Frame(camera, ++number, turn % 3 == 0, kFrameBytes);
    const auto answer =
        api.Call("POST", "/v1/cameras/" + camera + "/frames?wait=answers", home.device_token, frame, "image/jpeg");
    if (answer.status == 0) return;
    if (answer.status == 200) said.Note(home_idx, answer.json);
  }
}

/// All cameras send until it is destroyed.
class Senders {
 public:
  Senders(int port, const std::vector<Home>& homes, std::atomic<int64_t>& number, Said& said) {
    for (size_t i = 0; i < homes.size(); ++i) {
      for (const std::string& camera : homes[i].cameras) {
        threads_.emplace_back([&, i, port, camera] { SendFrames(port, homes[i], i, camera, number, stop_, said); });
      }
    }
  }
  ~Senders() { stop_ = true; }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::jthread> threads_;
};

int64_t CountLost(const tools::GatewayProcess& gateway, const std::vector<Home>& homes,
                  const std::map<std::string, size_t>& alerts) {
  ApiConnection api(gateway.port());
  int64_t lost = 0;
  for (const auto& [alert, home] : alerts) {
    if (api.Call("GET", "/v1/alerts/" + alert, homes[home].operator_token).status != 200) ++lost;
  }
  return lost;
}

std::vector<std::string> Arguments(const TruthfulWorker& worker) {
  return {"--workers",
          worker.url(),
          "--receiver-plain",
          "--receiver-networks",
          "127.0.0.0/8",
          "--device-rate",
          "10000",
          "--device-burst",
          "10000"};
}

/// A file system of its own, unmounted with it.
class SmallDisk {
 public:
  explicit SmallDisk(std::string folder) : folder_(std::move(folder)) {
    mkdir(folder_.c_str(), 0700);
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=24m,mode=0700") == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool mounted() const { return mounted_; }
  void Fill() const {
    const int file = open((folder_ + "/filler").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(file >= 0);
    const std::string chunk(4096, 'x');
    while (write(file, chunk.data(), chunk.size()) > 0) {
    }
    close(file);
  }
  void MakeRoom() const { unlink((folder_ + "/filler").c_str()); }

 private:
  const std::string folder_;
  bool mounted_ = false;
};

}  // namespace

Crashed CrashAgainAndAgain(const std::string& scratch, int kills) {
  const TruthfulWorker worker;
  const Hook hook;
  const std::vector<std::string> arguments = Arguments(worker);
  Crashed result;
  std::vector<Home> homes;
  {
    const std::unique_ptr<tools::GatewayProcess> first = StartGateway(scratch, arguments);
    homes = MakeHomes(*first, kHomes, kCamerasEach, kRule, hook.url());
  }
  Rng rng(7);
  std::atomic<int64_t> number{0};
  std::vector<double> restarts_ms;
  std::map<std::string, size_t> all, last;
  for (int n = 0; n <= kills; ++n) {
    const auto begin = steady_clock::now();
    const std::unique_ptr<tools::GatewayProcess> gateway = StartGateway(scratch, arguments);
    const std::chrono::duration<double, std::milli> taken = steady_clock::now() - begin;
    restarts_ms.push_back(taken.count());
    result.lost += CountLost(*gateway, homes, last);
    if (n == kills) {
      result.lost += CountLost(*gateway, homes, all);
      const auto patience = steady_clock::now() + std::chrono::seconds(60);
      const auto missing = [&] {
        return std::ranges::count_if(all, [&](const auto& alert) { return !hook.Knows(alert.first); });
      };
      while (missing() > 0 && steady_clock::now() < patience) std::this_thread::sleep_for(milliseconds(100));
      result.undelivered = missing();
      break;
    }
    Said said;
    {
      const Senders senders(gateway->port(), homes, number, said);
      std::this_thread::sleep_for(milliseconds(n % 10 == 9 ? rng.Below(20) : 20 + rng.Below(380)));
      kill(gateway->pid(), SIGKILL);
    }
    ++result.kills;
    last = std::move(said.acknowledged);
    all.insert(last.begin(), last.end());
    if (result.kills % 20 == 0) std::fprintf(stderr, "  %d kills, %zu alerts\n", result.kills, all.size());
  }
  result.acknowledged = static_cast<int64_t>(all.size());
  result.delivered = hook.count();
  std::ranges::sort(restarts_ms);
  result.restart_ms = restarts_ms[restarts_ms.size() / 2];
  return result;
}

std::optional<FullDisk> FillTheDisk(const std::string& scratch) {
  const SmallDisk disk(scratch);
  if (!disk.mounted()) return std::nullopt;
  const TruthfulWorker worker;
  const std::vector<std::string> arguments = Arguments(worker);
  const std::string data = scratch + "/data";
  FullDisk result;
  std::vector<Home> homes;
  std::atomic<int64_t> number{0};
  Said before, during;
  {
    const std::unique_ptr<tools::GatewayProcess> gateway = StartGateway(data, arguments);
    homes = MakeHomes(*gateway, kHomes, kCamerasEach, kRule, "");
    {
      const Senders senders(gateway->port(), homes, number, before);
      std::this_thread::sleep_for(milliseconds(500));
    }
    disk.Fill();
    {
      const Senders senders(gateway->port(), homes, number, during);
      std::this_thread::sleep_for(std::chrono::seconds(2));
    }
  }
  disk.MakeRoom();
  const std::unique_ptr<tools::GatewayProcess> gateway = StartGateway(data, arguments);
  result.acknowledged = static_cast<int64_t>(before.acknowledged.size());
  result.answered_full = during.answered;
  result.unrecorded = during.unrecorded;
  result.acknowledged_full = static_cast<int64_t>(during.acknowledged.size());
  result.lost = CountLost(*gateway, homes, before.acknowledged) + CountLost(*gateway, homes, during.acknowledged);
  Said after;
  {
    const Senders senders(gateway->port(), homes, number, after);
    std::this_thread::sleep_for(milliseconds(500));
  }
  result.goes_on = !after.acknowledged.empty() && CountLost(*gateway, homes, after.acknowledged) == 0;
  return result;
}

}  // namespace pawsight::bench
