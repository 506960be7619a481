#include "apps/measure_peak.h"

#include <algorithm>
#include <vector>

#include "base/rng.h"
#include "engine/arena.h"

namespace pawsight {
namespace {

using Clock = std::chrono::steady_clock;

/// One product of a shape, its operands packed; called again and again.
class SmallProduct {
 public:
  SmallProduct(const kernels::Kernels& kernels, kernels::Precision precision, int rows, int k)
      : kernels_(kernels),
        narrow_(precision != kernels::Precision::kFp32),
        rows_(rows),
        k_(k),
        a_(Size(rows, k)),
        weights_(Size(kernels::kPanel, k)),
        panel_(Size(k, kernels::kPanel)),
        c_(Size(rows, kernels::kPanel)),
        scales_(kernels::kPanel),
        sums_(kernels::kPanel) {
    Rng rng(3);
    for (size_t i = 0; i < a_.size(); ++i) a_.data()[i] = static_cast<float>(rng.Uniform(-1.0, 1.0));
    for (size_t i = 0; i < weights_.size(); ++i) weights_.data()[i] = static_cast<float>(rng.Uniform(-1.0, 1.0));
    if (!narrow_) {
      kernels.pack_transposed(weights_.data(), k, kernels::kPanel, k, panel_.data());
      return;
    }
    if (precision == kernels::Precision::kInt8) {
      kernels::PackInt8(weights_.data(), k, kernels::kPanel, k, panel_.data(), scales_.data(), sums_.data());
    } else {
      kernels::PackBf16(weights_.data(), k, kernels::kPanel, k, panel_.data());
    }
    const size_t stride = kernels::RowStride(precision, k);
    rows_memory_ = engine::Floats(static_cast<size_t>(rows) * stride / sizeof(float));
    row_scales_.resize(static_cast<size_t>(rows));
    row_zeros_.resize(static_cast<size_t>(rows));
    narrow_a_ = {precision, rows_memory_.data(), stride, row_scales_.data(), row_zeros_.data()};
    kernels.narrow(a_.data(), k, narrow_a_, rows, k);
  }

  void Run() {
    if (narrow_) {
      kernels_.narrow_gemm({.a = narrow_a_,
                            .b = panel_.data(),
                            .column_scales = scales_.data(),
                            .column_sums = sums_.data(),
                            .c = c_.data(),
                            .ldc = kernels::kPanel,
                            .rows = rows_,
                            .k = k_,
                            .n = kernels::kPanel});
    } else {
      kernels_.gemm({.a = a_.data(),
                     .lda = k_,
                     .b = panel_.data(),
                     .panel_stride = static_cast<size_t>(k_) * kernels::kPanel,
                     .c = c_.data(),
                     .ldc = kernels::kPanel,
                     .rows = rows_,
                     .k = k_,
                     .n = kernels::kPanel});
    }
  }
  double work() const { return 2.0 * rows_ * k_ * kernels::kPanel; }

 private:
  static size_t Size(int rows, int columns) { return static_cast<size_t>(rows) * static_cast<size_t>(columns); }

  const kernels::Kernels& kernels_;
  const bool narrow_;
  const int rows_;
  const int k_;
  engine::Floats a_, weights_, panel_, c_;
  std::vector<float> scales_;
  std::vector<int32_t> sums_;
  engine::Floats rows_memory_;
  std::vector<float> row_scales_;
  std::vector<int32_t> row_zeros_;
  kernels::NarrowRows narrow_a_;
};

}  // namespace

double MeasurePeak(const kernels::Kernels& kernels, kernels::Precision precision, const PeakEffort& effort) {
  double best = 0;
  // Rows that are whole tiles of one kernel or another; k as long as the cache allows, so that the tails weigh little.
  for (const int rows : {28, 32, 48, 56}) {
    for (const int k : {128, 256, 512, 768}) {
      SmallProduct product(kernels, precision, rows, k);
      for (int i = 0; i < effort.runs; ++i) {
        const Clock::time_point start = Clock::now();
        Clock::time_point now = start;
        int calls = 0;
        for (; calls == 0 || now - start < effort.run; ++calls, now = Clock::now()) product.Run();
        best = std::max(best, calls * product.work() / std::chrono::duration<double>(now - start).count());
      }
    }
  }
  return best;
}

}  // namespace pawsight
