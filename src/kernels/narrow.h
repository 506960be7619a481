// kernels/narrow.h: operands of few bits: bfloat16, or bytes with 32-bit sums. How they lie in memory, and what a
// product and an attention over them are. One layout serves every instruction set: a group of k that one lane's dot
// product takes is 4 bytes (2 bfloat16 or 4 bytes), 32 columns of such groups follow each other, so 16 rows of half a
// panel are a tile of AMX and each is a vector of VNNI. Not here: the functions (the table in kernels/kernels.h).
//
// Sums of bytes are exact, so every table gives the same; bfloat16 products sum in float in an order that depends on k
// alone. Either way a row's result has the same bits alone and in company.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace pawsight::kernels {

enum class Precision { kFp32, kBf16, kInt8 };

/// The upper half of a float.
using Bf16 = uint16_t;

/// Rounds to nearest, ties to even; NaN stays NaN.
constexpr Bf16 ToBf16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) return static_cast<Bf16>((bits >> 16U) | 0x40U);
  return static_cast<Bf16>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
}
constexpr float FromBf16(Bf16 x) { return std::bit_cast<float>(static_cast<uint32_t>(x) << 16U); }

/// Columns of a panel, in float and in narrow products alike.
inline constexpr int kPanel = 32;

/// Bytes of k that are read at once: k is padded to it, in rows and in panels.
inline constexpr int kChunk = 64;

/// Bytes in a group of one column: 2 bfloat16 or 4 bytes of consecutive k.
inline constexpr int kGroup = 4;

/// Bytes of one value of a narrow precision.
constexpr int NarrowBytes(Precision precision) { return precision == Precision::kInt8 ? 1 : 2; }

/// Bytes of k values, padded to whole chunks.
constexpr size_t ChunkedBytes(Precision precision, int k) {
  const size_t bytes = static_cast<size_t>(k) * static_cast<size_t>(NarrowBytes(precision));
  return (bytes + kChunk - 1) / kChunk * kChunk;
}

/// Bytes from one row of a left operand to the next: whole chunks, and an odd number of them, so that sixteen rows
/// never meet in the same sets of the first-level cache.
constexpr size_t RowStride(Precision precision, int k) { return (ChunkedBytes(precision, k) / kChunk | 1U) * kChunk; }

/// Bytes of one panel of a right operand [k, n]: ChunkedBytes * kPanel. The value at (row r, column j of the panel), of
/// s bytes, lies at r * s / kGroup * (kPanel * kGroup) + j * kGroup + r * s % kGroup; rows beyond k are 0.
constexpr size_t NarrowPanelBytes(Precision precision, int k) { return ChunkedBytes(precision, k) * kPanel; }
constexpr int NumPanels(int n) { return (n + kPanel - 1) / kPanel; }
constexpr size_t NarrowPackedBytes(Precision precision, int k, int n) {
  return NarrowPanelBytes(precision, k) * static_cast<size_t>(NumPanels(n));
}

/// Rows of a left operand [rows, k]. kBf16: bfloat16, 0 up to the chunk's end. kInt8: unsigned bytes that stand for
/// (byte - zero) * scale with the row's own scale and zero; bytes up to the chunk's end may be anything.
struct NarrowRows {
  Precision precision = Precision::kBf16;
  void* data = nullptr;      // aligned to 64 bytes
  size_t stride = 0;         // bytes, a multiple of kChunk, at least ChunkedBytes(precision, k)
  float* scales = nullptr;   // [rows], kInt8 only
  int32_t* zeros = nullptr;  // [rows], 0..255, kInt8 only

  /// The same from row `row` on.
  NarrowRows From(int row) const {
    NarrowRows moved = *this;
    moved.data = static_cast<uint8_t*>(data) + static_cast<size_t>(row) * stride;
    if (precision == Precision::kInt8) {
      moved.scales += row;
      moved.zeros += row;
    }
    return moved;
  }
};

/// What happens to a product before it is stored.
enum class Tail {
  kNone,
  kGelu,  // x * (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel 2016), not the tanh approximation
};

/// c = tail(a . b + bias) + residual with narrow a and b. For kInt8 the product is
/// float(sum of byte * weight - zero * column_sum) * (row scale * column_scale), the difference taken in integers.
/// The tail's gelu may be off by 2e-4 * max(1, |x|), which bfloat16 hides.
struct NarrowGemm {
  NarrowRows a;                          // [rows, k]
  const void* b = nullptr;               // [k, n] in panels, aligned to 64 bytes
  const float* column_scales = nullptr;  // [n padded to kPanel], kInt8 only
  const int32_t* column_sums = nullptr;  // [n padded to kPanel], sum over k of each column of b, kInt8 only
  const float* bias = nullptr;           // [n padded to kPanel], or nullptr
  const float* residual = nullptr;       // [rows, n], ldr floats a row, or nullptr; may be c
  int ldr = 0;
  float* c = nullptr;        // [rows, n], ldc floats a row; or nullptr, and then
  Bf16* narrow_c = nullptr;  // [rows, n padded to kPanel], ldc values a row: a left operand of the next product
  int ldc = 0;
  int rows = 0;
  int k = 0;  // 1..32768
  int n = 0;
  Tail tail = Tail::kNone;
};

/// out = softmax(scale * q . keys) . values for one head, in bfloat16 with sums in float; every row sees all keys. The
/// weights, e to the power of score less the row's largest, are rounded to bfloat16 before they meet the values; their
/// sum is taken before rounding.
struct NarrowAttend {
  const Bf16* q = nullptr;  // [rows, head_dim], ldq values a row
  int ldq = 0;
  const void* keys = nullptr;    // right operand [head_dim, num_keys] of kBf16: pack_keys
  const void* values = nullptr;  // right operand [num_keys, head_dim] of kBf16: pack_values
  size_t value_panel_bytes =
      0;  // NarrowPanelBytes of the keys that there is room for; those beyond num_keys hold finite numbers
  Bf16* out = nullptr;  // [rows, head_dim], ldo values a row
  int ldo = 0;
  int rows = 0;
  int head_dim = 0;  // 1..256
  int num_keys = 0;  // >= 1
  float scale = 1.0F;
  void* scratch = nullptr;  // NarrowAttendScratch(num_keys) bytes, aligned to 64, this thread's alone
};

/// Rows of scores held at once by attend, narrow or not; scratch is that many rows of padded keys.
inline constexpr int kNarrowAttendRows = 32;
constexpr size_t NarrowAttendScratch(int num_keys) {
  // Scores in float, weights in bfloat16, and a spare line each a row.
  const size_t keys = static_cast<size_t>(NumPanels(num_keys)) * kPanel;
  return kNarrowAttendRows * (keys * (sizeof(float) + sizeof(Bf16)) + 2 * kChunk);
}

/// Packs a linear layer's weight [n, k], row-major with lds floats a row, as a right operand of NarrowPackedBytes.
void PackBf16(const float* weight, int lds, int n, int k, void* packed);
/// The same in signed bytes, symmetric: column j stands for byte * scales[j], scales[j] = its largest magnitude / 127
/// (a column of zeros: 1). scales, sums [n padded to kPanel], 0 beyond n. Weights are finite (CHECKed where they are
/// read).
void PackInt8(const float* weight, int lds, int n, int k, void* packed, float* scales, int32_t* sums);

}  // namespace pawsight::kernels
