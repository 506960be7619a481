#include "engine/mapped_read.h"

#include <setjmp.h>
#include <signal.h>

#include <atomic>
#include <cstring>
#include <mutex>

#include "base/check.h"

namespace pawsight::engine {
namespace {

/// Where this thread's guarded read goes on when it fails; nullptr outside of one.
thread_local sigjmp_buf* resume = nullptr;
struct sigaction previous {};

void OnBusError(int signal_number) {
  if (resume != nullptr) ::siglongjmp(*resume, 1);
  // Not ours: put the earlier handler back and return, so that the same access faults again under it.
  ::sigaction(signal_number, &previous, nullptr);
}

void InstallHandler() {
  struct sigaction action {};
  action.sa_handler = OnBusError;
  ::sigemptyset(&action.sa_mask);
  CHECK(::sigaction(SIGBUS, &action, &previous) == 0);
}

struct Copy {
  std::span<const uint8_t> from;
  uint8_t* to;
};

}  // namespace

bool SurvivesMissingPages(void (*read)(void*), void* context) {
  static std::once_flag once;
  std::call_once(once, InstallHandler);
  CHECK(resume == nullptr);
  sigjmp_buf here;
  if (sigsetjmp(here, 1) != 0) {
    resume = nullptr;
    return false;
  }
  resume = &here;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  read(context);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  resume = nullptr;
  return true;
}

Status FileShrunk() {
  return DataLoss("the file was cut short while it was being read; replace model files by renaming, never in place",
                  "file_shrunk");
}

Status CopyMapped(std::span<const uint8_t> from, std::span<uint8_t> to) {
  CHECK(from.size() == to.size());
  if (from.empty()) return Ok();
  Copy copy{from, to.data()};
  const bool whole = SurvivesMissingPages(
      [](void* context) {
        const Copy& c = *static_cast<Copy*>(context);
        std::memcpy(c.to, c.from.data(), c.from.size());
      },
      &copy);
  return whole ? Ok() : FileShrunk();
}

}  // namespace pawsight::engine
