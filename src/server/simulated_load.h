// server/simulated_load.h: what tests share: the queue under a simulated load, on a clock that jumps from event to
// event. The engine is simulated too: so much a batch, so much a frame, so much a question. Defined in
// simulated_load_test.cc; not in the library. Used by one thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "server/queue.h"

namespace pawsight::server::testing {

struct LoadRecipe {
  double per_second = 10;  // requests, Poisson
  std::array<double, kNumPriorities> mix{0, 1, 0};
  Nanos patience = kNever;                                                // arrival to deadline; kNever: none
  std::array<Nanos, kNumPriorities> patience_of{kNever, kNever, kNever};  // instead, where not kNever
  double same_frame = 0;  // chance of asking about the same frame as the request before
  int num_questions = 1;
};

struct EngineRecipe {
  Nanos fixed{0};
  Nanos per_frame{10'000'000};
  Nanos per_question{0};
  Nanos decode{500'000};
  double jitter = 0;  // a batch takes 1 +- jitter times that
};

struct Tally {
  std::array<uint64_t, kNumOutcomes> outcomes{};
  uint64_t offered = 0;
  uint64_t good = 0;          // ok, and by its deadline
  Nanos slowest_refusal{0};   // between arriving and being told
  std::vector<Nanos> waits;   // of those that ended ok
  std::vector<Nanos> totals;  // the same
  Nanos longest_wait() const;
  Nanos Wait(double quantile) const;
};

class SimulatedLoad {
 public:
  SimulatedLoad(const ScheduleOptions& options, int num_runners, const EngineRecipe& engine, uint64_t seed);
  ~SimulatedLoad();

  /// Lets requests come for `how_long`; what is tallied is what ended since the last Reset.
  void Run(const LoadRecipe& load, Nanos how_long);
  /// Nothing comes any more; runs until all has ended.
  void Finish();
  void Reset();

  const std::array<Tally, kNumPriorities>& tallies() const { return tallies_; }
  Tally All() const;
  Queue& queue() { return queue_; }
  Nanos now() const { return now_; }
  const Counters& counters() const { return counters_; }
  int longest_queue() const { return longest_queue_; }

 private:
  void At(Nanos when, std::function<void()> what);
  void RunUntil(Nanos until);
  void Arrive(const LoadRecipe& load);
  void Settle();
  void StartDecode();
  void StartBatches();

  ScheduleOptions options_;
  EngineRecipe recipe_;
  Counters counters_;
  Queue queue_;
  Rng rng_;
  Nanos now_{1};
  std::multimap<Nanos, std::function<void()>> events_;
  int free_runners_;
  bool decoder_free_ = true;
  uint64_t next_frame_ = 0;
  int longest_queue_ = 0;
  std::array<Tally, kNumPriorities> tallies_;
};

}  // namespace pawsight::server::testing
