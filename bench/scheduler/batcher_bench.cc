// What the scheduler adds when the engine takes no time, and what it saves when there is too much: real threads, real
// time, load that does not wait for answers. The load comes from this process, so it shares the cores: say so with the
// numbers, and the machine. Images are 30 kB, none the same.
#include <benchmark/benchmark.h>

#include <cstring>

#include "base/rng.h"
#include "scheduler/batcher_load.h"
#include "server/fake_engine.h"

namespace pawsight::bench {
namespace {

using server::Batcher;
using server::Engine;
using server::FrameHandle;
using server::FrameQuestion;
using server::ScheduleOptions;
using server::VqaWork;
using server::testing::FakeEngine;

/// An empty model: nothing but the scheduler's own work.
class EmptyEngine : public Engine {
 public:
  Result<std::vector<float>> Preprocess(std::span<const uint8_t>) override { return std::vector<float>(16); }
  Result<std::vector<FrameHandle>> Look(std::span<const std::span<const float>> frames) override {
    return std::vector<FrameHandle>(frames.size(), nothing_);
  }
  Result<std::vector<engine::Answer>> Ask(std::span<const FrameQuestion> questions,
                                          const engine::AskOptions&) override {
    return std::vector<engine::Answer>(questions.size());
  }
  Status Check(const std::string&, engine::Mode) const override { return Ok(); }

 private:
  const FrameHandle nothing_ = std::make_shared<int>(0);
};

VqaWork WorkOf(int64_t i) {
  static const std::vector<uint8_t> noise = [] {
    std::vector<uint8_t> bytes(30'000);
    Rng rng(1);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(rng.Next());
    return bytes;
  }();
  std::vector<uint8_t> bytes = noise;
  std::memcpy(bytes.data(), &i, sizeof i);
  VqaWork work;
  work.images = {server::Own(std::move(bytes))};
  work.questions = {{"Is there a dog?"}};
  work.cancel = std::make_shared<server::CancelToken>();
  return work;
}

std::unique_ptr<Batcher> StartBatcher(std::shared_ptr<Engine> engine, const ScheduleOptions& schedule = {}) {
  static const SystemClock clock;
  return std::move(Batcher::Start({.schedule = schedule}, std::move(engine), clock)).value();
}

double PeakOf(const std::shared_ptr<Engine>& engine, int in_flight) {
  return MostOf(*StartBatcher(engine, Patient()), in_flight, 2, WorkOf);
}

/// The most that goes through, 64 in flight.
void EmptyModelThroughput(benchmark::State& state) {
  for (auto _ : state) state.counters["requests_per_s"] = PeakOf(std::make_shared<EmptyEngine>(), 64);
}
BENCHMARK(EmptyModelThroughput)->Iterations(1)->Unit(benchmark::kSecond);

/// From when a request is due to its callback, at so many a second; 0: half of the most that goes through.
void EmptyModelAdds(benchmark::State& state) {
  const auto engine = std::make_shared<EmptyEngine>();
  const auto batcher = StartBatcher(engine);
  for (auto _ : state) {
    const double rate = state.range(0) > 0 ? static_cast<double>(state.range(0)) : PeakOf(engine, 64) / 2;
    const Offered offered = Offer(*batcher, rate, 4, WorkOf);
    const tools::LoadSeen& seen = offered.seen;
    state.counters["offered_per_s"] = rate;
    state.counters["p50_us"] = 1000 * P50(seen.latency);
    state.counters["p90_us"] = 1000 * seen.latency.At(0.9).ms;
    state.counters["p99_us"] = 1000 * P99(seen.latency);
    state.counters["not_ok"] = static_cast<double>(offered.NotAnswered());
  }
}
BENCHMARK(EmptyModelAdds)->Arg(200)->Arg(2000)->Arg(0)->Iterations(1)->Unit(benchmark::kSecond);

/// An engine of 5 ms a frame (its cores are elsewhere), so 200 a second, offered state.range(0) times that.
void Overload(benchmark::State& state) {
  const auto engine = std::make_shared<FakeEngine>("", std::chrono::milliseconds(5));
  const auto batcher = StartBatcher(engine);
  for (auto _ : state) {
    const double peak = PeakOf(engine, 32);
    const Offered offered = Offer(*batcher, peak * static_cast<double>(state.range(0)), 5, WorkOf);
    state.counters["peak_per_s"] = peak;
    state.counters["goodput_per_s"] = offered.Goodput();
    state.counters["goodput_of_peak"] = offered.Goodput() / peak;
    state.counters["wait_p99_ms"] = P99(offered.waited);
    state.counters["refused_p99_ms"] = P99(offered.seen.refused_latency);
    state.counters["refused_max_ms"] = offered.seen.refused_latency.Summary().max_ms;
  }
}
BENCHMARK(Overload)->Arg(1)->Arg(2)->Arg(5)->Arg(10)->Iterations(1)->Unit(benchmark::kSecond);

}  // namespace
}  // namespace pawsight::bench
