// `./run bench gateway`: what the API tier is to reach as a whole process, one line a number: what, how much is wanted,
// what was measured here. Clients and workers share the gateway's cores.
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "gateway/connected.h"
#include "gateway/crash.h"
#include "gateway/owners.h"
#include "table.h"

namespace pawsight::bench {
namespace {

/// A folder that goes with it.
class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "pawsight-bench-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Scratch() {
    std::error_code ignored;  // what is left is in the system's folder for such things
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string Path(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

void Owners() {
  const Scratch scratch;
  const Switched done = SwitchWhileFramesFlow(scratch.Path("data"), 200'000, 64);
  Row("frames of 2,000 cameras of 200 owners, routing switched each second", Want::kAtLeast, 200'000,
      static_cast<double>(done.frames), "");
  Row("  switches meanwhile", Want::kNothing, 0, done.switches, "");
  Row("  frames that failed", Want::kAtMost, 0, static_cast<double>(done.failed), "");
  Row("  answers, live events and alerts that were another's", Want::kAtMost, 0, static_cast<double>(done.foreign), "");
  Row("  another's cameras that opened, of the next line's tries", Want::kAtMost, 0, static_cast<double>(done.opened),
      "");
  Row("  tries", Want::kNothing, 0, static_cast<double>(done.probes), "");
  Row("  live events read by 10 owners", Want::kNothing, 0, static_cast<double>(done.live_events), "");
  Row("  alerts listed at the end", Want::kNothing, 0, static_cast<double>(done.alerts), "");
  Row("  frames, 20 kB, answer awaited, 64 at once", Want::kNothing, 0, done.frames_per_s, "/s");
  Row("  p50 of them", Want::kNothing, 0, done.p50_ms, "ms");
  Row("  p99 of them", Want::kNothing, 0, done.p99_ms, "ms");
}

void Switch() {
  const Scratch scratch;
  const SwitchCost cost = MeasureSwitch(scratch.Path("data"), 10, 64);
  Row("pools switched at full load, 10 times: frames that failed", Want::kAtMost, 0, static_cast<double>(cost.failed),
      "");
  Row("  of", Want::kNothing, 0, static_cast<double>(cost.frames), "");
  Row("  p99 of the 5 s after against the 3 s before, median", Want::kAtMost, 2, cost.median_ratio, "x");
  Row("  p99 of the 5 s after against the 3 s before, worst", Want::kAtMost, 2, cost.worst_ratio, "x");
  Row("  p99 before", Want::kNothing, 0, cost.before_p99_ms, "ms");
}

void Crash() {
  {
    const Scratch scratch;
    const Crashed crashed = CrashAgainAndAgain(scratch.Path("data"), 100);
    Row("SIGKILL while alerts are acknowledged", Want::kAtLeast, 100, crashed.kills, "");
    Row("  acknowledged alerts that are lost", Want::kAtMost, 0, static_cast<double>(crashed.lost), "");
    Row("  acknowledged alerts that no webhook heard of", Want::kAtMost, 0, static_cast<double>(crashed.undelivered),
        "");
    Row("  acknowledged alerts", Want::kNothing, 0, static_cast<double>(crashed.acknowledged), "");
    Row("  messages of an opening that came, repeats included", Want::kNothing, 0,
        static_cast<double>(crashed.delivered), "");
    Row("  ready again after, median", Want::kNothing, 0, crashed.restart_ms, "ms");
  }
  const Scratch scratch;
  const std::optional<FullDisk> full = FillTheDisk(scratch.Path("disk"));
  if (!full) return (void)std::printf("a full disk: NOT MEASURED, a file system of its own needs root\n");
  Row("a full disk, then SIGKILL: acknowledged alerts that are lost", Want::kAtMost, 0, static_cast<double>(full->lost),
      "");
  Row("  acknowledged before it was full", Want::kAtLeast, 1, static_cast<double>(full->acknowledged), "");
  Row("  acknowledged while it was full, in what room there was", Want::kNothing, 0,
      static_cast<double>(full->acknowledged_full), "");
  Row("  told as not recorded while it was full", Want::kAtLeast, 1, static_cast<double>(full->unrecorded), "");
  Row("  frames answered while it was full", Want::kAtLeast, 1, static_cast<double>(full->answered_full), "");
  Row("  with room again alerts are acknowledged (1: yes)", Want::kAtLeast, 1, full->goes_on ? 1 : 0, "");
}

void Cameras() {
  const Scratch scratch;
  const Connected held = HoldCameras(scratch.Path("data"), 20'000);
  Row("cameras connected and idle", Want::kAtLeast, 20'000, held.cameras, "");
  Row("  their connections, a box with two cameras where files run out", Want::kNothing, 0, held.connections, "");
  Row("  the gateway's memory", Want::kAtMost, 700, static_cast<double>(held.gateway_bytes) / 1e6, "MB");
}

constexpr const char* kUsage = "usage: gateway_table [owners] [switch] [crash] [cameras]\nWithout a name: all.\n";

int Main(std::vector<std::string> parts) {
  const std::map<std::string, std::function<void()>> known = {
      {"owners", Owners}, {"switch", Switch}, {"crash", Crash}, {"cameras", Cameras}};
  for (const std::string& part : parts) {
    if (known.contains(part)) continue;
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (parts.empty()) parts = {"owners", "switch", "crash", "cameras"};
  SetLogLevel(LogLevel::kError);
  std::printf("%u cores, clients and workers on the same; what, wanted, measured\n\n",
              std::thread::hardware_concurrency());
  for (const std::string& part : parts) known.at(part)();
  return 0;
}

}  // namespace
}  // namespace pawsight::bench

int main(int argc, char** argv) { return pawsight::bench::Main({argv + 1, argv + argc}); }
