#include "base/memory.h"

#include <malloc.h>
#include <unistd.h>

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

void MemoryTrim::Look() {
  const std::chrono::nanoseconds now = clock_.Monotonic();
  if (now < next_) return;
  next_ = now + kInterval;
  const size_t resident = ResidentBytes();
  if (static_cast<double>(resident) <= static_cast<double>(held_) * (1 + kSlack)) {
    if (resident < held_) held_ = resident;
    return;
  }
  (void)malloc_trim(0);  // whether there was anything to give is seen next time
  held_ = ResidentBytes();
}

}  // namespace pawsight
