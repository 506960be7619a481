// What the door costs: decode and resize of one frame, on one thread. Report the machine with the numbers.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "base/rng.h"
#include "frames/codecs.h"
#include "frames/decode.h"
#include "frames/encode.h"
#include "frames/light.h"
#include "frames/motion.h"
#include "frames/normalize.h"
#include "frames/resize.h"

namespace pawsight::frames {
namespace {

/// Soft shapes with sensor noise: compresses like a camera's frame (about 0.25 bytes a pixel at quality 85).
Image CameraLike(int width, int height) {
  Image image(width, height);
  Rng rng(1);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double shape = std::sin(x * 0.013) * std::cos(y * 0.021) + 0.5 * std::sin((x + y) * 0.11);
      const double noise = 4 * rng.Normal();
      for (int c = 0; c < 3; ++c) {
        image.pixel(x, y)[c] = static_cast<uint8_t>(std::clamp(120 + 60 * shape + 15 * c + noise, 0.0, 255.0));
      }
    }
  }
  return image;
}

void ResizeTo384(benchmark::State& state) {
  const Image image = CameraLike(static_cast<int>(state.range(0)), static_cast<int>(state.range(1)));
  for (auto _ : state) benchmark::DoNotOptimize(ResizeBicubic(image, 384, 384));
}
BENCHMARK(ResizeTo384)
    ->Args({640, 480})
    ->Args({1280, 720})
    ->Args({1920, 1080})
    ->Args({3840, 2160})
    ->Args({300, 200})
    ->Unit(benchmark::kMillisecond);

void DecodeOnly(benchmark::State& state) {
  const auto jpeg = EncodeJpeg(CameraLike(1920, 1080), static_cast<int>(state.range(0))).value();
  for (auto _ : state) benchmark::DoNotOptimize(Decode(jpeg));
  state.counters["bytes"] = static_cast<double>(jpeg.size());
}
BENCHMARK(DecodeOnly)->Arg(75)->Arg(85)->Arg(92)->Unit(benchmark::kMillisecond);

void DecodeAndResizeTo384(benchmark::State& state) {
  const auto jpeg = EncodeJpeg(CameraLike(1920, 1080), static_cast<int>(state.range(0))).value();
  for (auto _ : state) benchmark::DoNotOptimize(ResizeBicubic(Decode(jpeg)->image, 384, 384));
  state.counters["bytes"] = static_cast<double>(jpeg.size());
}
BENCHMARK(DecodeAndResizeTo384)->Arg(75)->Arg(85)->Arg(92)->Unit(benchmark::kMillisecond);

void DecodeStraightTo384(benchmark::State& state) {
  const auto jpeg = EncodeJpeg(CameraLike(1920, 1080), static_cast<int>(state.range(0))).value();
  for (auto _ : state) benchmark::DoNotOptimize(DecodeResized(jpeg, {}, 384, 384));
  state.counters["bytes"] = static_cast<double>(jpeg.size());
}
BENCHMARK(DecodeStraightTo384)->Arg(75)->Arg(85)->Arg(92)->Unit(benchmark::kMillisecond);

void DecodeFastTo384(benchmark::State& state) {
  const auto jpeg = EncodeJpeg(CameraLike(1920, 1080), 85).value();
  for (auto _ : state) benchmark::DoNotOptimize(DecodeResized(jpeg, {}, 384, 384, Fidelity::kFast));
}
BENCHMARK(DecodeFastTo384)->Unit(benchmark::kMillisecond);

/// The light of a frame at an eighth, by the reader of block means or by libjpeg; argument: the JPEG's quality.
template <typename Read>
void LightAtAnEighth(benchmark::State& state, const Read& read) {
  const auto jpeg = EncodeJpeg(CameraLike(1920, 1080), static_cast<int>(state.range(0))).value();
  for (auto _ : state) benchmark::DoNotOptimize(read(jpeg));
  state.counters["bytes"] = static_cast<double>(jpeg.size());
  state.counters["per_byte"] = benchmark::Counter(
      static_cast<double>(jpeg.size()), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
void LightByMeans(benchmark::State& state) {
  LightAtAnEighth(state, [](const std::vector<uint8_t>& jpeg) { return DecodeJpegMeans(jpeg, {}, 160, 120); });
}
BENCHMARK(LightByMeans)->Arg(20)->Arg(60)->Arg(80)->Arg(92)->Unit(benchmark::kMillisecond);
void LightByLibjpeg(benchmark::State& state) {
  LightAtAnEighth(state, [](const std::vector<uint8_t>& jpeg) { return DecodeJpegLight(jpeg, {}, 160, 120); });
}
BENCHMARK(LightByLibjpeg)->Arg(20)->Arg(60)->Arg(80)->Arg(92)->Unit(benchmark::kMillisecond);
void ColoursByLibjpeg(benchmark::State& state) {
  LightAtAnEighth(state, [](const std::vector<uint8_t>& jpeg) { return DecodeScaled(jpeg, {}, 160, 120); });
}
BENCHMARK(ColoursByLibjpeg)->Arg(20)->Arg(60)->Arg(80)->Arg(92)->Unit(benchmark::kMillisecond);

void LookForChange(benchmark::State& state) {
  const auto jpeg = EncodeJpeg(CameraLike(1920, 1080), 85).value();
  const Light small = DecodeLight(jpeg, {}, 160, 120).value();
  ChangeGate gate({});
  std::chrono::nanoseconds now{0};
  for (auto _ : state) benchmark::DoNotOptimize(gate.Look(small, now += std::chrono::milliseconds(200)));
}
BENCHMARK(LookForChange)->Unit(benchmark::kMicrosecond);

void NormalizeAt384(benchmark::State& state) {
  const Image image = CameraLike(384, 384);
  std::vector<float> chw(image.rgb.size());
  for (auto _ : state) {
    Normalize(image, {}, chw);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(NormalizeAt384)->Unit(benchmark::kMicrosecond);

void EncodeAt1080p(benchmark::State& state) {
  const Image image = CameraLike(1920, 1080);
  for (auto _ : state) benchmark::DoNotOptimize(EncodeJpeg(image, 85));
}
BENCHMARK(EncodeAt1080p)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace pawsight::frames
