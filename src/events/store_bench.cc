// How many alerts a second are durable, and how long one waits for it. An alert is what a frame that fires one writes:
// its state, the alert, its event and one delivery, four rows of five tables. The file is in PAWSIGHT_BENCH_DIR, else
// in the directory for temporary files: say which disk, and what one fsync takes there (BM_Fsync).
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <memory>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "base/rng.h"
#include "events/ids.h"
#include "events/store.h"

namespace pawsight::events {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

class ScratchStore {
 public:
  explicit ScratchStore(const StoreOptions& options = {}) {
    const char* chosen = getenv("PAWSIGHT_BENCH_DIR");
    const auto parent = chosen == nullptr ? std::filesystem::temp_directory_path() : std::filesystem::path(chosen);
    directory_ = (parent / "pawsight-store-bench-XXXXXX").string();
    CHECK(mkdtemp(directory_.data()) != nullptr);
    store_ = std::move(Store::Open(path(), options).value());
    WriteBatch batch;
    batch.push_back(Put<Owner>{{.id = kOwner}});
    batch.push_back(Put<Receiver>{{.owner = kOwner, .id = "rcv_0", .kind = "webhook"}});
    for (int i = 0; i < kCameras; ++i) {
      batch.push_back(Put<Camera>{{.owner = kOwner, .id = CameraId(i)}});
      batch.push_back(Put<Rule>{{.owner = kOwner, .id = RuleId(i)}});
    }
    CHECK(store_->Write(std::move(batch)).ok());
  }
  ~ScratchStore() {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  Store& store() { return *store_; }
  std::string path() const { return directory_ + "/events.sqlite"; }

  /// What the n-th frame that fires an alert writes.
  static WriteBatch Fires(int64_t n) {
    const auto place = static_cast<int>(n % kCameras);
    const std::string alert = NewId("alr_", SystemClock().Now());
    Event event;
    event.owner = kOwner;
    event.time = SystemClock().Now();
    event.type = "alert.fired";
    event.camera = CameraId(place);
    event.rule = RuleId(place);
    event.alert = alert;
    event.detail = Json(Json::Object{{"question", "Is the dog on the couch?"}, {"p_yes", 0.93}, {"n", n}});
    const std::string document = event.detail.Dump();
    WriteBatch batch;
    batch.push_back(
        Put<AlertState>{{.owner = kOwner, .camera = event.camera, .rule = event.rule, .document = document}});
    batch.push_back(Put<Alert>{{.owner = kOwner,
                                .id = alert,
                                .camera = event.camera,
                                .rule = event.rule,
                                .severity = "warning",
                                .fired = event.time,
                                .document = document}});
    batch.push_back(AddEvent{std::move(event), {"rcv_0"}});
    return batch;
  }

 private:
  static constexpr const char* kOwner = "own_bench";
  static constexpr int kCameras = 400;
  static std::string CameraId(int i) { return "cam_" + std::to_string(1000 + i); }
  static std::string RuleId(int i) { return "rul_" + std::to_string(1000 + i); }

  std::string directory_;
  std::unique_ptr<Store> store_;
};

/// From when each was due to when it was acknowledged.
class Waits {
 public:
  void Add(nanoseconds wait) {
    MutexLock lock(mu_);
    ms_.push_back(static_cast<double>(wait.count()) * 1e-6);
  }
  void Report(benchmark::State& state) {
    MutexLock lock(mu_);
    std::sort(ms_.begin(), ms_.end());
    const auto at = [this](double q) REQUIRES(mu_) {
      return ms_.empty() ? 0 : ms_[static_cast<size_t>(q * static_cast<double>(ms_.size() - 1))];
    };
    state.counters["p50_ms"] = at(0.5);
    state.counters["p99_ms"] = at(0.99);
    state.counters["max_ms"] = at(1);
  }

 private:
  Mutex mu_;
  std::vector<double> ms_ GUARDED_BY(mu_);
};

/// `per_second` alerts for `seconds`, evenly, whatever became of those before; waits for the last.
void OfferAlerts(Store& store, int64_t per_second, double seconds, Waits& waits, std::atomic<int64_t>& failed) {
  const SystemClock clock;
  const auto count = static_cast<int64_t>(static_cast<double>(per_second) * seconds);
  std::atomic<int64_t> left = count;
  const nanoseconds start = clock.Monotonic();
  for (int64_t i = 0; i < count; ++i) {
    const nanoseconds due = start + nanoseconds(i * 1'000'000'000 / per_second);
    const nanoseconds early = due - clock.Monotonic();
    if (early > nanoseconds(0))
      std::this_thread::sleep_for(early);  // one sent early would be answered before it is due
    store.Submit(ScratchStore::Fires(i), [&waits, &failed, &left, &clock, due](const Result<Receipt>& receipt) {
      waits.Add(clock.Monotonic() - due);
      if (!receipt.ok()) ++failed;
      --left;
    });
  }
  while (left > 0) std::this_thread::sleep_for(milliseconds(1));
}

void ReportCommits(benchmark::State& state, const StoreStats& stats) {
  const auto commits = static_cast<double>(std::max<uint64_t>(1, stats.num_commits));
  state.counters["alerts_a_commit"] = static_cast<double>(stats.num_batches) / commits;
  state.counters["commit_ms"] = static_cast<double>(stats.commit_time.count()) * 1e-6 / commits;
}

void BM_Fsync(benchmark::State& state) {
  const ScratchStore scratch;
  const int file = open((scratch.path() + ".probe").c_str(), O_CREAT | O_RDWR, 0600);
  const std::vector<char> page(4096, 'x');
  off_t at = 0;
  for (auto _ : state) {
    CHECK(pwrite(file, page.data(), page.size(), at) == static_cast<ssize_t>(page.size()));
    CHECK(fdatasync(file) == 0);
    at += 4096;
  }
  close(file);
}
BENCHMARK(BM_Fsync)->Unit(benchmark::kMillisecond)->UseRealTime();

/// One caller that waits: one sync an alert.
void BM_OneAlertAtATime(benchmark::State& state) {
  ScratchStore scratch;
  int64_t n = 0;
  for (auto _ : state) CHECK(scratch.store().Write(ScratchStore::Fires(n++)).ok());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_OneAlertAtATime)->Unit(benchmark::kMillisecond)->UseRealTime();

/// Alerts that come at a rate, for four seconds.
void BM_AlertsASecond(benchmark::State& state) {
  for (auto _ : state) {
    ScratchStore scratch;
    Waits waits;
    std::atomic<int64_t> failed = 0;
    OfferAlerts(scratch.store(), state.range(0), 4, waits, failed);
    waits.Report(state);
    ReportCommits(state, scratch.store().Stats());
    state.counters["failed"] = static_cast<double>(failed);
  }
}
BENCHMARK(BM_AlertsASecond)
    ->ArgName("per_second")
    ->Arg(100)
    ->Arg(1000)
    ->Arg(5000)
    ->Arg(10000)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();

/// As many as go, `range` always on their way.
void BM_MostAlerts(benchmark::State& state) {
  ScratchStore scratch;
  std::atomic<int64_t> on_their_way = 0;
  int64_t n = 0;
  for (auto _ : state) {
    while (on_their_way >= state.range(0)) std::this_thread::yield();
    ++on_their_way;
    scratch.store().Submit(ScratchStore::Fires(n++), [&on_their_way](const Result<Receipt>& receipt) {
      CHECK(receipt.ok());
      --on_their_way;
    });
  }
  while (on_their_way > 0) std::this_thread::sleep_for(milliseconds(1));
  state.SetItemsProcessed(state.iterations());
  ReportCommits(state, scratch.store().Stats());
}
BENCHMARK(BM_MostAlerts)->ArgName("in_flight")->Arg(64)->Arg(1024)->Unit(benchmark::kMillisecond)->UseRealTime();

/// 2,000 alerts a second into a store of a million events that retention is removing, or is not.
void BM_AlertsWhileRetentionRuns(benchmark::State& state) {
  for (auto _ : state) {
    ManualClock then;  // what is recorded now is old at once when the store is opened with the true clock
    std::string path;
    const bool sweeping = state.range(0) != 0;
    ScratchStore scratch({.retention = {.events = std::chrono::hours(sweeping ? 1 : 0),
                                        .alerts = std::chrono::hours(sweeping ? 1 : 0)}});
    {
      Result<std::unique_ptr<Store>> old = Store::Open(scratch.path(), {.clock = &then});
      CHECK(old.ok());
      Event event;
      event.owner = "own_bench";
      event.type = "alert.fired";
      event.camera = "cam_1000";
      event.detail = Json(Json::Object{{"question", "Is the dog on the couch?"}, {"p_yes", 0.93}});
      for (int i = 0; i < 1000; ++i) CHECK((*old)->Write(WriteBatch(1000, AddEvent{event, {}})).ok());
    }
    std::atomic<bool> done = false;
    std::atomic<int64_t> removed = 0;
    std::thread sweeper([&] {
      // The writer's own pace: a step every 20 ms, without its first minute of waiting.
      while (sweeping && !done) {
        const Result<int64_t> step = scratch.store().SweepStep();
        if (step.ok()) removed += *step;
        std::this_thread::sleep_for(milliseconds(20));
      }
    });
    Waits waits;
    std::atomic<int64_t> failed = 0;
    OfferAlerts(scratch.store(), 2000, 10, waits, failed);
    done = true;
    sweeper.join();
    waits.Report(state);
    ReportCommits(state, scratch.store().Stats());
    state.counters["removed"] = static_cast<double>(removed);
  }
}
BENCHMARK(BM_AlertsWhileRetentionRuns)
    ->ArgName("sweeping")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->UseRealTime();

}  // namespace
}  // namespace pawsight::events
