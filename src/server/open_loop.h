// server/open_loop.h: what the benchmarks share: requests that come when they come, whatever became of those before,
// and what was seen of them. Not in the library. Used by one thread, but what Done notes, which is thread-safe.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "server/batcher.h"

namespace pawsight::server::testing {

struct Seen {
  int64_t offered = 0;
  std::array<int64_t, kNumOutcomes> outcomes{};
  std::vector<double> ok_ms;       // from when it was due to when it was answered
  std::vector<double> wait_ms;     // of these, in the queue
  std::vector<double> refused_ms;  // from when it was submitted to when it was refused
  double seconds = 0;

  static double Quantile(std::vector<double> values, double q) {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
  }
  double Goodput() const { return static_cast<double>(outcomes[0]) / seconds; }
  int64_t Count(Outcome outcome) const { return outcomes[static_cast<size_t>(outcome)]; }
};

/// Poisson arrivals of make(i), `per_second` for `seconds`, then waits for all to end.
inline Seen OpenLoop(Batcher& batcher, double per_second, double seconds, const std::function<VqaWork(int64_t)>& make) {
  struct Notes {
    Mutex mu;
    Seen seen GUARDED_BY(mu);
    std::atomic<int64_t> left{0};
  };
  const SystemClock clock;
  auto notes = std::make_shared<Notes>();
  Rng rng(1);
  const Nanos begin = clock.Monotonic();
  const Nanos end = begin + Nanos(static_cast<int64_t>(seconds * 1e9));
  Nanos due = begin;
  for (int64_t i = 0;; ++i) {
    due += Nanos(static_cast<int64_t>(-std::log(1 - rng.Uniform()) / per_second * 1e9));
    if (due >= end) break;
    const Nanos early = due - clock.Monotonic();
    if (early > std::chrono::microseconds(80)) std::this_thread::sleep_for(early - std::chrono::microseconds(60));
    while (clock.Monotonic() < due) std::this_thread::yield();
    notes->left.fetch_add(1);
    const Nanos submitted = clock.Monotonic();
    batcher.Submit(make(i), [notes, due, submitted](const WorkResult& result) {
      const SystemClock now;
      const auto ms = [&](Nanos since) {
        return std::chrono::duration<double, std::milli>(now.Monotonic() - since).count();
      };
      MutexLock lock(notes->mu);
      ++notes->seen.offered;
      ++notes->seen.outcomes[static_cast<size_t>(result.outcome)];
      if (result.outcome == Outcome::kOk) {
        notes->seen.ok_ms.push_back(ms(due));
        notes->seen.wait_ms.push_back(std::chrono::duration<double, std::milli>(result.times.queue).count());
      }
      if (result.outcome == Outcome::kRefused) notes->seen.refused_ms.push_back(ms(submitted));
      notes->left.fetch_sub(1);
    });
  }
  while (notes->left.load() > 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  MutexLock lock(notes->mu);
  notes->seen.seconds = std::chrono::duration<double>(clock.Monotonic() - begin).count();
  return notes->seen;
}

/// Of a batcher that is to show the most it can do: `in_flight` requests that always wait are a standing queue, which
/// the others shed.
inline ScheduleOptions Patient() {
  const Nanos hour = std::chrono::hours(1);
  return {.max_wait = hour, .shed_target = hour, .shed_interval = hour};
}

/// As many as come back at once: `in_flight` at any time, for `seconds`. Answers a second; none may be refused (CHECK).
inline double ClosedLoop(Batcher& batcher, int in_flight, double seconds, const std::function<VqaWork(int64_t)>& make) {
  struct Flight {
    Mutex mu;
    CondVar landed;
    int flying GUARDED_BY(mu) = 0;
    int64_t ok GUARDED_BY(mu) = 0;
  };
  const auto flight = std::make_shared<Flight>();
  const SystemClock clock;
  const Nanos begin = clock.Monotonic();
  const Nanos end = begin + Nanos(static_cast<int64_t>(seconds * 1e9));
  for (int64_t i = 0; clock.Monotonic() < end; ++i) {
    {
      MutexLock lock(flight->mu);
      while (flight->flying >= in_flight) flight->landed.Wait(flight->mu);
      ++flight->flying;
    }
    batcher.Submit(make(i), [flight](const WorkResult& result) {
      MutexLock lock(flight->mu);
      CHECK(result.outcome == Outcome::kOk);
      ++flight->ok;
      --flight->flying;
      flight->landed.NotifyOne();
    });
  }
  MutexLock lock(flight->mu);
  while (flight->flying > 0) flight->landed.Wait(flight->mu);
  return static_cast<double>(flight->ok) / std::chrono::duration<double>(clock.Monotonic() - begin).count();
}

}  // namespace pawsight::server::testing
