#include "kernels/team.h"

#include <pthread.h>

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"

namespace pawsight::kernels {
namespace {

constexpr int kMaxMembers = 256;

/// Looks at the condition before sleeping: 20 to 45 microseconds where a pause takes 64 to 140 cycles, longer than what
/// one member does alone between two products, far shorter than a time slice. 128 looks cost 8 % of a pass, 4096 gained
/// nothing.
constexpr int kSpins = 1024;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

void StayOn(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (core < CPU_SETSIZE) CPU_SET(core, &cores);
  (void)pthread_setaffinity_np(pthread_self(), sizeof cores, &cores);  // a core that is not ours: the system decides
}

template <typename Condition>
bool SpinUntil(const Condition& condition) {
  for (int i = 0; i < kSpins; ++i) {
    if (condition()) return true;
    Pause();
  }
  return condition();
}

}  // namespace

// A run is published by raising `run`, and is over when `unfinished` is 0. Both change without the lock being needed to
// see them; whoever is about to sleep looks once more under the lock, and whoever changes them under the lock then
// notifies.
struct Team::State {
  explicit State(int members) : size(members) {}

  /// Members other than 0, until the team is destroyed.
  void Serve(int member) {
    for (uint64_t seen = 0;; ++seen) {
      AwaitRunAfter(seen);
      if (stopping) return;
      (*work)(member);
      if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        MutexLock lock(mu);
        finished.NotifyOne();
      }
    }
  }

  void AwaitRunAfter(uint64_t seen) EXCLUDES(mu) {
    if (SpinUntil([&] { return run.load(std::memory_order_acquire) != seen; })) return;
    MutexLock lock(mu);
    ++sleepers;
    while (run.load(std::memory_order_acquire) == seen) published.Wait(mu);
    --sleepers;
  }

  void Publish() EXCLUDES(mu) {
    unfinished.store(size - 1, std::memory_order_relaxed);
    MutexLock lock(mu);
    run.fetch_add(1, std::memory_order_release);
    if (sleepers > 0) published.NotifyAll();
  }

  void AwaitFinish() EXCLUDES(mu) {
    const auto over = [&] { return unfinished.load(std::memory_order_acquire) == 0; };
    if (SpinUntil(over)) return;
    MutexLock lock(mu);
    while (!over()) finished.Wait(mu);
  }

  const int size;
  std::vector<std::thread> threads;

  // Written by member 0 before Publish, read by the others after.
  const Work<void(int)>* work = nullptr;
  bool stopping = false;

  Mutex mu;
  CondVar published;
  CondVar finished;
  int sleepers GUARDED_BY(mu) = 0;

  alignas(64) std::atomic<uint64_t> run = 0;    // how many were published
  alignas(64) std::atomic<int> unfinished = 0;  // members that have yet to return from this run
};

Team::Team(int size, TeamPlacement placement) : state_(std::make_unique<State>(size)) {
  CHECK(size >= 1 && size <= kMaxMembers);
  state_->threads.reserve(static_cast<size_t>(size) - 1);
  for (int member = 1; member < size; ++member) {
    const int core = placement.first_core < 0 ? -1 : placement.first_core + member;
    state_->threads.emplace_back([state = state_.get(), member, core] {
      pthread_setname_np(pthread_self(), "team");
      if (core >= 0) StayOn(core);
      state->Serve(member);
    });
  }
}

Team::~Team() {
  state_->stopping = true;
  state_->Publish();
  for (std::thread& thread : state_->threads) thread.join();
}

int Team::size() const { return state_->size; }

void Team::Run(Work<void(int)> work) {
  if (state_->size == 1) {
    work(0);
    return;
  }
  state_->work = &work;
  state_->Publish();
  work(0);
  state_->AwaitFinish();
}

void Team::ForEach(int num_items, Work<void(int, int)> work) {
  if (state_->size == 1 || num_items == 1) {
    for (int item = 0; item < num_items; ++item) work(item, 0);
    return;
  }
  std::atomic<int> next = 0;
  Run([&](int member) {
    for (int item = next.fetch_add(1, std::memory_order_relaxed); item < num_items;
         item = next.fetch_add(1, std::memory_order_relaxed)) {
      work(item, member);
    }
  });
}

}  // namespace pawsight::kernels
