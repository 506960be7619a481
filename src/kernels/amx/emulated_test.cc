// The functions of kernels/amx over emulated tiles, for amx_test.cc. A file of its own because it is built with the
// instruction sets that they use beside the tiles, where no test's template may be.
#include "kernels/kernels.h"

#if defined(__AVX512F__) && defined(__AVX512BF16__)

#include "kernels/amx/attend.h"
#include "kernels/amx/emulated_tiles.h"
#include "kernels/amx/gemm.h"

namespace pawsight::kernels {

void EmulatedNarrowGemm(const NarrowGemm& args);
void EmulatedNarrowAttend(const NarrowAttend& args);

void EmulatedNarrowGemm(const NarrowGemm& args) { MultiplyNarrow<EmulatedTiles>(args); }
void EmulatedNarrowAttend(const NarrowAttend& args) { AttendNarrow<EmulatedTiles>(args); }

}  // namespace pawsight::kernels

#endif
