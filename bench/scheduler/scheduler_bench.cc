// The scheduler with a real model behind it, beside the same model asked in a plain loop: what is lost on the way, and
// what becomes of too much. pawsight-mini, or the model directory in $PAWSIGHT_MODEL, in int8; photos of 640x480 drawn
// here, none the same, one question each. The load comes from this process and shares its cores: say so with the
// numbers, and the machine.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "base/rng.h"
#include "frames/encode.h"
#include "scheduler/batcher_load.h"
#include "server/vqa_engine.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight::bench {
namespace {

using server::Batcher;
using server::Engine;
using server::FrameQuestion;
using server::SharedBytes;
using server::VqaWork;

constexpr int kNumPhotos = 64;
const std::string kQuestion = "Is there a dog?";

std::shared_ptr<Engine> OpenEngine(int threads, int teams) {
  const char* given = std::getenv("PAWSIGHT_MODEL");
  const std::string dir = given != nullptr ? given : PAWSIGHT_SOURCE_DIR "/models/pawsight-mini";
  auto target =
      targets::OpenCpuTarget(dir, {.threads = threads, .teams = teams, .precision = engine::Precision::kInt8});
  CHECK(target.ok());
  auto vqa = engine::Vqa::Open(dir, std::move(target).value());
  CHECK(vqa.ok());
  return server::MakeVqaEngine(std::move(vqa).value());
}

const std::vector<SharedBytes>& Photos() {
  static const std::vector<SharedBytes> photos = [] {
    std::vector<SharedBytes> made;
    for (int n = 0; n < kNumPhotos; ++n) {
      frames::Image image(640, 480);
      Rng rng(static_cast<uint64_t>(n));
      for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
          const double shape = std::sin(x * 0.013 + n) * std::cos(y * 0.021) + 0.5 * std::sin((x + y) * 0.05);
          for (int c = 0; c < 3; ++c) {
            image.pixel(x, y)[c] =
                static_cast<uint8_t>(std::clamp(120 + 60 * shape + 15 * c + rng.Uniform(-6, 6), 0.0, 255.0));
          }
        }
      }
      made.push_back(server::Own(frames::EncodeJpeg(image, 80).value()));
    }
    return made;
  }();
  return photos;
}

VqaWork WorkOf(int64_t i) {
  const std::span<const uint8_t> photo = Photos()[static_cast<size_t>(i) % kNumPhotos].view;
  std::vector<uint8_t> bytes(photo.begin(), photo.end());
  for (size_t byte = 0; byte < sizeof i; ++byte)
    bytes.push_back(static_cast<uint8_t>(i >> (8 * byte)));  // after its end
  VqaWork work;
  work.images = {server::Own(std::move(bytes))};
  work.questions = {{kQuestion}};
  return work;
}

/// `teams` threads that each decode, look and ask, one frame after another. Answers a second.
double PlainLoop(Engine& engine, int teams, bool decode, double seconds) {
  std::atomic<int64_t> count{0};
  (void)Photos();  // drawn before the time begins
  const SystemClock clock;
  const std::chrono::nanoseconds begin = clock.Monotonic();
  std::vector<std::thread> threads;
  for (int team = 0; team < teams; ++team) {
    threads.emplace_back([&, team] {
      std::vector<float> pixels = engine.Preprocess(Photos()[0].view).value();
      for (size_t i = static_cast<size_t>(team) * 100; server::Seconds(clock.Monotonic() - begin) < seconds; ++i) {
        if (decode) pixels = engine.Preprocess(Photos()[i % kNumPhotos].view).value();
        const std::span<const float> frame = pixels;
        const FrameQuestion question{engine.Look(std::span(&frame, 1)).value().front(), kQuestion};
        CHECK(engine.Ask(std::span(&question, 1), {}).ok());
        count.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return static_cast<double>(count.load()) / server::Seconds(clock.Monotonic() - begin);
}

/// Arguments: threads a team, teams.
void Served(benchmark::State& state) {
  const int threads = static_cast<int>(state.range(0));
  const int teams = static_cast<int>(state.range(1));
  const std::shared_ptr<Engine> engine = OpenEngine(threads, teams);
  const SystemClock clock;
  const auto batcher = std::move(Batcher::Start({.num_runners = teams}, engine, clock)).value();
  for (auto _ : state) {
    state.counters["loop_per_s"] = PlainLoop(*engine, teams, false, 3);
    state.counters["loop_with_decode_per_s"] = PlainLoop(*engine, teams, true, 3);
    const auto patient =
        std::move(Batcher::Start({.schedule = Patient(), .num_runners = teams}, engine, clock)).value();
    const double peak = MostOf(*patient, 32 * teams, 4, WorkOf);
    state.counters["served_per_s"] = peak;
    const tools::LoadSeen half = Offer(*batcher, peak / 2, 4, WorkOf).seen;
    state.counters["half_load_p50_ms"] = P50(half.latency);
    state.counters["half_load_p99_ms"] = P99(half.latency);
    for (const int factor : {1, 2, 5, 10}) {
      const Offered offered = Offer(*batcher, peak * factor, 4, WorkOf);
      const std::string times = std::to_string(factor) + "x_";
      state.counters[times + "goodput"] = offered.Goodput() / peak;
      state.counters[times + "wait_p99_ms"] = P99(offered.waited);
      state.counters[times + "refused_p99_ms"] = P99(offered.seen.refused_latency);
    }
  }
}
BENCHMARK(Served)->Args({1, 1})->Args({2, 1})->Args({1, 2})->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace pawsight::bench
