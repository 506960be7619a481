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

}  // namespace

Connected HoldCameras(const std::string& scratch, int count) {
  // The gateway, a child, has the same limit; only who may everything can raise it.
  rlimit files{kFiles, kFiles};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  const int most = static_cast<int>(files.rlim_cur) - kOtherFiles;
  if (most < count) {
    std::fprintf(stderr,
                 "  %d cameras only: a process may have %d files open, and CAP_SYS_RESOURCE is wanted to raise that "
                 "(ulimit -n)\n",
                 most, static_cast<int>(files.rlim_cur));
  }
  const TruthfulWorker worker;
  const std::unique_ptr<tools::GatewayProcess> gateway =
      StartGateway(scratch, {"--workers", worker.url(), "--device-rate", "10000", "--device-burst", "10000",
                             "--max-outstanding", kAtWorkers});
  const int homes_wanted = std::min(count, most) / kCamerasEach;
  const std::vector<Home> homes = MakeHomes(*gateway, homes_wanted, kCamerasEach, kRule, "");
  std::vector<std::unique_ptr<ApiConnection>> connections;
  for (const Home& home : homes) {
    for (const std::string& camera : home.cameras) {
      connections.push_back(std::make_unique<ApiConnection>(gateway->port()));
      const auto answer =
          connections.back()->Call("POST", "/v1/cameras/" + camera + "/frames?wait=answers", home.device_token,
                                   Frame(camera, 1, false, kFrameBytes), "image/jpeg");
      CHECK(answer.status == 200);
    }
  }
  std::this_thread::sleep_for(std::chrono::seconds(12));  // it gives back what the burst has left every 5 s
  return {static_cast<int>(connections.size()), ResidentBytes(gateway->pid())};
}

}  // namespace pawsight::bench
