// server/batcher.h: station 6: the threads around the queue. Submit takes work or refuses it; decoders turn bytes into
// numbers beside inference; runners, one an engine team, run batches; a timekeeper ends what is past its deadline.
// Every piece of work ends exactly once, whatever happens to its client, its engine or this object. Not here: what is
// decided (server/schedule.h), the books (server/queue.h), any wire format. Thread-safe. No callback runs under a lock.
// Everything is bounded: frames that wait and bytes held by ScheduleOptions (beyond: refused at once), frames decoded
// ahead by (runners + 1) * max_batch a priority (beyond: they wait undecoded), time by max_timeout (beyond: expired),
// questions and images by server/work.h (beyond: invalid).
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/counters.h"
#include "server/engine.h"
#include "server/queue.h"
#include "server/schedule.h"
#include "server/work.h"

namespace pawsight::server {

struct BatcherOptions {
  ScheduleOptions schedule;
  int num_runners = 1;   // batches at once, 1..256: as many as the engine has teams
  int num_decoders = 1;  // threads that decode, 1..64
};

class Batcher {
 public:
  /// Starts the threads. `clock` outlives this object. Errors: kInvalidArgument, an option out of range.
  static Result<std::unique_ptr<Batcher>> Start(const BatcherOptions& options, std::shared_ptr<Engine> engine,
                                                const Clock& clock);
  /// Ends what is left as failed and joins the threads: waits for engine calls that run, so for ever when one never
  /// returns. A process that Drain has told so leaves without destroying its batcher.
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  /// `done` is called exactly once, perhaps before this returns; see Done. Cancel work by its token: what waits ends at
  /// once and makes room at once; of what runs the result is dropped. Cost: microseconds, and a hash of the images.
  void Submit(VqaWork work, Done done);

  /// Replaces the model. What is decoded already is answered by the old one, which is let go of with its last batch;
  /// the rest, and what comes, by the new one. No request fails for it.
  void Swap(std::shared_ptr<Engine> engine);

  /// Takes no more work, canaries neither, and waits until all that was accepted has ended, its callbacks returned and
  /// no batch runs; after `limit` the rest ends as failed. False: a batch still runs, the engine is wedged. Call it
  /// once.
  bool Drain(Nanos limit);

  Health health() const;
  CountersView counters() const;
  const BatcherOptions& options() const;

 private:
  struct State;
  explicit Batcher(std::shared_ptr<State> state) : state_(std::move(state)) {}

  // Shared with the hooks of cancel tokens, which may outlive this object.
  const std::shared_ptr<State> state_;
  std::vector<std::thread> threads_;
};

}  // namespace pawsight::server
