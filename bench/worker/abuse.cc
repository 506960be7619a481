#include "worker/abuse.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/rng.h"
#include "built.h"
#include "net/testing.h"
#include "worker/load.h"

namespace pawsight::bench {
namespace {

using net::testing::RawClient;
using std::chrono::steady_clock;

constexpr int kAbusers = 6;

std::string PostJson(const std::string& body) {
  return "POST /v2/models/vqa/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

std::string RandomBytes(Rng& rng, size_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(rng.Next());
  return bytes;
}

/// One of the bad requests; some are bad only in what the client does next.
std::string BadRequest(Rng& rng, uint64_t kind) {
  std::string good = InferRequest(static_cast<int64_t>(rng.Next() >> 2U | 1ULL << 61U));
  switch (kind) {
    case 0:
      return RandomBytes(rng, 2000);
    case 1:
      return "GET /v2 HTTP/1.1\r\nX: " + std::string(100000, 'x') + "\r\n\r\n";
    case 2:
      return "POST /v2/models/vqa/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n";
    case 3:
      return PostJson(std::string(200000, '['));
    case 4:
      return PostJson(R"({"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"data":["AAAA"]},)"
                      R"({"name":"question","datatype":"BYTES","shape":[1],"data":[""]}]})");
    case 5:
      for (size_t at = good.size() / 2; at < good.size(); at += 97) good[at] = static_cast<char>(rng.Next());
      return good;  // the image's bytes are broken
    case 6:
      return good.substr(0, 1 + rng.Next() % good.size());  // cut
    default:
      return good + good + good;  // pipelined
  }
}

class Abusers {
 public:
  explicit Abusers(int port) : port_(port) {
    for (int n = 0; n < kAbusers; ++n) threads_.emplace_back([this, n] { Run(static_cast<uint64_t>(n)); });
  }
  ~Abusers() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Abusers(const Abusers&) = delete;
  Abusers& operator=(const Abusers&) = delete;

  void Pause(bool pause) { pause_ = pause; }
  int64_t count() const { return count_; }

 private:
  void Run(uint64_t seed) {
    Rng rng(seed);
    std::vector<std::unique_ptr<RawClient>> held;  // that send nothing more, or read nothing
    while (!stop_) {
      if (pause_) {
        held.clear();
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        continue;
      }
      const uint64_t kind = rng.Next() % 8;
      auto client = std::make_unique<RawClient>(port_);
      client->Send(BadRequest(rng, kind));
      count_.fetch_add(1);
      if (kind >= 6 && rng.Next() % 2 == 0) {
        held.push_back(std::move(client));
        if (held.size() > 40) held.erase(held.begin());
      } else if (kind < 6 && kind != 0) {
        client->CloseSending();
        (void)client->ReadAll();
      }  // or leave at once
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  const int port_;
  std::atomic<bool> stop_ = false;
  std::atomic<bool> pause_ = false;
  std::atomic<int64_t> count_ = 0;
  std::vector<std::thread> threads_;
};

int64_t Sum(const std::map<std::string, int64_t>& counts) {
  int64_t sum = 0;
  for (const auto& [reason, count] : counts) sum += count;
  return sum;
}

struct Held {
  double mb = 0;       // resident
  double mb_file = 0;  // of that, files that are mapped: the system takes and gives these as it likes
};

Held HeldBy(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  double all = 0;
  double resident = 0;
  double shared = 0;
  if (!(file >> all >> resident >> shared)) return {};
  const double mb_a_page = static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
  return {resident * mb_a_page, shared * mb_a_page};
}

/// Of several looks, as the good client goes on meanwhile and the worker trims every five seconds. Takes fourteen
/// seconds.
Held MedianHeldBy(int pid) {
  constexpr size_t kLooks = 15;
  std::vector<Held> looks;
  for (size_t n = 0; n < kLooks; ++n) {
    if (n > 0) std::this_thread::sleep_for(std::chrono::seconds(1));
    looks.push_back(HeldBy(pid));
  }
  std::sort(looks.begin(), looks.end(), [](const Held& a, const Held& b) { return a.mb < b.mb; });
  std::fprintf(stderr, "abuse: %zu looks, %.1f to %.1f MB\n", kLooks, looks.front().mb, looks.back().mb);
  return looks[kLooks / 2];
}

}  // namespace

Abused Abuse(double minutes) {
  const std::unique_ptr<tools::WorkerProcess> worker = StartWorker({});
  Load load(worker->http_url(), true);
  tools::LoadSeen seen;
  std::jthread good([&](std::stop_token stop) { seen = load.Offer(10, std::move(stop)); });
  Abused abused;
  {
    Abusers abusers(worker->http_port());
    const auto begin = steady_clock::now();
    const std::chrono::duration<double, std::ratio<60>> whole(minutes);
    const auto keep_on = [&](double part) {
      std::this_thread::sleep_until(begin + std::chrono::duration_cast<steady_clock::duration>(part * whole));
      abusers.Pause(true);
      std::this_thread::sleep_for(std::chrono::seconds(12));  // two looks of the worker's own
      const Held held = MedianHeldBy(worker->pid());
      std::fprintf(stderr, "abuse: %.1f of %.1f minutes, %.1f MB, %.1f of it mapped files\n", part * minutes, minutes,
                   held.mb, held.mb_file);
      abusers.Pause(false);
      return held.mb;
    };
    abused.mb_early = keep_on(1.0 / 6);
    for (const double part : {2.0 / 6, 3.0 / 6, 4.0 / 6, 5.0 / 6}) (void)keep_on(part);
    abused.mb_late = keep_on(1);
    abused.abuses = abusers.count();
  }
  good.request_stop();
  good.join();
  abused.good_asked = seen.offered;
  abused.good_refused = Sum(seen.refused);
  abused.good_failed = Sum(seen.failed);
  abused.growth = abused.mb_late / abused.mb_early - 1;
  return abused;
}

}  // namespace pawsight::bench
