#include "gateway/connected.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/memory.h"
#include "gateway/homes.h"

namespace pawsight::bench {
namespace {

constexpr int kCamerasEach = 100;
constexpr size_t kFrameBytes = 60'000;
constexpr rlim_t kFiles = 65536;
constexpr int kOtherFiles = 300;  // of the gateway, which keeps 256 and kAtWorkers for all but connections
constexpr const char* kAtWorkers = "32";
constexpr const char* kRule = R"({"question":"Is there a dog?"})";

/// As many files as a process may have open; the gateway, a child, has the same limit. Only who may everything raises
/// it.
int RaiseFileLimit() {
  rlimit files{kFiles, kFiles};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  return static_cast<int>(files.rlim_cur);
}

/// Whether the camera that comes next is on the connection of the one before: every other one of the first 2 x
/// `shared`.
constexpr bool IsSecondOfBox(int camera, int shared) { return camera < 2 * shared && camera % 2 == 1; }
static_assert(!IsSecondOfBox(0, 1) && IsSecondOfBox(1, 1) && !IsSecondOfBox(3, 1) && IsSecondOfBox(3, 2));

}  // namespace

Connected HoldCameras(const std::string& scratch, int count) {
  const int most = RaiseFileLimit() - kOtherFiles;
  if (count > 2 * most) {
    count = std::max(0, 2 * most) / kCamerasEach * kCamerasEach;
    std::fprintf(stderr, "the files that a process may have open (ulimit -Hn) let only %d cameras connect\n", count);
  }
  CHECK(count % kCamerasEach == 0);
  const int shared = std::max(0, count - most);  // connections of two cameras
  const TruthfulWorker worker;
  const std::unique_ptr<tools::GatewayProcess> gateway =
      StartGateway(scratch, {"--workers", worker.url(), "--device-rate", "10000", "--device-burst", "10000",
                             "--max-outstanding", kAtWorkers});
  const std::vector<Home> homes = MakeHomes(*gateway, count / kCamerasEach, kCamerasEach, kRule, "");
  std::vector<std::unique_ptr<ApiConnection>> connections;
  Connected held;
  for (const Home& home : homes) {
    for (const std::string& camera : home.cameras) {
      if (!IsSecondOfBox(held.cameras, shared)) connections.push_back(std::make_unique<ApiConnection>(gateway->port()));
      const auto answer =
          connections.back()->Call("POST", "/v1/cameras/" + camera + "/frames?wait=answers", home.device_token,
                                   Frame(camera, 1, false, kFrameBytes), "image/jpeg");
      CHECK(answer.status == 200);
      ++held.cameras;
    }
  }
  std::this_thread::sleep_for(std::chrono::seconds(12));  // it gives back what the burst has left every 5 s
  held.connections = static_cast<int>(connections.size());
  held.gateway_bytes = ResidentBytes(gateway->pid());
  return held;
}

}  // namespace pawsight::bench
