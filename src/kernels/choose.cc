// kernels/choose.cc: the one place that asks which instructions this CPU and operating system run.
#include <string>

#if defined(PAWSIGHT_AMX)
#include <cpuid.h>
#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "kernels/kernels.h"
#include "kernels/narrow_gemm.h"

namespace pawsight::kernels {

// Defined by the folders; which are built is decided in CMakeLists.txt.
const Kernels& Avx2Table();
const Kernels& Avx512Table();
const Kernels& Avx512Bf16Table();
void AmxNarrowGemm(const NarrowGemm& args);
void AmxNarrowAttend(const NarrowAttend& args);

namespace {

#if defined(PAWSIGHT_AMX)

/// Beside two products all is avx512's.
const Kernels& AmxTable() {
  static const Kernels table = [] {
    Kernels amx = Avx512Table();
    amx.name = "amx";
    amx.narrow_gemm = AmxNarrowGemm;
    amx.narrow_attend = AmxNarrowAttend;
    return amx;
  }();
  return table;
}

/// CPUID leaf 7 names the tiles, which neither compiler's __builtin_cpu_supports does yet.
bool CpuHasTiles() {
  constexpr unsigned kNeeded = 1U << 22U | 1U << 24U | 1U << 25U;  // bfloat16 products, tiles, products of bytes
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
  return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (edx & kNeeded) == kNeeded;
}

/// Linux saves the 8 KiB of tiles only for a process that asked, once for all its threads.
bool SystemGrantsTiles() {
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;               // XFEATURE_XTILEDATA
  static const bool granted = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return granted;
}

/// tests/tile_emulator.cc, preloaded, does what the processor refuses.
bool TilesAreEmulated() { return dlsym(RTLD_DEFAULT, "PawsightEmulatesTiles") != nullptr; }

bool AmxRuns() {
  const bool vectors = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0 &&
                       __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0 &&
                       __builtin_cpu_supports("avx512bf16") != 0 && __builtin_cpu_supports("avx512vnni") != 0;
  return vectors && ((CpuHasTiles() && SystemGrantsTiles()) || TilesAreEmulated());
}

#endif

struct Table {
  const Kernels* kernels;
  bool runs;  // this CPU has the instructions, and the operating system saves their registers
};

#if defined(PAWSIGHT_AVX512)
/// The table for a CPU that has AVX-512 and perhaps not its dot products of few bits: what is missing is done by AVX2.
const Kernels& Avx512TableHere() {
  static const Kernels here = [] {
    const bool whole = __builtin_cpu_supports("avx512bw") != 0 && __builtin_cpu_supports("avx512vl") != 0;
    const bool int8 = whole && __builtin_cpu_supports("avx512vnni") != 0;
    const bool bf16 = whole && __builtin_cpu_supports("avx512bf16") != 0;
    Kernels table = bf16 ? Avx512Bf16Table() : Avx512Table();
    if (!bf16) table.narrow_gemm = ByPrecision<avx512::MultiplyInt8, avx2::MultiplyBf16>;
    if (!int8) table.narrow_gemm = ByPrecision<avx2::MultiplyInt8, avx512::MultiplyBf16>;
    if (!int8 && !bf16) table.narrow_gemm = ByPrecision<avx2::MultiplyInt8, avx2::MultiplyBf16>;
    return table;
  }();
  return here;
}
#endif

/// Every table built in, slowest first. __builtin_cpu_supports reads CPUID and, by XGETBV, what the system saves.
std::vector<Table> Tables() {
  std::vector<Table> tables = {{&Scalar(), true}};
#if defined(PAWSIGHT_AVX2)
  tables.push_back({&Avx2Table(), __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0});
#endif
#if defined(PAWSIGHT_AVX512)
  tables.push_back(
      {&Avx512TableHere(), __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0});
#endif
#if defined(PAWSIGHT_AMX)
  tables.push_back({&AmxTable(), AmxRuns()});
#endif
  return tables;
}

}  // namespace

std::vector<const Kernels*> Available() {
  std::vector<const Kernels*> available;
  for (const Table& table : Tables()) {
    if (table.runs) available.push_back(table.kernels);
  }
  return available;
}

Result<const Kernels*> Choose(std::string_view name) {
  if (name.empty() || name == "auto") return Available().back();
  std::string names = "auto";
  for (const Table& table : Tables()) {
    if (table.kernels->name == name) {
      if (table.runs) return table.kernels;
      return FailedPrecondition("kernels: this CPU lacks the instructions of \"" + std::string(name) +
                                "\"; choose \"auto\" for the fastest it runs");
    }
    names += ", " + std::string(table.kernels->name);
  }
  return InvalidArgument("kernels: no table \"" + std::string(name) + "\"; one of " + names);
}

}  // namespace pawsight::kernels
