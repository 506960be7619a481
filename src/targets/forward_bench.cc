// The whole forward pass at BLIP-base's size (577 tokens, 768 wide, 12 layers) with random weights, on two threads: what a
// frame, a question and a decoder step cost. FLOP counts are multiply-adds times two.
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/rng.h"
#include "engine/expected_tensors.h"
#include "engine/generate.h"
#include "targets/cpu/cpu_target.h"

namespace pawsight::targets {
namespace {

constexpr const char* kConfig = R"({"architectures":["BlipForQuestionAnswering"],"model_type":"blip",
"text_config":{"num_attention_heads":12},"vision_config":{}})";

void Require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "forward_bench: %s\n", what);
  std::exit(1);
}

/// A safetensors file of bfloat16 noise, deviation about 0.03 as trained layers have: 0.8 GB beside other temporary files.
void WriteRandomModel(const std::string& dir) {
  std::filesystem::create_directories(dir);
  const auto config = engine::BlipConfig::Parse(kConfig);
  Require(config.ok(), "the config does not parse");
  Json header;
  int64_t offset = 0;
  for (const engine::ExpectedTensor& tensor : engine::ExpectedTensors(*config, engine::Head::kVqa)) {
    if (tensor.optional) continue;
    Json shape{Json::Array{}};
    int64_t count = 1;
    for (const int64_t dim : tensor.shape) {
      shape.Append(dim);
      count *= dim;
    }
    Json entry;
    entry.Set("dtype", "BF16");
    entry.Set("shape", std::move(shape));
    entry.Set("data_offsets", Json::Array{Json(offset), Json(offset + 2 * count)});
    header.Set(tensor.name, std::move(entry));
    offset += 2 * count;
  }
  std::string text = header.Dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  std::FILE* file = std::fopen((dir + "/model.safetensors").c_str(), "wb");
  Require(file != nullptr, "cannot write the random model");
  const uint64_t length = text.size();
  std::fwrite(&length, 8, 1, file);
  std::fwrite(text.data(), 1, text.size(), file);
  Rng rng(1);
  std::vector<uint16_t> block(1 << 20);
  for (int64_t left = offset / 2; left > 0; left -= static_cast<int64_t>(block.size())) {
    for (uint16_t& value : block) {  // sign, exponent of 2^-6 or 2^-5, seven random bits of mantissa
      const uint64_t bits = rng.Next();
      value = static_cast<uint16_t>((bits & 0x807F) | ((121 + (bits >> 20 & 1)) << 7));
    }
    const size_t count = std::min<size_t>(block.size(), static_cast<size_t>(left));
    Require(std::fwrite(block.data(), 2, count, file) == count, "the disk is full");
  }
  std::fclose(file);
  file = std::fopen((dir + "/config.json").c_str(), "wb");
  std::fputs(kConfig, file);
  std::fclose(file);
}

/// The model, opened once for all benchmarks, and one frame of it.
engine::Target& Base() {
  static const std::unique_ptr<engine::Target> target = [] {
    const std::string dir = std::filesystem::temp_directory_path().string() + "/pawsight-base-" + std::to_string(::getpid());
    WriteRandomModel(dir);
    auto opened = OpenCpuTarget(dir, {.threads = 2});
    std::filesystem::remove_all(dir);
    Require(opened.ok(), opened.ok() ? "" : opened.status().message().c_str());
    return std::move(opened).value();
  }();
  return *target;
}

std::vector<float> Pixels() {
  std::vector<float> pixels(3 * 384 * 384);
  Rng rng(2);
  for (float& v : pixels) v = static_cast<float>(rng.Uniform(-1.8, 2.1));
  return pixels;
}

std::vector<engine::TokenRow> Questions(int64_t count) {
  std::vector<engine::TokenRow> questions;
  for (int i = 0; i < count; ++i) questions.push_back({{101, 2003, 2045, 1037 + i, 3899, 2006, 1029, 102}, 8});
  return questions;
}

std::vector<int> Each(int64_t count) {
  std::vector<int> each;
  for (int i = 0; i < count; ++i) each.push_back(i);
  return each;
}

/// One frame, state.range(0) questions, state.range(1) decoder steps over the whole vocabulary; 0 steps: yes or no.
void BM_FullPass(benchmark::State& state) {
  engine::Target& target = Base();
  const std::vector<float> pixels = Pixels();
  const std::vector<engine::TokenRow> questions = Questions(state.range(0));
  const std::vector<int> each = Each(state.range(0));
  const int steps = static_cast<int>(state.range(1));
  std::vector<float> logits(questions.size() * 30524);
  for (auto unused : state) {
    const auto images = target.Look(pixels, 1);
    const std::vector<engine::ImageHandle> looks(questions.size(), images->front());
    const auto read = target.Read(looks, questions);
    if (steps == 0) {
      benchmark::DoNotOptimize(engine::YesProbabilities(target, *read, static_cast<int>(each.size()), 2748, 2053,
                                                        engine::Padding::kMask));
      continue;
    }
    const auto rows = target.BeginAnswers(*read, each, steps, engine::Padding::kMask);
    for (int step = 0; step < steps; ++step) {
      std::vector<engine::RowToken> tokens;
      for (const int row : each) tokens.push_back({row, 30522 - step});
      Require(target.Step(**rows, tokens, {}, logits).ok(), "a step failed");
    }
  }
}
BENCHMARK(BM_FullPass)->ArgNames({"questions", "steps"})->Args({1, 5})->Args({5, 5})->Args({1, 0})->Args({5, 0})->Args({20, 0})
    ->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_Look(benchmark::State& state) {
  engine::Target& target = Base();
  const std::vector<float> pixels = Pixels();
  for (auto unused : state) benchmark::DoNotOptimize(target.Look(pixels, 1));
  state.counters["GFLOP/s"] = benchmark::Counter(110.97 + 16.34, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(BM_Look)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_ReadQuestions(benchmark::State& state) {
  engine::Target& target = Base();
  const auto images = target.Look(Pixels(), 1);
  const std::vector<engine::TokenRow> questions = Questions(state.range(0));
  const std::vector<engine::ImageHandle> looks(questions.size(), images->front());
  for (auto unused : state) benchmark::DoNotOptimize(target.Read(looks, questions));
}
BENCHMARK(BM_ReadQuestions)->ArgName("questions")->Arg(1)->Arg(5)->Arg(20)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_DecoderStep(benchmark::State& state) {
  engine::Target& target = Base();
  const auto images = target.Look(Pixels(), 1);
  const std::vector<engine::TokenRow> questions = Questions(state.range(0));
  const std::vector<engine::ImageHandle> looks(questions.size(), images->front());
  const auto read = target.Read(looks, questions);
  std::vector<float> logits(questions.size() * 30524);
  for (auto unused : state) {
    const auto rows = target.BeginAnswers(*read, Each(state.range(0)), 1, engine::Padding::kMask);
    std::vector<engine::RowToken> tokens;
    for (const int row : Each(state.range(0))) tokens.push_back({row, 30522});
    Require(target.Step(**rows, tokens, {}, logits).ok(), "a step failed");
  }
}
BENCHMARK(BM_DecoderStep)->ArgName("questions")->Arg(1)->Arg(5)->Arg(20)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace pawsight::targets
