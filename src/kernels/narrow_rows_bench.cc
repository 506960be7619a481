// Everything of narrow operands but their product, on the shapes of BLIP base (577 tokens of a frame, width 768, 12
// heads of 64), one thread, beside the bfloat16 products a second that the core can do at all.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "kernels/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pawsight::kernels {
namespace {

constexpr int kTokens = 577;
constexpr int kWidth = 768;
constexpr int kHeadDim = 64;

/// `count` values from a cache line's start, random unless T is a byte.
template <typename T>
class Values {
 public:
  explicit Values(size_t count) : memory_(count + kChunk), start_(memory_.data()) {
    while (reinterpret_cast<uintptr_t>(start_) % kChunk != 0) ++start_;
    Rng rng(1);
    for (size_t i = 0; i < count; ++i) Set(start_[i], static_cast<float>(rng.Uniform(-1.0, 1.0)));
  }
  Values(const Values&) = delete;
  Values& operator=(const Values&) = delete;
  T* data() { return start_; }

 private:
  static void Set(float& to, float value) { to = value; }
  static void Set(Bf16& to, float value) { to = ToBf16(value); }
  static void Set(uint8_t&, float) {}

  std::vector<T> memory_;
  T* start_;
};

/// A left operand and the memory it lies in.
struct LeftOperand {
  LeftOperand(Precision precision, int rows, int cols)
      : bytes(RowStride(precision, cols) * static_cast<size_t>(rows)),
        scales(static_cast<size_t>(rows)),
        zeros(static_cast<size_t>(rows)),
        view{.precision = precision,
             .data = bytes.data(),
             .stride = RowStride(precision, cols),
             .scales = scales.data(),
             .zeros = zeros.data()} {}
  Values<uint8_t> bytes;
  std::vector<float> scales;
  std::vector<int32_t> zeros;
  NarrowRows view;
};

/// Counts `amount` of work an iteration as a rate, `name`.
void Rate(benchmark::State& state, const char* name, double amount) {
  state.counters[name] =
      benchmark::Counter(amount * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// Bytes read and written for each value of a frame's rows.
void RateOfValues(benchmark::State& state, int cols, int read, Precision written) {
  Rate(state, "bytes", static_cast<double>(kTokens) * cols * (read + NarrowBytes(written)));
}

void LayerNorm(benchmark::State& state, const Kernels* table, Precision precision) {
  Values<float> x(static_cast<size_t>(kTokens) * kWidth);
  Values<float> gain(kWidth);
  LeftOperand y(precision, kTokens, kWidth);
  for (auto _ : state) {
    table->narrow_layer_norm(x.data(), kWidth, gain.data(), gain.data(), 1e-5F, y.view, kTokens, kWidth);
    benchmark::ClobberMemory();
  }
  RateOfValues(state, kWidth, 4, precision);
}

void Narrow(benchmark::State& state, const Kernels* table, Precision precision) {
  Values<float> x(static_cast<size_t>(kTokens) * kWidth);
  LeftOperand y(precision, kTokens, kWidth);
  for (auto _ : state) {
    table->narrow(x.data(), kWidth, y.view, kTokens, kWidth);
    benchmark::ClobberMemory();
  }
  RateOfValues(state, kWidth, 4, precision);
}

void Quantize(benchmark::State& state, const Kernels* table, int cols) {
  Values<Bf16> x(static_cast<size_t>(kTokens) * static_cast<size_t>(cols));
  LeftOperand y(Precision::kInt8, kTokens, cols);
  for (auto _ : state) {
    table->quantize(x.data(), cols, y.view, kTokens, cols);
    benchmark::ClobberMemory();
  }
  RateOfValues(state, cols, 2, Precision::kInt8);
}

void PackKeys(benchmark::State& state, const Kernels* table) {
  Values<Bf16> keys(static_cast<size_t>(kTokens) * kWidth);
  Values<uint8_t> packed(NarrowPackedBytes(Precision::kBf16, kHeadDim, kTokens));
  for (auto _ : state) {
    table->pack_keys(keys.data(), kWidth, kTokens, kHeadDim, packed.data());
    benchmark::ClobberMemory();
  }
  RateOfValues(state, kHeadDim, 2, Precision::kBf16);
}

void PackValues(benchmark::State& state, const Kernels* table) {
  Values<Bf16> values(static_cast<size_t>(kTokens) * kWidth);
  Values<uint8_t> packed(NarrowPackedBytes(Precision::kBf16, kTokens, kHeadDim));
  for (auto _ : state) {
    table->pack_values(values.data(), kWidth, kTokens, kHeadDim, packed.data(),
                       NarrowPanelBytes(Precision::kBf16, kTokens));
    benchmark::ClobberMemory();
  }
  RateOfValues(state, kHeadDim, 2, Precision::kBf16);
}

/// One of 12 heads, so q and out have rows of 768.
void Attention(benchmark::State& state, const Kernels* table, int rows, int num_keys) {
  Values<Bf16> q(static_cast<size_t>(rows) * kWidth);
  Values<Bf16> head(static_cast<size_t>(num_keys) * kHeadDim);
  Values<uint8_t> keys(NarrowPackedBytes(Precision::kBf16, kHeadDim, num_keys));
  Values<uint8_t> values(NarrowPackedBytes(Precision::kBf16, num_keys, kHeadDim));
  const size_t panel_bytes = NarrowPanelBytes(Precision::kBf16, num_keys);
  Scalar().pack_keys(head.data(), kHeadDim, num_keys, kHeadDim, keys.data());
  Scalar().pack_values(head.data(), kHeadDim, num_keys, kHeadDim, values.data(), panel_bytes);
  Values<Bf16> out(static_cast<size_t>(rows) * kWidth);
  Values<uint8_t> scratch(NarrowAttendScratch(num_keys));
  for (auto _ : state) {
    table->narrow_attend({.q = q.data(),
                          .ldq = kWidth,
                          .keys = keys.data(),
                          .values = values.data(),
                          .value_panel_bytes = panel_bytes,
                          .out = out.data(),
                          .ldo = kWidth,
                          .rows = rows,
                          .head_dim = kHeadDim,
                          .num_keys = num_keys,
                          .scale = 0.125F,
                          .scratch = scratch.data()});
    benchmark::ClobberMemory();
  }
  Rate(state, "flop", 4.0 * rows * num_keys * kHeadDim);
}

#if defined(__x86_64__)
/// Independent chains of products in registers: the ceiling.
__attribute__((target("avx512f,avx512bf16"))) void PeakBf16(benchmark::State& state) {
  __m512 sums[16];
  for (int i = 0; i < 16; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const auto x = __builtin_bit_cast(__m512bh, _mm512_set1_epi32(0x3F003F00));
  for (auto _ : state) {
    for (int step = 0; step < 1000; ++step) {
      for (int i = 0; i < 16; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], x, x);
    }
    for (int i = 0; i < 16; ++i) benchmark::DoNotOptimize(sums[i]);
  }
  Rate(state, "flop", 1000.0 * 16 * 32 * 2);
}
#endif

/// With --benchmark_repetitions, the least time and the highest rate: what the code can do, where the mean also tells
/// how busy the machine was.
void ReportBest(benchmark::internal::Benchmark* entry) {
  entry->Unit(benchmark::kMicrosecond)
      ->ComputeStatistics("min",
                          [](const std::vector<double>& runs) { return *std::min_element(runs.begin(), runs.end()); })
      ->ComputeStatistics("max",
                          [](const std::vector<double>& runs) { return *std::max_element(runs.begin(), runs.end()); });
}

const bool kRegistered = [] {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bf16") != 0) {
    ReportBest(benchmark::RegisterBenchmark("peak/bf16", PeakBf16));
  }
#endif
  for (const Kernels* table : Available()) {
    const auto add = [&](const std::string& what, auto function) {
      ReportBest(benchmark::RegisterBenchmark((what + "/" + std::string(table->name)).c_str(), function));
    };
    for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
      const std::string to = precision == Precision::kBf16 ? "bf16" : "int8";
      add("narrow_layer_norm/" + to, [=](benchmark::State& state) { LayerNorm(state, table, precision); });
      add("narrow/" + to, [=](benchmark::State& state) { Narrow(state, table, precision); });
    }
    add("quantize/768", [=](benchmark::State& state) { Quantize(state, table, kWidth); });
    add("quantize/3072", [=](benchmark::State& state) { Quantize(state, table, 4 * kWidth); });
    add("narrow_pack/keys", [=](benchmark::State& state) { PackKeys(state, table); });
    add("narrow_pack/values", [=](benchmark::State& state) { PackValues(state, table); });
    add("narrow_attend/frame", [=](benchmark::State& state) { Attention(state, table, kTokens, kTokens); });
    add("narrow_attend/160_rows", [=](benchmark::State& state) { Attention(state, table, 160, kTokens); });
    add("narrow_attend/8_token_question", [=](benchmark::State& state) { Attention(state, table, 8, kTokens); });
    add("narrow_attend/1_token", [=](benchmark::State& state) { Attention(state, table, 1, 8); });
  }
  return true;
}();

}  // namespace
}  // namespace pawsight::kernels
