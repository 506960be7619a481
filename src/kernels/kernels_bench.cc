// The kernels on the shapes of BLIP base (577 tokens of a frame, width 768, 12 heads), one thread, beside the
// multiply-adds a second that the core can do at all, measured in the same run.
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

/// `count` random floats from a cache line's start.
class Floats {
 public:
  explicit Floats(size_t count) : memory_(count + 16), start_(memory_.data()) {
    while (reinterpret_cast<uintptr_t>(start_) % 64 != 0) ++start_;
    Rng rng(1);
    for (float& value : memory_) value = static_cast<float>(rng.Uniform(-1.0, 1.0));
  }
  Floats(const Floats&) = delete;
  Floats& operator=(const Floats&) = delete;
  float* data() { return start_; }

 private:
  std::vector<float> memory_;
  float* start_;
};

/// Counts `amount` of work an iteration as a rate, `name`.
void Rate(benchmark::State& state, const char* name, double amount) {
  state.counters[name] =
      benchmark::Counter(amount * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

/// With --benchmark_repetitions, the least time and the highest rate: what the code can do, where the mean also tells
/// how busy the machine was.
void ReportBest(benchmark::internal::Benchmark* entry) {
  entry->Unit(benchmark::kMicrosecond)
      ->ComputeStatistics("min",
                          [](const std::vector<double>& runs) { return *std::min_element(runs.begin(), runs.end()); })
      ->ComputeStatistics("max",
                          [](const std::vector<double>& runs) { return *std::max_element(runs.begin(), runs.end()); });
}

struct Shape {
  const char* name;
  int rows, k, n;
  Tail tail = Tail::kNone;
  bool residual = false;
};

constexpr Shape kShapes[] = {
    {"qkv", 577, 768, 2304},
    {"proj", 577, 768, 768, Tail::kNone, true},
    {"fc1_gelu", 577, 768, 3072, Tail::kGelu},
    {"fc2", 577, 3072, 768, Tail::kNone, true},
    {"kv_12_layers", 577, 768, 18432},
    {"half_the_rows", 289, 768, 768, Tail::kNone, true},
    {"half_the_columns", 577, 768, 384},
    {"1_row", 1, 768, 3072},
    {"8_rows", 8, 768, 3072},
    {"1_row_vocabulary", 1, 768, 30524},
};

void Products(benchmark::State& state, const Kernels* table, const Shape& shape) {
  const auto rows = static_cast<size_t>(shape.rows);
  const auto k = static_cast<size_t>(shape.k);
  const auto n = static_cast<size_t>(shape.n);
  Floats a(rows * k);
  Floats b(PackedSize(shape.k, shape.n));
  Floats bias(n);
  Floats c(rows * n);
  for (auto _ : state) {
    table->gemm({.a = a.data(),
                 .lda = shape.k,
                 .b = b.data(),
                 .panel_stride = k * kPanel,
                 .bias = bias.data(),
                 .residual = shape.residual ? c.data() : nullptr,
                 .ldr = shape.n,
                 .c = c.data(),
                 .ldc = shape.n,
                 .rows = shape.rows,
                 .k = shape.k,
                 .n = shape.n,
                 .tail = shape.tail});
    benchmark::ClobberMemory();
  }
  Rate(state, "flop", 2.0 * static_cast<double>(rows * k * n));
  Rate(state, "bytes_of_b", static_cast<double>(PackedSize(shape.k, shape.n) * sizeof(float)));
}

#if defined(__x86_64__)
/// Independent chains of multiply-adds in registers: the ceiling.
__attribute__((target("avx512f"))) void PeakAvx512(benchmark::State& state) {
  __m512 sums[16];
  for (int i = 0; i < 16; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 x = _mm512_set1_ps(0.999F);
  for (auto _ : state) {
    for (int step = 0; step < 1000; ++step) {
      for (int i = 0; i < 16; ++i) sums[i] = _mm512_fmadd_ps(sums[i], x, x);
    }
    for (int i = 0; i < 16; ++i) benchmark::DoNotOptimize(sums[i]);
  }
  Rate(state, "flop", 1000.0 * 16 * 16 * 2);
}

__attribute__((target("avx2,fma"))) void PeakAvx2(benchmark::State& state) {
  __m256 sums[12];
  for (int i = 0; i < 12; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 x = _mm256_set1_ps(0.999F);
  for (auto _ : state) {
    for (int step = 0; step < 1000; ++step) {
      for (int i = 0; i < 12; ++i) sums[i] = _mm256_fmadd_ps(sums[i], x, x);
    }
    for (int i = 0; i < 12; ++i) benchmark::DoNotOptimize(sums[i]);
  }
  Rate(state, "flop", 1000.0 * 12 * 8 * 2);
}
#endif

constexpr int kHeadDim = 64;

/// One of 12 heads, so q and out have rows of 768.
void Attention(benchmark::State& state, const Kernels* table, int rows, int num_keys) {
  Floats q(static_cast<size_t>(rows) * 768);
  Floats keys(PackedSize(kHeadDim, num_keys));
  Floats values(PackedSize(num_keys, kHeadDim));
  Floats out(static_cast<size_t>(rows) * 768);
  Floats scratch(AttendScratch(num_keys));
  for (auto _ : state) {
    table->attend({.q = q.data(),
                   .ldq = 768,
                   .keys = keys.data(),
                   .values = values.data(),
                   .value_panel_stride = static_cast<size_t>(num_keys) * kPanel,
                   .out = out.data(),
                   .ldo = 768,
                   .rows = rows,
                   .head_dim = kHeadDim,
                   .num_keys = num_keys,
                   .scale = 0.125F,
                   .scratch = scratch.data()});
    benchmark::ClobberMemory();
  }
  Rate(state, "flop", 4.0 * rows * num_keys * kHeadDim);
}

void LayerNorm(benchmark::State& state, const Kernels* table) {
  Floats x(577 * 768);
  Floats gain(768);
  Floats y(577 * 768);
  for (auto _ : state) {
    table->layer_norm(x.data(), 768, gain.data(), gain.data(), 1e-5F, y.data(), 768, 577, 768);
    benchmark::ClobberMemory();
  }
  Rate(state, "bytes", 577 * 768 * 8);
}

void PackKeys(benchmark::State& state, const Kernels* table) {
  Floats keys(577 * 768);
  Floats packed(PackedSize(kHeadDim, 577));
  for (auto _ : state) {
    table->pack_transposed(keys.data(), 768, 577, kHeadDim, packed.data());
    benchmark::ClobberMemory();
  }
  Rate(state, "bytes", 577 * kHeadDim * 8);
}

void PackValues(benchmark::State& state, const Kernels* table) {
  Floats values(577 * 768);
  Floats packed(PackedSize(577, kHeadDim));
  for (auto _ : state) {
    table->pack(values.data(), 768, 577, kHeadDim, packed.data(), 577 * kPanel);
    benchmark::ClobberMemory();
  }
  Rate(state, "bytes", 577 * kHeadDim * 8);
}

void RegisterPeak(std::string_view table) {
#if defined(__x86_64__)
  if (table == "avx512") ReportBest(benchmark::RegisterBenchmark("peak/avx512", PeakAvx512));
  if (table == "avx2") ReportBest(benchmark::RegisterBenchmark("peak/avx2", PeakAvx2));
#else
  (void)table;  // no ceiling is known for another processor
#endif
}

const bool kRegistered = [] {
  for (const Kernels* table : Available()) {
    const auto add = [&](const std::string& what, auto function) {
      ReportBest(benchmark::RegisterBenchmark((what + "/" + std::string(table->name)).c_str(), function));
    };
    RegisterPeak(table->name);
    for (const Shape& shape : kShapes) {
      add(std::string("gemm/") + shape.name, [=](benchmark::State& state) { Products(state, table, shape); });
    }
    add("attend/frame", [=](benchmark::State& state) { Attention(state, table, 577, 577); });
    add("attend/8_token_question", [=](benchmark::State& state) { Attention(state, table, 8, 577); });
    add("attend/1_token", [=](benchmark::State& state) { Attention(state, table, 1, 8); });
    add("layer_norm/frame", [=](benchmark::State& state) { LayerNorm(state, table); });
    add("pack/keys", [=](benchmark::State& state) { PackKeys(state, table); });
    add("pack/values", [=](benchmark::State& state) { PackValues(state, table); });
  }
  return true;
}();

}  // namespace
}  // namespace pawsight::kernels
