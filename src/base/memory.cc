#include "base/memory.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace pawsight {

size_t ResidentBytes(int pid) {
  std::ifstream file("/proc/" + (pid == 0 ? "self" : std::to_string(pid)) + "/statm");
  size_t all = 0;
  size_t resident = 0;
  if (!(file >> all >> resident)) return 0;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

size_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void MemoryTrim::Look() {
  const std::chrono::nanoseconds now = clock_.Monotonic();
  if (now < next_) return;
  next_ = now + kInterval;
  const HeldMemory before{ResidentBytes(), AllocatedBytes()};
  if (!Wanted(before, unused_)) {
    unused_ = std::min(unused_, Unused(before));
    return;
  }
  (void)malloc_trim(0);  // whether there was anything to give is seen next time
  unused_ = Unused({ResidentBytes(), AllocatedBytes()});
}

}  // namespace pawsight
