#include "scheduler/batcher_load.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "server/counters.h"
#include "tools/arrivals.h"

namespace pawsight::bench {
namespace {

using std::chrono::nanoseconds;

constexpr nanoseconds kWarmup{500'000'000};

/// What the load does not see. Calls may outlive nothing: RunLoad returns when all have ended.
struct Waits {
  Mutex mu;
  tools::LatencyRecord waited GUARDED_BY(mu);
};

tools::SendFrame SubmitTo(server::Batcher& batcher, const MakeWork& make, Waits& waits) {
  return [&batcher, &make, &waits](int64_t number, client::Deadline, tools::OnEnded on_ended) {
    batcher.Submit(make(number), [&waits, on_ended = std::move(on_ended)](const server::WorkResult& result) {
      if (result.outcome != server::Outcome::kOk) {
        return on_ended(
            {std::string(server::OutcomeName(result.outcome)), result.outcome == server::Outcome::kRefused});
      }
      {
        MutexLock lock(waits.mu);
        waits.waited.Add(result.times.queue);
      }
      on_ended({});
    });
  };
}

nanoseconds Nanoseconds(double seconds) { return nanoseconds(static_cast<int64_t>(seconds * 1e9)); }

tools::LoadSeen Run(const tools::SendFrame& send, const tools::LoadSpec& spec) {
  const SystemClock clock;
  return tools::RunLoad(send, spec, clock, {}, [](double) {}, {[] {}, [] {}});
}

}  // namespace

server::ScheduleOptions Patient() {
  const nanoseconds hour = std::chrono::hours(1);
  return {.max_wait = hour, .shed_target = hour, .shed_interval = hour};
}

double MostOf(server::Batcher& batcher, int in_flight, double seconds, const MakeWork& make) {
  Waits waits;
  const tools::LoadSeen seen =
      Run(SubmitTo(batcher, make, waits), {.clients = in_flight, .warmup = kWarmup, .duration = Nanoseconds(seconds)});
  CHECK(seen.refused.empty() && seen.failed.empty());
  return static_cast<double>(seen.answered) / seen.seconds;
}

int64_t Offered::NotAnswered() const {
  int64_t count = 0;
  for (const auto* counts : {&seen.refused, &seen.failed}) {
    for (const auto& [reason, number] : *counts) count += number;
  }
  return count;
}

Offered Offer(server::Batcher& batcher, double per_second, double seconds, const MakeWork& make) {
  const nanoseconds duration = Nanoseconds(seconds);
  const auto due = tools::Arrivals(tools::ArrivalKind::kPoisson, per_second, duration, 1);
  CHECK(due.ok());
  Waits waits;
  const SystemClock clock;
  const nanoseconds begin = clock.Monotonic();
  Offered offered;
  offered.seen = Run(SubmitTo(batcher, make, waits), {.due = *due, .duration = duration});
  offered.seconds = std::chrono::duration<double>(clock.Monotonic() - begin).count();
  MutexLock lock(waits.mu);
  offered.waited = waits.waited;
  return offered;
}

double P50(const tools::LatencyRecord& record) { return record.At(0.5).ms; }
double P99(const tools::LatencyRecord& record) { return record.At(0.99).ms; }

}  // namespace pawsight::bench
