// kernels/amx: the products of narrow operands with the tile registers. The rest of the table is avx512's, and put
// together in choose.cc, which runs on every processor; nothing here may.
#include "kernels/amx/attend.h"
#include "kernels/amx/gemm.h"
#include "kernels/amx/tiles.h"
#include "kernels/kernels.h"

namespace pawsight::kernels {

void AmxNarrowGemm(const NarrowGemm& args);
void AmxNarrowAttend(const NarrowAttend& args);

void AmxNarrowGemm(const NarrowGemm& args) { MultiplyNarrow<NativeTiles>(args); }
void AmxNarrowAttend(const NarrowAttend& args) { AttendNarrow<NativeTiles>(args); }

}  // namespace pawsight::kernels
