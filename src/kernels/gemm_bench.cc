// The matrix products of BLIP base (577 tokens of a frame, width 768), one thread, beside the multiply-adds a second that the
// core can do at all, measured in the same run.
#include <string>

#include <benchmark/benchmark.h>

#include "kernels/benching.h"
#include "kernels/kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace pawsight::kernels {
namespace {

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
    table->gemm({.a = a.data(), .lda = shape.k, .b = b.data(), .panel_stride = k * kPanel, .bias = bias.data(),
                 .residual = shape.residual ? c.data() : nullptr, .ldr = shape.n, .c = c.data(), .ldc = shape.n,
                 .rows = shape.rows, .k = shape.k, .n = shape.n, .tail = shape.tail});
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

const bool kRegistered = [] {
  for (const Kernels* table : Available()) {
#if defined(__x86_64__)
    if (table->name == "avx512") ReportBest(benchmark::RegisterBenchmark("peak/avx512", PeakAvx512));
    if (table->name == "avx2") ReportBest(benchmark::RegisterBenchmark("peak/avx2", PeakAvx2));
#endif
    for (const Shape& shape : kShapes) {
      const std::string name = "gemm/" + std::string(table->name) + "/" + shape.name;
      ReportBest(benchmark::RegisterBenchmark(name.c_str(),
                                              [=](benchmark::State& state) { Products(state, table, shape); }));
    }
  }
  return true;
}();

}  // namespace
}  // namespace pawsight::kernels
