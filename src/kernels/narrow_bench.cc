// Products with narrow operands on the shapes of BLIP base, one thread: a frame's 577 tokens, and the few rows of a
// question, whose weights come from memory, as they do where a network is larger than the caches.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

/// Bytes from a cache line's start, the same random ones over and over: quick to fill, and finite in every precision.
class Bytes {
 public:
  explicit Bytes(size_t size) : memory_(static_cast<uint8_t*>(std::aligned_alloc(64, (size + 63) / 64 * 64))) {
    Rng rng(1);
    std::vector<Bf16> values(4093);
    for (Bf16& value : values) value = ToBf16(static_cast<float>(rng.Uniform(-1.0, 1.0)));
    auto* to = reinterpret_cast<Bf16*>(memory_.get());
    for (size_t i = 0; i < size / sizeof(Bf16); ++i) to[i] = values[i % values.size()];
  }
  uint8_t* data() { return memory_.get(); }

 private:
  struct Free {
    void operator()(uint8_t* memory) const { std::free(memory); }
  };
  std::unique_ptr<uint8_t, Free> memory_;
};

struct Shape {
  const char* name;
  int rows, k, n;
  Tail tail = Tail::kNone;
  bool residual = false;
  bool narrow_result = false;
};

constexpr Shape kShapes[] = {
    {"qkv", 577, 768, 2304, Tail::kNone, false, true}, {"proj", 577, 768, 768, Tail::kNone, true},
    {"fc1", 577, 768, 3072, Tail::kNone, false, true}, {"fc1_gelu", 577, 768, 3072, Tail::kGelu, false, true},
    {"fc2", 577, 3072, 768, Tail::kNone, true},        {"kv_12_layers", 577, 768, 18432, Tail::kNone, false, true},
};
constexpr int kFewRows[] = {1, 8, 40, 160};
constexpr Shape kFewShapes[] = {
    {"768x768", 0, 768, 768, Tail::kNone, true},
    {"768x2304", 0, 768, 2304, Tail::kNone, false, true},
    {"768x3072_gelu", 0, 768, 3072, Tail::kGelu, false, true},
    {"3072x768", 0, 3072, 768, Tail::kNone, true},
    {"768x30524", 0, 768, 30524},
};

/// Weights beyond any cache of ours, where rows are few.
constexpr size_t kRotation = size_t{64} << 20;

void Rate(benchmark::State& state, const char* name, double amount) {
  state.counters[name] =
      benchmark::Counter(amount * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void Products(benchmark::State& state, const Kernels* table, Precision precision, const Shape& shape, bool rotate) {
  const size_t stride = RowStride(precision, shape.k);
  const size_t b_bytes = NarrowPackedBytes(precision, shape.k, shape.n);
  const size_t copies = rotate ? kRotation / b_bytes + 1 : 1;
  const auto rows = static_cast<size_t>(shape.rows);
  const auto padded = static_cast<size_t>(NumPanels(shape.n)) * kPanel;
  Bytes a(rows * stride);
  Bytes b(b_bytes * copies);
  std::vector<float> scales(padded + rows, 0.01F);
  std::vector<int32_t> sums(padded + rows, 1);
  std::vector<float> bias(padded, 0.5F);
  Bytes c(rows * padded * sizeof(float));
  NarrowGemm args = {
      .a = {.precision = precision, .data = a.data(), .stride = stride, .scales = scales.data(), .zeros = sums.data()},
      .column_scales = scales.data() + rows,
      .column_sums = sums.data() + rows,
      .bias = bias.data(),
      .ldc = static_cast<int>(padded),
      .rows = shape.rows,
      .k = shape.k,
      .n = shape.n,
      .tail = shape.tail};
  if (shape.narrow_result) {
    args.narrow_c = reinterpret_cast<Bf16*>(c.data());
  } else {
    args.c = reinterpret_cast<float*>(c.data());
  }
  if (shape.residual) {
    args.residual = args.c;
    args.ldr = args.ldc;
  }
  size_t copy = 0;
  for (auto _ : state) {
    args.b = b.data() + copy * b_bytes;
    copy = copy + 1 < copies ? copy + 1 : 0;
    table->narrow_gemm(args);
    benchmark::ClobberMemory();
  }
  Rate(state, "op", 2.0 * shape.rows * shape.k * shape.n);
  Rate(state, "bytes_of_b", static_cast<double>(b_bytes));
}

const bool kRegistered = [] {
  for (const Kernels* table : Available()) {
    if (table == &Scalar()) continue;  // the specification is minutes slow here
    for (const auto& [precision, called] : {std::pair{Precision::kInt8, "int8"}, std::pair{Precision::kBf16, "bf16"}}) {
      const auto add = [&, precision = precision, called = called](const Shape& shape, const std::string& name,
                                                                   bool rotate) {
        benchmark::RegisterBenchmark(("narrow_gemm/" + name + "/" + called + "/" + std::string(table->name)).c_str(),
                                     [=](benchmark::State& state) { Products(state, table, precision, shape, rotate); })
            ->Unit(benchmark::kMicrosecond)
            ->ComputeStatistics(
                "min", [](const std::vector<double>& runs) { return *std::min_element(runs.begin(), runs.end()); })
            ->ComputeStatistics(
                "max", [](const std::vector<double>& runs) { return *std::max_element(runs.begin(), runs.end()); });
      };
      for (const Shape& shape : kShapes) add(shape, shape.name, false);
      for (int rows : kFewRows) {
        for (Shape shape : kFewShapes) {
          shape.rows = rows;
          add(shape, std::string(shape.name) + "/" + std::to_string(rows) + "_rows", true);
        }
      }
    }
  }
  return true;
}();

}  // namespace
}  // namespace pawsight::kernels
