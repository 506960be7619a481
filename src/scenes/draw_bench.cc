#include <benchmark/benchmark.h>

#include "scenes/draw.h"
#include "scenes/picture.h"
#include "scenes/questions.h"
#include "scenes/sensor.h"

namespace pawsight::scenes {
namespace {

/// A drawn frame at the width of training (208..320) and of a camera (640); items are frames.
void BM_Draw(benchmark::State& state) {
  const auto width = static_cast<int>(state.range(0));
  uint64_t seed = 1;
  for (auto _ : state) benchmark::DoNotOptimize(Draw(seed++, width, width * 3 / 4));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Draw)->Arg(208)->Arg(320)->Arg(640)->Unit(benchmark::kMillisecond);

/// The truth alone, without paint.
void BM_Describe(benchmark::State& state) {
  uint64_t seed = 1;
  for (auto _ : state) benchmark::DoNotOptimize(Describe(RandomScene(seed++)));
}
BENCHMARK(BM_Describe)->Unit(benchmark::kMicrosecond);

void BM_JpegLoss(benchmark::State& state) {
  const frames::Image image = Draw(1, static_cast<int>(state.range(0)), static_cast<int>(state.range(0)) * 3 / 4).image;
  for (auto _ : state) {
    frames::Image copy = image;
    JpegLoss(copy, 70);
    benchmark::DoNotOptimize(copy);
  }
}
BENCHMARK(BM_JpegLoss)->Arg(320)->Arg(640)->Unit(benchmark::kMillisecond);

void BM_AskSixQuestions(benchmark::State& state) {
  const Questioner questioner;
  const Truth truth = Describe(RandomScene(4));
  Rng rng(1);
  for (auto _ : state) benchmark::DoNotOptimize(questioner.Ask(truth, rng, 6));
}
BENCHMARK(BM_AskSixQuestions)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace pawsight::scenes
