#include "engine/mapped_read.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>

#include "base/check.h"

namespace pawsight::engine {
namespace {

/// Where this thread's guarded read goes on when it fails; nullptr outside of one.
thread_local sigjmp_buf* resume = nullptr;
struct sigaction previous {};

/// A watched mapping; read by the signal handler, so lock-free. `end` is set last and cleared first.
struct Slot {
  std::atomic<bool> taken{false};
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};  // 0: watches nothing
  std::atomic<bool> whole{true};
};
static_assert(std::atomic<uintptr_t>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);
std::array<Slot, kMaxWatchedMappings> slots;

uintptr_t page_bytes = 4096;  // set before the handler is

/// Puts zeros in the place of what is missing at `address` and of all that follows. False: nobody watches there.
bool ReadAsZeros(uintptr_t address) {
  for (Slot& slot : slots) {
    const uintptr_t end = slot.end.load(std::memory_order_acquire);
    if (address >= end || address < slot.begin.load(std::memory_order_relaxed)) continue;
    slot.whole.store(false, std::memory_order_release);
    const uintptr_t page = address / page_bytes * page_bytes;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): an address is what a fault has
    void* const from = reinterpret_cast<void*>(page);
    return ::mmap(from, end - page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == from;
  }
  return false;
}

void OnBusError(int signal_number, siginfo_t* info, void*) {
  if (resume != nullptr) ::siglongjmp(*resume, 1);
  const int error = errno;
  const bool survived = ReadAsZeros(reinterpret_cast<uintptr_t>(info->si_addr));
  errno = error;
  if (survived) return;  // the same access succeeds now
  // Not ours: put the earlier handler back and return, so that the same access faults again under it.
  ::sigaction(signal_number, &previous, nullptr);
}

void InstallHandler() {
  page_bytes = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = OnBusError;
  action.sa_flags = SA_SIGINFO;
  ::sigemptyset(&action.sa_mask);
  CHECK(::sigaction(SIGBUS, &action, &previous) == 0);
}

void InstallHandlerOnce() {
  static std::once_flag once;
  std::call_once(once, InstallHandler);
}

struct Copy {
  std::span<const uint8_t> from;
  uint8_t* to;
};

}  // namespace

bool SurvivesMissingPages(void (*read)(void*), void* context) {
  InstallHandlerOnce();
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

Result<MappingWatch> MappingWatch::Start(std::span<const uint8_t> mapping) {
  InstallHandlerOnce();
  for (int i = 0; i < kMaxWatchedMappings; ++i) {
    Slot& slot = slots[static_cast<size_t>(i)];
    if (slot.taken.exchange(true)) continue;
    const auto begin = reinterpret_cast<uintptr_t>(mapping.data());
    slot.whole.store(true);
    slot.begin.store(begin);
    slot.end.store((begin + mapping.size() + page_bytes - 1) / page_bytes * page_bytes);
    return MappingWatch(i);
  }
  return ResourceExhausted("mappings: " + std::to_string(kMaxWatchedMappings) + " are watched already");
}

MappingWatch::MappingWatch(MappingWatch&& other) noexcept : slot_(std::exchange(other.slot_, -1)) {}

MappingWatch& MappingWatch::operator=(MappingWatch&& other) noexcept {
  std::swap(slot_, other.slot_);
  return *this;
}

MappingWatch::~MappingWatch() {
  if (slot_ < 0) return;
  Slot& slot = slots[static_cast<size_t>(slot_)];
  slot.end.store(0);
  slot.taken.store(false);
}

bool MappingWatch::whole() const { return slots[static_cast<size_t>(slot_)].whole.load(std::memory_order_acquire); }

}  // namespace pawsight::engine
