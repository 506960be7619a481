// kernels/kernels.h: the arithmetic of a transformer on one thread: matrix product with fused tails, attention of one
// head, layer norm. One table of plain functions an instruction set; the table is chosen once at start and passed down.
// Not here: threads (kernels/team.h), BLIP (engine). `scalar` is the specification; every other table is tested against
// it. Thread-safe: functions without state; the caller owns every buffer. Nothing here allocates or fails.
//
// A row of a result depends on that row of the input alone and its sum over k runs in order k = 0, 1, 2... within one
// accumulator, however many rows are computed together: an answer never depends on its batch, bit for bit.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "kernels/narrow.h"

namespace pawsight::kernels {

/// Floats in a packed matrix of k rows and n columns. The right-hand matrix b [k, n] of a product is packed as
/// ceil(n / kPanel) panels; the value at (row r, column j) is at b[(j / kPanel) * panel_stride + r * kPanel + j %
/// kPanel]; columns beyond n are 0. panel_stride is k * kPanel, or more where rows will be appended (a decoder's
/// values). Any alignment is right; at a cache line's start (64 bytes) a product is about 10 % faster.
constexpr size_t PackedSize(int k, int n) {
  return static_cast<size_t>((n + kPanel - 1) / kPanel) * kPanel * static_cast<size_t>(k);
}

/// c = tail(a . b + bias) + residual.
struct Gemm {
  const float* a = nullptr;  // [rows, k], row-major, lda floats a row
  int lda = 0;
  const float* b = nullptr;  // [k, n] packed
  size_t panel_stride = 0;
  const float* bias = nullptr;      // [n], or nullptr
  const float* residual = nullptr;  // [rows, n], ldr floats a row, or nullptr; may be c
  int ldr = 0;
  float* c = nullptr;  // [rows, n], ldc floats a row; overlaps nothing but residual
  int ldc = 0;
  int rows = 0;
  int k = 0;
  int n = 0;  // n >= 1; columns beyond it are not stored
  Tail tail = Tail::kNone;
};

/// out = softmax(scale * q . keys) . values for one head; row i sees the keys [0, num_keys), or, with causal >= 0, the
/// keys [0, min(num_keys, causal + i + 1)).
struct Attend {
  const float* q = nullptr;  // [rows, head_dim], ldq floats a row
  int ldq = 0;
  const float* keys =
      nullptr;  // packed [head_dim, num_keys]: PackTransposed of the keys; panel_stride head_dim * kPanel
  const float* values = nullptr;  // packed [num_keys, head_dim]
  size_t value_panel_stride = 0;
  float* out = nullptr;  // [rows, head_dim], ldo floats a row
  int ldo = 0;
  int rows = 0;
  int head_dim = 0;  // 1..256
  int num_keys = 0;  // >= 1
  float scale = 1.0F;
  int causal = -1;
  float* scratch = nullptr;  // AttendScratch(num_keys) floats, this thread's alone; what it holds does not matter
};

/// Rows of scores held at once by attend; scratch is that many rows of padded keys.
inline constexpr int kAttendRows = 16;
constexpr size_t AttendScratch(int num_keys) { return PackedSize(kAttendRows, num_keys); }

struct Kernels {
  std::string_view name;  // "scalar", "avx2", "avx512", "amx"

  void (*gemm)(const Gemm& args);
  void (*attend)(const Attend& args);
  /// y = (x - mean) / sqrt(variance + eps) * gain + bias, each row by itself; x, y [rows, cols] with ldx, ldy floats a
  /// row; gain, bias [cols]. y may be x. cols >= 1. Variance is the mean of squares of (x - mean), two passes.
  void (*layer_norm)(const float* x, int ldx, const float* gain, const float* bias, float eps, float* y, int ldy,
                     int rows, int cols);
  /// Packs b [k, n] given its transpose, source [n, k] row-major with lds floats a row: a linear layer's weight, a
  /// head's keys.
  void (*pack_transposed)(const float* source, int lds, int n, int k, float* packed);
  /// Packs b [k, n] given as it is, row-major with lds floats a row: a head's values. Writes whole panels of
  /// panel_stride.
  void (*pack)(const float* source, int lds, int k, int n, float* packed, size_t panel_stride);

  // With narrow operands (kernels/narrow.h).
  void (*narrow_gemm)(const NarrowGemm& args);
  void (*narrow_attend)(const NarrowAttend& args);
  /// layer_norm in float, its result rounded to y's precision as `narrow` does. gain, bias [cols]; cols at most 8192.
  void (*narrow_layer_norm)(const float* x, int ldx, const float* gain, const float* bias, float eps,
                            const NarrowRows& y, int rows, int cols);
  /// x [rows, cols], ldx floats a row, as a left operand. kBf16: rounded, 0 up to the chunk's end. kInt8: with
  /// low = min(0, x...), high = max(0, x...), range = high - low: scale = range / 255, zero = round(-low * (255 /
  /// range)), byte = round(x * (255 / range)) + zero within 0..255, rounding to nearest even. A range below 1e-30:
  /// scale 1, zero and bytes 0. A value or range that is not finite: scale NaN, so that the row's results are NaN; zero
  /// and bytes 0.
  void (*narrow)(const float* x, int ldx, const NarrowRows& y, int rows, int cols);
  /// The same from bfloat16, to kInt8 only; ldx values a row.
  void (*quantize)(const Bf16* x, int ldx, const NarrowRows& y, int rows, int cols);
  /// A head's keys [num_keys, head_dim], ld values a row, as the right operand [head_dim, num_keys].
  void (*pack_keys)(const Bf16* keys, int ld, int num_keys, int head_dim, void* packed);
  /// A head's values as the right operand [num_keys, head_dim]; panels are panel_bytes apart, and what lies in them
  /// beyond the last chunk of num_keys is left alone.
  void (*pack_values)(const Bf16* values, int ld, int num_keys, int head_dim, void* packed, size_t panel_bytes);
};

/// The specification: always built, runs anywhere.
const Kernels& Scalar();

/// The tables built in that this CPU and operating system can run, slowest first; scalar is always one.
std::vector<const Kernels*> Available();

/// The table called `name`; "" or "auto" is the fastest available.
/// Errors: kInvalidArgument, no such table, the message lists the names. kFailedPrecondition, this CPU cannot run it.
Result<const Kernels*> Choose(std::string_view name);

}  // namespace pawsight::kernels
