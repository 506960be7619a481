// What is not a plain matrix product in BLIP base: attention of one head, layer norm of a frame, packing of a head's keys.
#include <string>

#include <benchmark/benchmark.h>

#include "kernels/benching.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {
namespace {

constexpr int kHeadDim = 64;

/// One of 12 heads, so q and out have rows of 768.
void Attention(benchmark::State& state, const Kernels* table, int rows, int num_keys) {
  Floats q(static_cast<size_t>(rows) * 768);
  Floats keys(PackedSize(kHeadDim, num_keys));
  Floats values(PackedSize(num_keys, kHeadDim));
  Floats out(static_cast<size_t>(rows) * 768);
  Floats scratch(AttendScratch(num_keys));
  for (auto _ : state) {
    table->attend({.q = q.data(), .ldq = 768, .keys = keys.data(), .values = values.data(),
                   .value_panel_stride = static_cast<size_t>(num_keys) * kPanel, .out = out.data(), .ldo = 768,
                   .rows = rows, .head_dim = kHeadDim, .num_keys = num_keys, .scale = 0.125F, .scratch = scratch.data()});
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

const bool kRegistered = [] {
  for (const Kernels* table : Available()) {
    const auto add = [&](const std::string& what, auto function) {
      ReportBest(benchmark::RegisterBenchmark((what + "/" + std::string(table->name)).c_str(), function));
    };
    add("attend_frame", [=](benchmark::State& state) { Attention(state, table, 577, 577); });
    add("attend_8_token_question", [=](benchmark::State& state) { Attention(state, table, 8, 577); });
    add("attend_1_token", [=](benchmark::State& state) { Attention(state, table, 1, 8); });
    add("layer_norm_frame", [=](benchmark::State& state) { LayerNorm(state, table); });
    add("pack_keys", [=](benchmark::State& state) { PackKeys(state, table); });
    add("pack_values", [=](benchmark::State& state) { PackValues(state, table); });
  }
  return true;
}();

}  // namespace
}  // namespace pawsight::kernels
