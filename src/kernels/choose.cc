// kernels/choose.cc: the one place that asks which instructions this CPU and operating system run.
#include <string>

#include "kernels/kernels.h"

namespace pawsight::kernels {

// Defined by the folders; which are built is decided in CMakeLists.txt.
const Kernels& Avx2Table();
const Kernels& Avx512Table();

namespace {

struct Table {
  const Kernels* kernels;
  bool runs;  // this CPU has the instructions, and the operating system saves their registers
};

/// Every table built in, slowest first. __builtin_cpu_supports reads CPUID and, by XGETBV, what the system saves.
std::vector<Table> Tables() {
  std::vector<Table> tables = {{&Scalar(), true}};
#if defined(PAWSIGHT_AVX2)
  tables.push_back({&Avx2Table(), __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0});
#endif
#if defined(PAWSIGHT_AVX512)
  tables.push_back({&Avx512Table(), __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512dq") != 0});
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
