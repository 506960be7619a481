// engine/compute.h: what a forward pass runs on, and how activations pass between layers. A Compute belongs to one pass
// at a time.
#pragma once

#include <functional>
#include <string_view>

#include "engine/arena.h"
#include "kernels/kernels.h"
#include "kernels/team.h"

namespace pawsight::engine {

using kernels::Bf16;
using kernels::Precision;

struct Compute {
  const kernels::Kernels& kernels;
  kernels::Team& team;
  Arena& arena;
};

/// Told of each stage's result, for checks against a reference: `stage` as in the goldens ("vision.hidden.0",
/// "text.question_states"), values [rows, cols] dense, valid during the call. Empty: nobody listens, nothing is copied.
using Trace = std::function<void(std::string_view stage, const float* values, int rows, int cols)>;

/// Activations [rows, width] on their way to the next layer: floats in an fp32 component, bfloat16 in a narrow one.
/// One of the two pointers is set.
struct Hidden {
  float* floats = nullptr;
  Bf16* narrow = nullptr;
  int stride = 0;  // values from one row to the next

  bool is_narrow() const { return narrow != nullptr; }
  /// The same from a row and a column on.
  Hidden From(int row, int column) const;
};

/// Room for `rows` rows; narrow rows are left operands of a product: zero beyond `width` up to the chunk's end.
Hidden TakeHidden(Arena& arena, bool narrow, int rows, int width);

/// The left operand of a product, in the precision of the weights that it will meet.
struct Operand {
  const float* floats = nullptr;  // kFp32: `stride` floats a row
  int stride = 0;
  kernels::NarrowRows narrow;  // kBf16, kInt8
  int rows = 0;

  bool is_narrow() const { return narrow.data != nullptr; }
  Operand From(int row) const;
};

/// Room for a narrow operand. kInt8 rows have their scales and zeros in the arena too.
kernels::NarrowRows TakeNarrowRows(Arena& arena, Precision precision, int rows, int width);

/// work(first, last) over blocks of rows, shared by the team where there are many.
void ForRowBlocks(const Compute& compute, int rows, kernels::Work<void(int first, int last)> work);

}  // namespace pawsight::engine
