// bench/peers/onednn_gemm.cc: our narrow products beside oneDNN's, on the shapes of BLIP base's image encoder, in turns
// in one process: both see the same machine. The results are compared first, so that both did the same. See README.md.
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/rng.h"
#include "engine/arena.h"
#include "engine/precision.h"
#include "kernels/kernels.h"
#include "kernels/team.h"

namespace pawsight::peers {
namespace {

using Clock = std::chrono::steady_clock;
using kernels::Precision;

struct Shape {
  const char* name;
  int k;
  int n;  // a multiple of kPanel
  kernels::Tail tail = kernels::Tail::kNone;
  bool sum = false;  // added to what is there, in float; else stored in bfloat16
};

constexpr Shape kShapes[] = {
    {"qkv", 768, 2304},
    {"projection + sum", 768, 768, kernels::Tail::kNone, true},
    {"fc1 + gelu", 768, 3072, kernels::Tail::kGelu},
    {"fc2 + sum", 3072, 768, kernels::Tail::kNone, true},
    {"keys, values, 12 layers", 768, 18432},
};

/// What both sides are given.
struct Problem {
  Precision precision;
  int rows;
  Shape shape;
  std::vector<float>
      a;  // [rows, k], 0..1 with a 1 in each row: every row of bytes has the same scale and no zero point
  std::vector<float> weights;  // [n, k]
  std::vector<float> bias;     // [n]
};

Problem MakeProblem(Precision precision, int rows, const Shape& shape) {
  Problem problem{precision, rows, shape, {}, {}, {}};
  const auto k = static_cast<size_t>(shape.k);
  const auto n = static_cast<size_t>(shape.n);
  problem.a.resize(static_cast<size_t>(rows) * k);
  problem.weights.resize(n * k);
  problem.bias.resize(n);
  Rng rng(1);
  for (float& value : problem.a) value = static_cast<float>(rng.Uniform());
  for (size_t i = 0; i < problem.a.size(); i += k) problem.a[i] = 1.0F;
  for (float& value : problem.weights) value = static_cast<float>(rng.Uniform(-0.06, 0.06));
  for (float& value : problem.bias) value = static_cast<float>(rng.Uniform(-1.0, 1.0));
  return problem;
}

/// Our product, columns shared out among a team as engine/linear.cc does.
class Ours {
 public:
  Ours(const kernels::Kernels& kernels, const Problem& problem, int threads)
      : kernels_(kernels), problem_(problem), team_(threads) {
    const int k = problem.shape.k;
    const int n = problem.shape.n;
    const Precision precision = problem.precision;
    const auto columns = static_cast<size_t>(n);
    const auto rows = static_cast<size_t>(problem.rows);
    packed_ = engine::Floats(kernels::NarrowPackedBytes(precision, k, n) / sizeof(float));
    scales_.resize(columns);
    sums_.resize(columns);
    if (precision == Precision::kInt8) {
      kernels::PackInt8(problem.weights.data(), k, n, k, packed_.data(), scales_.data(), sums_.data());
    } else {
      kernels::PackBf16(problem.weights.data(), k, n, k, packed_.data());
    }
    const size_t stride = kernels::RowStride(precision, k);
    rows_ = engine::Floats(rows * stride / sizeof(float));
    row_scales_.resize(rows);
    row_zeros_.resize(rows);
    a_ = {precision, rows_.data(), stride, row_scales_.data(), row_zeros_.data()};
    kernels.narrow(problem.a.data(), k, a_, problem.rows, k);
    c_ = engine::Floats(rows * columns);  // as bfloat16 half of it is used
  }

  void Run() {
    constexpr int kChunks = 4;  // a member
    const int panels = kernels::NumPanels(problem_.shape.n);
    const int chunks = team_.size() == 1 ? 1 : std::min(panels, team_.size() * kChunks);
    team_.ForEach(chunks, [&](int chunk, int) { Columns(chunk * panels / chunks, (chunk + 1) * panels / chunks); });
  }

  float At(size_t i) const {
    return problem_.shape.sum ? c_.data()[i] : kernels::FromBf16(reinterpret_cast<const kernels::Bf16*>(c_.data())[i]);
  }
  const std::vector<float>& scales() const { return scales_; }

 private:
  void Columns(int first_panel, int last_panel) {
    const int k = problem_.shape.k;
    const bool sum = problem_.shape.sum;
    const int first = first_panel * kernels::kPanel;
    float* c = sum ? c_.data() + first : nullptr;
    const bool bytes = problem_.precision == Precision::kInt8;
    kernels_.narrow_gemm({.a = a_,
                          .b = reinterpret_cast<const uint8_t*>(packed_.data()) +
                               static_cast<size_t>(first_panel) * kernels::NarrowPanelBytes(problem_.precision, k),
                          .column_scales = bytes ? scales_.data() + first : nullptr,
                          .column_sums = bytes ? sums_.data() + first : nullptr,
                          .bias = problem_.bias.data() + first,
                          .residual = c,
                          .ldr = problem_.shape.n,
                          .c = c,
                          .narrow_c = sum ? nullptr : reinterpret_cast<kernels::Bf16*>(c_.data()) + first,
                          .ldc = problem_.shape.n,
                          .rows = problem_.rows,
                          .k = k,
                          .n = (last_panel - first_panel) * kernels::kPanel,
                          .tail = problem_.shape.tail});
  }

  const kernels::Kernels& kernels_;
  const Problem& problem_;
  kernels::Team team_;
  engine::Floats packed_;
  std::vector<float> scales_;
  std::vector<int32_t> sums_;
  engine::Floats rows_;
  std::vector<float> row_scales_;
  std::vector<int32_t> row_zeros_;
  kernels::NarrowRows a_;
  engine::Floats c_;
};

/// oneDNN's, its weights in the order it asks for, made for the number of threads that OpenMP has now.
class OneDnn {
 public:
  /// `scales` [n] of the weights' columns, for bytes. Throws dnnl::error where oneDNN cannot do it on this processor.
  OneDnn(const Problem& problem, const std::vector<float>& scales) : shape_(problem.shape) {
    using Memory = dnnl::memory;
    const bool bytes = problem.precision == Precision::kInt8;
    const int k = problem.shape.k;
    const int n = problem.shape.n;
    const bool sum = problem.shape.sum;
    const Memory::data_type weights_type = bytes ? Memory::data_type::s8 : Memory::data_type::bf16;
    const Memory::desc a({problem.rows, k}, bytes ? Memory::data_type::u8 : Memory::data_type::bf16,
                         Memory::format_tag::ab);
    const Memory::desc any({k, n}, weights_type, Memory::format_tag::any);
    const Memory::desc plain({k, n}, weights_type, Memory::format_tag::ba);
    const Memory::desc bias({1, n}, Memory::data_type::f32, Memory::format_tag::ab);
    const Memory::desc c({problem.rows, n}, sum ? Memory::data_type::f32 : Memory::data_type::bf16,
                         Memory::format_tag::ab);
    dnnl::primitive_attr attributes;
    std::vector<float> outputs;  // scales of the sums: all rows of a have 1 / 255
    for (const float scale : scales) outputs.push_back(scale / 255.0F);
    if (bytes) attributes.set_output_scales(1U << 1U, outputs);
    dnnl::post_ops tails;
    if (problem.shape.tail == kernels::Tail::kGelu)
      tails.append_eltwise(1.0F, dnnl::algorithm::eltwise_gelu_erf, 0.0F, 0.0F);
    if (sum) tails.append_sum(1.0F);
    attributes.set_post_ops(tails);
    const dnnl::matmul::primitive_desc chosen(dnnl::matmul::desc(a, any, bias, c), attributes, engine_);
    product_ = dnnl::matmul(chosen);

    Memory from(plain, engine_);
    FillNarrow(from, problem.weights, bytes, [&](size_t i) { return 1.0F / scales[i / static_cast<size_t>(k)]; });
    Memory weights(chosen.weights_desc(), engine_);
    dnnl::reorder(from, weights).execute(stream_, from, weights);
    Memory left(a, engine_);
    FillNarrow(left, problem.a, bytes, [](size_t) { return 255.0F; });
    Memory added(bias, engine_);
    auto* to = static_cast<float*>(added.get_data_handle());  // oneDNN 2 adds it before it scales
    for (size_t i = 0; i < problem.bias.size(); ++i) to[i] = bytes ? problem.bias[i] / outputs[i] : problem.bias[i];
    c_ = Memory(c, engine_);
    std::memset(c_.get_data_handle(), 0, c.get_size());
    arguments_ = {{DNNL_ARG_SRC, left}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_BIAS, added}, {DNNL_ARG_DST, c_}};
    stream_.wait();
  }

  void Run() {
    product_.execute(stream_, arguments_);
    stream_.wait();
  }

  float At(size_t i) const {
    const void* data = c_.get_data_handle();
    return shape_.sum ? static_cast<const float*>(data)[i]
                      : kernels::FromBf16(static_cast<const kernels::Bf16*>(data)[i]);
  }

 private:
  /// Bytes of values times `scale` of their index, or bfloat16. Signed bytes are the same bits.
  template <typename Scale>
  static void FillNarrow(dnnl::memory& memory, const std::vector<float>& values, bool bytes, Scale scale) {
    void* data = memory.get_data_handle();
    for (size_t i = 0; i < values.size(); ++i) {
      if (bytes) {
        static_cast<uint8_t*>(data)[i] = static_cast<uint8_t>(std::lrint(values[i] * scale(i)));
      } else {
        static_cast<kernels::Bf16*>(data)[i] = kernels::ToBf16(values[i]);
      }
    }
  }

  const Shape shape_;
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  dnnl::matmul product_;
  dnnl::memory c_;
  std::unordered_map<int, dnnl::memory> arguments_;
};

/// Milliseconds of one run. Threads of the other side that still spin go to sleep first, then a run fills the caches.
template <typename Side>
double Time(Side& side) {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  side.Run();
  const Clock::time_point start = Clock::now();
  side.Run();
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double Median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// Largest difference over the largest value.
double Difference(const Ours& ours, const OneDnn& theirs, size_t count) {
  double difference = 0;
  double largest = 0;
  for (size_t i = 0; i < count; ++i) {
    difference = std::max(difference, static_cast<double>(std::abs(ours.At(i) - theirs.At(i))));
    largest = std::max(largest, static_cast<double>(std::abs(ours.At(i))));
  }
  return difference / largest;
}

struct Options {
  bool json = false;
  int repeat = 15;
  int rows = 577;  // the patches of a frame and the class token
};

void Print(const Options& options, const Problem& problem, int threads, std::string_view kernels, double ours,
           double theirs) {
  const Shape& shape = problem.shape;
  const std::string precision(engine::PrecisionName(problem.precision));
  const double gops = 2e-6 * problem.rows * shape.k * shape.n;  // over milliseconds
  if (options.json) {
    const Json line(Json::Object{{"precision", precision},
                                 {"shape", shape.name},
                                 {"rows", problem.rows},
                                 {"k", shape.k},
                                 {"n", shape.n},
                                 {"threads", threads},
                                 {"kernels", kernels},
                                 {"ours_ms", ours},
                                 {"onednn_ms", theirs},
                                 {"ours_gops", gops / ours},
                                 {"onednn_gops", gops / theirs},
                                 {"ratio", theirs / ours}});
    std::printf("%s\n", line.Dump().c_str());
  } else {
    const std::string size = std::to_string(shape.k) + " x " + std::to_string(shape.n);
    std::printf("%-9s %-24s %-12s %7d %9.2f %9.2f %9.0f %9.0f %7.2f\n", precision.c_str(), shape.name, size.c_str(),
                threads, ours, theirs, gops / ours, gops / theirs, theirs / ours);
  }
  std::fflush(stdout);
}

/// False when the two did not compute the same.
bool RunCase(const Options& options, const kernels::Kernels& kernels, const Problem& problem, int threads) {
  omp_set_num_threads(threads);
  Ours ours(kernels, problem, threads);
  std::optional<OneDnn> theirs;
  try {
    theirs.emplace(problem, ours.scales());
  } catch (const dnnl::error& error) {
    std::fprintf(stderr, "onednn_gemm: %s, %s: oneDNN cannot: %s\n",
                 std::string(engine::PrecisionName(problem.precision)).c_str(), problem.shape.name, error.what());
    return true;
  }
  ours.Run();
  theirs->Run();
  const double difference =
      Difference(ours, *theirs, static_cast<size_t>(problem.rows) * static_cast<size_t>(problem.shape.n));
  if (!(difference < 0.01)) {
    std::fprintf(stderr, "onednn_gemm: %s: results differ by %g of the largest\n", problem.shape.name, difference);
    return false;
  }
  std::vector<double> our_ms;
  std::vector<double> their_ms;
  for (int i = 0; i < options.repeat; ++i) {
    our_ms.push_back(Time(ours));
    their_ms.push_back(Time(*theirs));
  }
  Print(options, problem, threads, kernels.name, Median(our_ms), Median(their_ms));
  return true;
}

/// Nothing when the arguments are wrong.
std::optional<Options> ParseArguments(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--json") {
      options.json = true;
    } else if (word == "--repeat" && i + 1 < argc) {
      options.repeat = std::atoi(argv[++i]);
    } else if (word == "--rows" && i + 1 < argc) {
      options.rows = std::atoi(argv[++i]);
    } else {
      return std::nullopt;
    }
  }
  if (options.repeat < 1 || options.rows < 1 || options.rows > 100'000) return std::nullopt;
  return options;
}

int Run(int argc, char** argv) {
  const std::optional<Options> options = ParseArguments(argc, argv);
  if (!options) {
    std::fprintf(stderr,
                 "usage: onednn_gemm [--json] [--repeat ROUNDS, 1 or more: 15] [--rows ROWS, 1..100000: 577]\n");
    return 2;
  }
  const kernels::Kernels& kernels = **kernels::Choose("");
  if (!options->json) {
    const dnnl_version_t* version = dnnl_version();
    std::printf("%d rows; ours %s, oneDNN %d.%d.%d; medians of %d rounds\n\n", options->rows,
                std::string(kernels.name).c_str(), version->major, version->minor, version->patch, options->repeat);
    std::printf("%-9s %-24s %-12s %7s %9s %9s %9s %9s %7s\n", "precision", "shape", "k x n", "threads", "ours ms",
                "oneDNN ms", "ours Gop", "oneDNN", "ratio");
  }
  for (const Precision precision : {Precision::kBf16, Precision::kInt8}) {
    for (const Shape& shape : kShapes) {
      const Problem problem = MakeProblem(precision, options->rows, shape);
      for (const int threads : {1, 2}) {
        if (!RunCase(*options, kernels, problem, threads)) return 1;
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace pawsight::peers

int main(int argc, char** argv) { return pawsight::peers::Run(argc, argv); }
