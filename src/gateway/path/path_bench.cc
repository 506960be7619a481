// What the path costs beside the backend, the generator of load included: frames of 60 kB with an instant backend on
// the threads that there are (taskset -c 0 for one core), what it adds to a frame at half that load, what one look of
// the change gate costs, and what an idle camera costs in memory.

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "base/rng.h"
#include "gateway/path/gate.h"
#include "gateway/path/testing.h"

namespace pawsight::gateway {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::Bytes;
using testing::InstantBackend;

constexpr size_t kFrameBytes = 60'000;
constexpr int kOwners = 200;
constexpr int kCamerasEach = 10;

std::string CameraId(int owner, int camera) { return "cam_" + std::to_string(owner) + "_" + std::to_string(camera); }

OwnerSetup SetupOf(int owner, int cameras, bool gate) {
  OwnerSetup setup;
  for (int camera = 0; camera < cameras; ++camera)
    setup.cameras.push_back({CameraId(owner, camera), {}, gate, seconds(60)});
  setup.rules =
      rules::ParseRules(Json::Parse(R"([{"id":"couch","question":"Is the dog on the couch?","guard":"Is there a dog?"},
      {"id":"bark","question":"Is the dog barking?","for_frames":2,"of_frames":3},
      {"id":"table","question":"Is the cat on the table?"}])")
                            .value())
          .value();
  return setup;
}

/// A picture of noise over shapes, about `kilobytes` as JPEG.
Bytes NoisyJpeg(int width, int height, int quality, uint64_t seed) {
  frames::Image image(width, height);
  Rng rng(seed);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int shape = ((x / 97 + y / 61) % 5) * 45 + rng.Below(24);
      for (int c = 0; c < 3; ++c) image.pixel(x, y)[c] = static_cast<uint8_t>(shape + 7 * c);
    }
  }
  return std::make_shared<const std::vector<uint8_t>>(frames::EncodeJpeg(image, quality).value());
}

/// A real JPEG of exactly kFrameBytes: what follows its end is passed over.
Bytes FrameOf60Kb() {
  std::vector<uint8_t> bytes = *NoisyJpeg(640, 360, 60, 1);
  bytes.resize(kFrameBytes, 0);
  return std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
}

struct Load {
  explicit Load(bool gate)
      : backend([](const Inquiry&, const std::string&) { return 0.1; }), path(backend, &record, clock, Options()) {
    for (int owner = 0; owner < kOwners; ++owner) {
      owners.push_back("own_" + std::to_string(owner));
      (void)path.SetOwner(owners.back(), SetupOf(owner, kCamerasEach, gate));
      for (int camera = 0; camera < kCamerasEach; ++camera) cameras.push_back(CameraId(owner, camera));
    }
  }
  static FramePathOptions Options() {
    FramePathOptions options;
    options.gate_threads = 1;
    options.device_rate = 10'000;
    options.device_burst = 10'000;
    return options;
  }
  void Send(uint64_t number, FramePath::Done done) {
    const size_t camera = number % cameras.size();
    Submission frame;
    frame.owner = owners[camera / kCamerasEach];
    frame.camera = cameras[camera];
    frame.device = frame.owner;
    frame.encoded = bytes;
    frame.sequence = number / cameras.size();
    (void)path.Submit(std::move(frame), std::move(done));
  }

  const Bytes bytes = FrameOf60Kb();
  SystemClock clock;
  testing::MemoryRecord record;
  InstantBackend backend;
  std::vector<std::string> owners, cameras;
  FramePath path;
};

/// Closed loop: how many frames a second go all the way. Arguments: 1 looks for change (a real decode); frames inside,
/// where more than 32 press the gate, so that most go without a look.
void BM_FramesASecond(::benchmark::State& state) {
  Load load(state.range(0) != 0);
  const int most = static_cast<int>(state.range(1));
  std::atomic<int> inside{0};
  uint64_t number = 0;
  for (auto _ : state) {
    while (inside.load() >= most) std::this_thread::yield();
    ++inside;
    load.Send(number++, [&](const std::shared_ptr<const FrameResult>&) { --inside; });
  }
  (void)load.path.Drain(seconds(10));
  state.SetItemsProcessed(static_cast<int64_t>(number));
}
BENCHMARK(BM_FramesASecond)
    ->Args({0, 64})
    ->Args({1, 16})
    ->Args({1, 256})
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->MinTime(3);

/// Open loop at `range(0)` frames a second, random arrivals: from Submit to the result, in microseconds.
void BM_AddedLatency(::benchmark::State& state) {
  Load load(false);
  const double rate = static_cast<double>(state.range(0));
  std::vector<int64_t> latencies;
  Mutex mu;
  Rng rng(7);
  uint64_t number = 0;
  for (auto _ : state) {
    auto due = std::chrono::steady_clock::now();
    const auto end = due + seconds(5);
    while (due < end) {
      std::this_thread::sleep_until(due);
      load.Send(number++, [&](const std::shared_ptr<const FrameResult>& result) {
        MutexLock lock(mu);
        latencies.push_back(result->total.count());
      });
      due += nanoseconds(static_cast<int64_t>(-std::log(1 - rng.Uniform()) / rate * 1e9));
    }
  }
  (void)load.path.Drain(seconds(10));
  std::sort(latencies.begin(), latencies.end());
  const auto quantile = [&](double share) {
    return static_cast<double>(latencies[static_cast<size_t>(share * static_cast<double>(latencies.size() - 1))]) /
           1000;
  };
  state.counters["p50_us"] = quantile(0.5);
  state.counters["p99_us"] = quantile(0.99);
  state.counters["p999_us"] = quantile(0.999);
  state.SetItemsProcessed(static_cast<int64_t>(number));
}
BENCHMARK(BM_AddedLatency)->Arg(3000)->Iterations(1)->UseRealTime();

/// One look at a 1920x1080 JPEG; argument: its quality.
void BM_GateLook1080p(::benchmark::State& state) {
  const Bytes bytes = NoisyJpeg(1920, 1080, static_cast<int>(state.range(0)), 3);
  Gate gate(frames::ChangeOptions{});
  int64_t now = 0;
  for (auto _ : state) {
    ::benchmark::DoNotOptimize(gate.Look(*bytes, Time(seconds(++now))));
  }
  state.counters["kB"] = static_cast<double>(bytes->size()) / 1000;
}
BENCHMARK(BM_GateLook1080p)->Arg(20)->Arg(35)->Arg(60)->Arg(80)->Unit(::benchmark::kMillisecond);

/// 20,000 cameras of 2,000 owners: 0, never seen; 1, each just sent frames (its gate and states are there); 2, long
/// idle since.
void BM_IdleCameraBytes(::benchmark::State& state) {
  const bool seen = state.range(0) != 0;
  for (auto _ : state) {
    const size_t before = mallinfo2().uordblks;
    ManualClock clock{Time(seconds(1'700'000'000))};
    InstantBackend backend([](const Inquiry&, const std::string&) { return 0.1; });
    FramePathOptions options = Load::Options();
    options.gate_threads = 0;
    options.max_kept_bytes = 0;
    FramePath path(backend, nullptr, clock, options);
    const Bytes bytes = testing::Jpeg(50);
    for (int owner = 0; owner < 2000; ++owner) {
      const std::string id = "own_" + std::to_string(owner);
      (void)path.SetOwner(id, SetupOf(owner, 10, true));
      for (int camera = 0; seen && camera < 10; ++camera) {
        for (int frame = 0; frame < 2; ++frame) {  // the second is looked at
          Submission submission;
          submission.owner = id;
          submission.camera = CameraId(owner, camera);
          submission.encoded = bytes;
          submission.sequence = static_cast<uint64_t>(frame);
          (void)path.Submit(std::move(submission));
          (void)path.Step();
        }
      }
    }
    if (state.range(0) == 2) {
      clock.Advance(seconds(200));
      for (int tick = 0; tick < 20; ++tick) path.Tick();
    }
    state.counters["bytes"] = static_cast<double>(mallinfo2().uordblks - before) / 20'000;
  }
}
BENCHMARK(BM_IdleCameraBytes)->Arg(0)->Arg(1)->Arg(2)->Iterations(1);

/// An edit of one rule of an owner whose cameras each have one of their own: until its turns are over. Argument:
/// cameras.
void BM_EditOfOneRule(::benchmark::State& state) {
  const int count = static_cast<int>(state.range(0));
  ManualClock clock{Time(seconds(1'700'000'000))};
  InstantBackend backend([](const Inquiry&, const std::string&) { return 0.1; });
  FramePathOptions options = Load::Options();
  options.gate_threads = 0;
  FramePath path(backend, nullptr, clock, options);
  OwnerSetup setup;
  const rules::Rule couch = SetupOf(0, 1, false).rules[0];
  for (int camera = 0; camera < count; ++camera) {
    setup.cameras.push_back({CameraId(0, camera), {}, false, seconds(60)});
    if (camera >= static_cast<int>(kMaxOwnerRules)) continue;
    setup.rules.push_back(couch);
    setup.rules.back().id += std::to_string(camera);
    setup.rules.back().cameras.ids = {setup.cameras.back().id};
  }
  (void)path.SetOwner("own_0", setup);
  for (const CameraSetup& camera : setup.cameras) {
    Submission submission;
    submission.owner = "own_0";
    submission.camera = camera.id;
    submission.encoded = testing::Jpeg(50);
    (void)path.Submit(std::move(submission));
    (void)path.Step();
  }
  int turns = 0;
  for (auto _ : state) {
    setup.rules[0].expected = !setup.rules[0].expected;
    (void)path.SetOwner("own_0", setup);
    while (path.Step()) ++turns;
  }
  state.counters["turns"] = ::benchmark::Counter(turns, ::benchmark::Counter::kAvgIterations);
}
BENCHMARK(BM_EditOfOneRule)->Arg(1)->Arg(100)->Arg(1000)->Arg(10'000)->Unit(::benchmark::kMicrosecond);

}  // namespace
}  // namespace pawsight::gateway
