// The narrow products of kernels/amx against scalar: over emulated tiles wherever AVX-512 runs, and over real ones
// where this processor has them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "kernels/amx/emulated_tiles.h"
#include "kernels/kernels.h"
#include "kernels/testing.h"

namespace pawsight::kernels {

#if defined(__x86_64__)
void EmulatedNarrowGemm(const NarrowGemm& args);
void EmulatedNarrowAttend(const NarrowAttend& args);
#endif

namespace {

/// The emulated functions in a table of their own; nullptr where this processor lacks what they use beside tiles.
const Kernels* Emulated() {
#if defined(__x86_64__)
  static const Kernels table = [] {
    Kernels emulated = Scalar();
    emulated.name = "emulated";
    emulated.narrow_gemm = EmulatedNarrowGemm;
    emulated.narrow_attend = EmulatedNarrowAttend;
    return emulated;
  }();
  const bool runs = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                    __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
                    __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
  return runs ? &table : nullptr;
#else
  return nullptr;
#endif
}
const Kernels* Native() {
  const Result<const Kernels*> chosen = Choose("amx");
  return chosen.ok() ? *chosen : nullptr;
}
std::vector<const Kernels*> Tables() {
  std::vector<const Kernels*> tables;
  for (const Kernels* table : {Emulated(), Native()}) {
    if (table != nullptr) tables.push_back(table);
  }
  return tables;
}

/// Bytes at a cache line's start that end where they end, so that the address sanitizer sees a read beyond.
class Lines {
 public:
  explicit Lines(size_t size, uint8_t fill = 0xFF) : size_(size), data_(new (std::align_val_t{64}) uint8_t[size]) {
    std::memset(data_, fill, size);
  }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;
  ~Lines() { operator delete[](data_, std::align_val_t{64}); }
  uint8_t* data() { return data_; }
  size_t size() const { return size_; }
  template <typename T>
  T* as() {
    return reinterpret_cast<T*>(data_);
  }

 private:
  size_t size_;
  uint8_t* data_;
};

constexpr Bf16 kNarrowGuard = 0x4242;

/// A product with everything it reads at its tightest: rows of a end with their last chunk, b with its last panel. What
/// lies between the rows of a, and in their last chunk of bytes, is not a number or not zero.
struct Product {
  Product(Precision precision, int rows, int k, int n, uint64_t seed = 1)
      : rng(seed),
        stride(RowStride(precision, k)),
        a(static_cast<size_t>(rows - 1) * stride + ChunkedBytes(precision, k)),
        b(NarrowPackedBytes(precision, k, n)),
        columns(static_cast<size_t>(NumPanels(n)) * kPanel),
        column_scales(columns),
        column_sums(columns),
        bias(columns),
        residual(rows, n, 5, 3),
        c(rows, n, 7, 1),
        ldc(static_cast<int>(columns) + 9),
        narrow(static_cast<size_t>(rows * ldc), kNarrowGuard) {
    Matrix weight(n, k, 1);
    weight.Fill(rng);
    residual.Fill(rng);
    for (int j = 0; j < n; ++j) bias[static_cast<size_t>(j)] = static_cast<float>(rng.Uniform(-1.0, 1.0));
    args = {.b = b.data(),
            .bias = bias.data(),
            .residual = residual.row(0),
            .ldr = residual.stride(),
            .c = c.row(0),
            .ldc = c.stride(),
            .rows = rows,
            .k = k,
            .n = n};
    args.a = {.precision = precision, .data = a.data(), .stride = stride};
    if (precision == Precision::kBf16) {
      PackBf16(weight.row(0), weight.stride(), n, k, b.data());
      for (int i = 0; i < rows; ++i) {
        std::memset(a.data() + static_cast<size_t>(i) * stride, 0, ChunkedBytes(precision, k));
        for (int r = 0; r < k; ++r) Row(i)[r] = ToBf16(static_cast<float>(rng.Uniform(-1.0, 1.0)));
      }
      return;
    }
    PackInt8(weight.row(0), weight.stride(), n, k, b.data(), column_scales.data(), column_sums.data());
    for (int i = 0; i < rows; ++i) {
      scales.push_back(static_cast<float>(rng.Uniform(0.001, 0.02)));
      zeros.push_back(static_cast<int32_t>(rng.Uniform(0.0, 255.9)));
      for (int r = 0; r < k; ++r) Bytes(i)[r] = static_cast<uint8_t>(rng.Uniform(0.0, 255.9));
    }
    args.a.scales = scales.data();
    args.a.zeros = zeros.data();
    args.column_scales = column_scales.data();
    args.column_sums = column_sums.data();
  }

  uint8_t* Bytes(int row) { return a.data() + static_cast<size_t>(row) * stride; }
  Bf16* Row(int row) { return reinterpret_cast<Bf16*>(Bytes(row)); }

  /// The same into bfloat16.
  NarrowGemm Narrow() {
    NarrowGemm to_narrow = args;
    to_narrow.c = nullptr;
    to_narrow.narrow_c = narrow.data();
    to_narrow.ldc = ldc;
    return to_narrow;
  }
  Matrix Run(const Kernels& table) {
    table.narrow_gemm(args);
    return c;
  }

  Rng rng;
  size_t stride;
  Lines a, b;
  size_t columns;
  std::vector<float> column_scales, scales;
  std::vector<int32_t> column_sums, zeros;
  std::vector<float> bias;
  Matrix residual, c;
  int ldc;
  std::vector<Bf16> narrow;
  NarrowGemm args;
};

/// Where bytes are exact to the bit, bfloat16 sums in another order than scalar.
void ExpectAgreement(Product& product, const Kernels& table) {
  const NarrowGemm& args = product.args;
  const Matrix ours = product.Run(table);
  ASSERT_TRUE(ours.GuardsHold());
  const Matrix expected = product.Run(Scalar());
  const bool exact = args.a.precision == Precision::kInt8 && args.tail == Tail::kNone;
  for (int i = 0; i < args.rows; ++i) {
    if (exact) {
      ASSERT_TRUE(SameBits(ours.row(i), expected.row(i), args.n)) << args.rows << " x " << args.k << " x " << args.n;
      continue;
    }
    for (int j = 0; j < args.n; ++j) {
      ASSERT_NEAR(ours.at(i, j), expected.at(i, j), 1e-6 + 2e-6 * std::sqrt(args.k))
          << args.rows << " x " << args.k << " x " << args.n << ", at " << i << ", " << j;
    }
  }
}

constexpr Precision kBoth[] = {Precision::kInt8, Precision::kBf16};

class AmxGemmOf : public EveryTable {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AmxGemmOf);
INSTANTIATE_TEST_SUITE_P(Table, AmxGemmOf, testing::ValuesIn(Tables()), TableName);

TEST_P(AmxGemmOf, EveryNumberOfRowsAgreesWithScalar) {
  for (Precision precision : kBoth) {
    for (int rows = 1; rows <= 65; ++rows) {
      Product product(precision, rows, 65, 33, static_cast<uint64_t>(rows));
      ASSERT_NO_FATAL_FAILURE(ExpectAgreement(product, table()));
    }
    Product frame(precision, 577, 64, 33);
    ASSERT_NO_FATAL_FAILURE(ExpectAgreement(frame, table()));
  }
}

TEST_P(AmxGemmOf, EveryDepthAndWidthAgreesWithScalar) {
  for (Precision precision : kBoth) {
    for (int k : {1, 2, 31, 32, 33, 63, 64, 65, 129, 768, 1029, 3072}) {
      for (int n : {1, 15, 16, 17, 31, 32, 33, 100}) {
        for (int rows : {1, 33}) {
          Product product(precision, rows, k, n);
          ASSERT_NO_FATAL_FAILURE(ExpectAgreement(product, table()));
        }
      }
    }
  }
}

TEST_P(AmxGemmOf, SeveralGroupsOfPanelsAgreeWithScalar) {
  for (Precision precision : kBoth) {
    Product product(precision, 131, 3000, 300);
    ASSERT_NO_FATAL_FAILURE(ExpectAgreement(product, table()));
  }
}

TEST_P(AmxGemmOf, BiasAndResidualAreOptionalAndGeluIsAccurate) {
  for (Precision precision : kBoth) {
    for (int rows : {3, 40}) {
      Product product(precision, rows, 100, 50);
      product.args.residual = nullptr;
      ASSERT_NO_FATAL_FAILURE(ExpectAgreement(product, table()));
      product.args.tail = Tail::kGelu;
      ASSERT_NO_FATAL_FAILURE(ExpectAgreement(product, table()));
      product.args.bias = nullptr;
      ASSERT_NO_FATAL_FAILURE(ExpectAgreement(product, table()));
    }
  }
}

TEST_P(AmxGemmOf, ANarrowResultIsTheFloatOneRoundedWithZerosToThePanelsEnd) {
  for (Precision precision : kBoth) {
    for (int rows : {1, 16, 17, 47}) {
      for (int n : {1, 16, 31, 32, 33, 130}) {
        Product product(precision, rows, 70, n);
        product.args.tail = Tail::kGelu;
        const Matrix wide = product.Run(table());
        table().narrow_gemm(product.Narrow());
        for (int i = 0; i < rows; ++i) {
          for (int j = 0; j < product.ldc; ++j) {
            const Bf16 expected = j < n ? ToBf16(wide.at(i, j)) : j < NumPanels(n) * kPanel ? Bf16{0} : kNarrowGuard;
            ASSERT_EQ(product.narrow[static_cast<size_t>(i * product.ldc + j)], expected)
                << n << ": " << i << ", " << j;
          }
        }
      }
    }
  }
}

TEST_P(AmxGemmOf, TheResidualMayBeTheResultItself) {
  for (Precision precision : kBoth) {
    for (int rows : {5, 70}) {
      Product product(precision, rows, 200, 300);
      const Matrix expected = product.Run(table());
      for (int i = 0; i < rows; ++i) std::memcpy(product.c.row(i), product.residual.row(i), 300 * sizeof(float));
      product.args.residual = product.args.c;
      product.args.ldr = product.args.ldc;
      const Matrix ours = product.Run(table());
      for (int i = 0; i < rows; ++i) ASSERT_TRUE(SameBits(ours.row(i), expected.row(i), 300));
    }
  }
}

TEST_P(AmxGemmOf, ARowIsTheSameBitsAloneAndAmongOthers) {
  for (Precision precision : kBoth) {
    for (int rows : {2, 16, 17, 32, 33, 65}) {
      for (int k : {65, 700}) {
        Product product(precision, rows, k, 150);
        product.args.tail = Tail::kGelu;
        const Matrix together = product.Run(table());
        for (int i = 0; i < rows; ++i) {
          NarrowGemm alone = product.args;
          alone.a = alone.a.From(i);
          alone.residual = product.residual.row(i);
          alone.c = product.c.row(0);
          alone.rows = 1;
          table().narrow_gemm(alone);
          ASSERT_TRUE(SameBits(product.c.row(0), together.row(i), 150)) << "row " << i << " of " << rows;
        }
      }
    }
  }
}

TEST_P(AmxGemmOf, AColumnIsTheSameBitsWhicheverPanelsAreComputedTogether) {
  for (Precision precision : kBoth) {
    Product product(precision, 40, 600, 32 * 9 + 5);
    const Matrix whole = product.Run(table());
    for (int first = 0; first < 32 * 9; first += 2 * kPanel) {
      NarrowGemm part = product.args;
      part.b = product.b.data() + static_cast<size_t>(first / kPanel) * NarrowPanelBytes(precision, part.k);
      part.bias += first;
      part.residual += first;
      if (precision == Precision::kInt8) {
        part.column_scales += first;
        part.column_sums += first;
      }
      part.n = std::min(2 * kPanel, part.n - first);
      table().narrow_gemm(part);
      for (int i = 0; i < 40; ++i) ASSERT_TRUE(SameBits(product.c.row(i) + 0, whole.row(i) + first, part.n)) << first;
    }
  }
}

TEST_P(AmxGemmOf, TheLargestSumsOfBytesAreExact) {
  Product product(Precision::kInt8, 3, 32768, 2);
  for (int i = 0; i < 3; ++i) std::memset(product.Bytes(i), 255, 32768);
  product.zeros = {0, 255, 128};
  product.args.a.zeros = product.zeros.data();
  for (int sign : {1, -1}) {
    std::memset(product.b.data(), sign * 127, product.b.size());
    product.column_sums.assign(product.columns, sign * 127 * 32768);
    product.args.column_sums = product.column_sums.data();
    ASSERT_NO_FATAL_FAILURE(ExpectAgreement(product, table()));
  }
}

TEST_P(AmxGemmOf, ExtremeValuesGiveWhatScalarGives) {
  const float big = std::numeric_limits<float>::max();
  // Denormal numbers are not among them: to the tiles they are zeros.
  const std::vector<float> values = {0.0F,   -0.0F, 2e-38F, -2e-38F, 1.0F,     -13.0F,    1e4F, 1e19F,
                                     -1e19F, big,   -big,   big / 4, INFINITY, -INFINITY, NAN};
  const int n = static_cast<int>(values.size());
  Product product(Precision::kBf16, n, 1, n);
  PackBf16(values.data(), 1, n, 1, product.b.data());
  for (int i = 0; i < n; ++i) product.Row(i)[0] = ToBf16(values[static_cast<size_t>(i)]);
  product.args.bias = product.args.residual = nullptr;
  const Matrix ours = product.Run(table());
  const Matrix expected = product.Run(Scalar());
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      const float x = ours.at(i, j);
      const float y = expected.at(i, j);
      EXPECT_TRUE(std::isnan(y) ? std::isnan(x) : x == y || std::fabs(x - y) <= 1e-37F)
          << x << " where scalar gives " << y << " for " << values[static_cast<size_t>(i)] << " and "
          << values[static_cast<size_t>(j)];
    }
  }
}

TEST_P(AmxGemmOf, NotANumberInOneRowStaysInThatRow) {
  for (Precision precision : kBoth) {
    Product product(precision, 35, 300, 70);
    if (precision == Precision::kBf16) {
      product.Row(7)[123] = ToBf16(NAN);
    } else {
      product.args.a.scales[7] = NAN;
    }
    const Matrix ours = product.Run(table());
    for (int i = 0; i < 35; ++i) {
      for (int j = 0; j < 70; ++j) ASSERT_EQ(std::isnan(ours.at(i, j)), i == 7);
    }
  }
}

/// One head; scratch of exactly its size, keys and values of exactly theirs, and finite numbers where there is room for
/// more values.
struct Head {
  Head(int rows, int head_dim, int num_keys, double range = 1.0)
      : ldq(head_dim + 3),
        ldo(head_dim + 5),
        q(static_cast<size_t>(rows * ldq), ToBf16(NAN)),
        out(static_cast<size_t>(rows * ldo), kNarrowGuard),
        keys(NarrowPackedBytes(Precision::kBf16, head_dim, num_keys)),
        value_panel_bytes(NarrowPanelBytes(Precision::kBf16, num_keys + 40)),
        values(value_panel_bytes * static_cast<size_t>(NumPanels(head_dim)), 0x41),
        scratch(NarrowAttendScratch(num_keys)) {
    Rng rng(static_cast<uint64_t>(rows + 100 * head_dim + 1000 * num_keys));
    const auto random = [&rng](double high) { return ToBf16(static_cast<float>(rng.Uniform(-high, high))); };
    std::vector<Bf16> plain(static_cast<size_t>(num_keys * head_dim));
    for (Bf16& x : plain) x = random(range);
    Scalar().pack_keys(plain.data(), head_dim, num_keys, head_dim, keys.data());
    for (Bf16& x : plain) x = random(1.0);
    Scalar().pack_values(plain.data(), head_dim, num_keys, head_dim, values.data(), value_panel_bytes);
    for (int i = 0; i < rows; ++i) {
      for (int d = 0; d < head_dim; ++d) q[static_cast<size_t>(i * ldq + d)] = random(range);
    }
    args = {.q = q.data(),
            .ldq = ldq,
            .keys = keys.data(),
            .values = values.data(),
            .value_panel_bytes = value_panel_bytes,
            .out = out.data(),
            .ldo = ldo,
            .rows = rows,
            .head_dim = head_dim,
            .num_keys = num_keys,
            .scale = 1.0F / std::sqrt(static_cast<float>(head_dim)),
            .scratch = scratch.data()};
  }
  std::vector<Bf16> Run(const Kernels& table) {
    table.narrow_attend(args);
    return out;
  }

  int ldq, ldo;
  std::vector<Bf16> q, out;
  Lines keys;
  size_t value_panel_bytes;
  Lines values, scratch;
  NarrowAttend args;
};

void ExpectAgreement(Head& head, const Kernels& table) {
  const std::vector<Bf16> ours = head.Run(table);
  const std::vector<Bf16> expected = head.Run(Scalar());
  for (size_t at = 0; at < ours.size(); ++at) {
    if (static_cast<int>(at) % head.ldo >= head.args.head_dim) {
      ASSERT_EQ(ours[at], kNarrowGuard);
      continue;
    }
    // A weight may round the other way, and so may the answer.
    ASSERT_NEAR(FromBf16(ours[at]), FromBf16(expected[at]), 0.006)
        << head.args.rows << " rows, " << head.args.head_dim << " wide, " << head.args.num_keys << " keys, at " << at;
  }
}

class AmxAttendOf : public EveryTable {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AmxAttendOf);
INSTANTIATE_TEST_SUITE_P(Table, AmxAttendOf, testing::ValuesIn(Tables()), TableName);

TEST_P(AmxAttendOf, EveryNumberOfRowsAgreesWithScalar) {
  for (int rows = 1; rows <= 65; ++rows) {
    Head head(rows, 64, 45);
    ASSERT_NO_FATAL_FAILURE(ExpectAgreement(head, table()));
  }
}

TEST_P(AmxAttendOf, EveryNumberOfKeysAndWidthAgreesWithScalar) {
  for (int head_dim : {1, 2, 31, 32, 33, 64, 65, 100, 256}) {
    for (int num_keys : {1, 2, 15, 16, 17, 31, 32, 33, 64, 65, 197, 577}) {
      Head head(num_keys < 100 ? 19 : 3, head_dim, num_keys);
      ASSERT_NO_FATAL_FAILURE(ExpectAgreement(head, table()));
    }
  }
}

TEST_P(AmxAttendOf, LargeScoresAndANegativeScaleAgreeWithScalar) {
  for (float scale : {-0.125F, 0.0F, 1.0F, 3.0F}) {
    Head head(20, 64, 100, 4.0);
    head.args.scale = scale;
    ASSERT_NO_FATAL_FAILURE(ExpectAgreement(head, table()));
  }
}

TEST_P(AmxAttendOf, ARowIsTheSameBitsAloneAndAmongOthers) {
  for (int rows : {2, 16, 17, 33, 65}) {
    Head head(rows, 64, 77);
    const std::vector<Bf16> together = head.Run(table());
    for (int i = 0; i < rows; ++i) {
      NarrowAttend alone = head.args;
      alone.q += i * head.ldq;
      alone.rows = 1;
      table().narrow_attend(alone);
      ASSERT_EQ(std::memcmp(head.out.data(), together.data() + i * head.ldo, 64 * sizeof(Bf16)), 0) << i << rows;
    }
  }
}

TEST_P(AmxAttendOf, NotANumberInOneRowStaysInThatRow) {
  Head head(35, 64, 50);
  head.q[static_cast<size_t>(7 * head.ldq + 9)] = ToBf16(NAN);
  const std::vector<Bf16> ours = head.Run(table());
  for (int i = 0; i < 35; ++i) {
    for (int d = 0; d < 64; ++d) ASSERT_EQ(std::isnan(FromBf16(ours[static_cast<size_t>(i * head.ldo + d)])), i == 7);
  }
}

TEST(AmxEmulation, GivesTheProcessorsBits) {
  if (Native() == nullptr || Emulated() == nullptr) GTEST_SKIP() << "this processor has no tiles";
  for (Precision precision : kBoth) {
    for (int rows : {1, 16, 47}) {
      for (int k : {1, 65, 770}) {
        Product product(precision, rows, k, 70);
        const Matrix ours = product.Run(*Emulated());
        const Matrix native = product.Run(*Native());
        for (int i = 0; i < rows; ++i) ASSERT_TRUE(SameBits(ours.row(i), native.row(i), 70)) << rows << " x " << k;
      }
    }
  }
  for (int rows : {1, 35}) {
    Head head(rows, 64, 77);
    ASSERT_EQ(head.Run(*Emulated()), head.Run(*Native()));
  }
}

TEST(AmxEmulation, SumsEvenAndOddMembersApartOverAllOfK) {
  // Sums of the even ones: 2^24 + 1 + 1 + ... stays 2^24. Those of the odd ones: 1 + 1 + ... = 16.
  Bf16 a[32];
  Bf16 b[16][32];
  for (Bf16& x : a) x = ToBf16(1.0F);
  for (int k = 0; k < 16; ++k) {
    for (int n = 0; n < 32; ++n) b[k][n] = ToBf16(k == 0 && n % 2 == 0 ? 0x1p24F : 1.0F);
  }
  EmulatedTiles::Configure(ConfigFor(1));
  EmulatedTiles::Load<kUpperRows>(a, 64);
  EmulatedTiles::Load<kLeftColumns>(b, 64);
  EmulatedTiles::Zero<kUpperLeft>();
  EmulatedTiles::MultiplyBf16<kUpperLeft, kUpperRows, kLeftColumns>();
  float sums[16];
  EmulatedTiles::Store<kUpperLeft>(sums, 64);
  EmulatedTiles::Release();
  for (float sum : sums) EXPECT_EQ(sum, 0x1p24F + 16.0F);
}

TEST(AmxEmulation, StopsAtATileThatIsNotConfigured) {
  EmulatedTiles::Configure(ConfigFor(16));
  EXPECT_DEATH(EmulatedTiles::Zero<kLowerLeft>(), "");
  EmulatedTiles::Release();
  EXPECT_DEATH(EmulatedTiles::Zero<kUpperLeft>(), "");
}

}  // namespace
}  // namespace pawsight::kernels
