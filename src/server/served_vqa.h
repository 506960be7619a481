// server/served_vqa.h: a checkpoint as a worker serves it, as the models that it has: `vqa`, `caption`, `itm`. One
// batcher for all, the canary frames that say whether it answers now, and a new checkpoint in the place of the old
// without a failed request. Not here: protocols (server/model.h and the endpoints). Thread-safe. One thread of its own
// asks the canaries.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "server/batched_model.h"
#include "server/batcher.h"
#include "server/model.h"

namespace pawsight::server {

struct ServedVqaOptions {
  BatcherOptions batcher;
  std::string version = "1";
  RequestLimits limits;
  std::vector<uint8_t> canary_image;  // a small JPEG or PNG
  std::string canary_question = "Is there a dog?";  // asked, or compared; a captioner is given no prompt
  Nanos canary_interval{2'000'000'000};  // between one's end and the next
  Nanos canary_limit{5'000'000'000};     // one that takes longer failed: not ready
};

class ServedVqa {
 public:
  /// Opens the model that is to be served from now on. Called by Start and Reload, never twice at once.
  using Opener = std::function<Result<std::shared_ptr<Engine>>()>;

  /// Opens, asks a canary and starts. `clock` outlives it. Errors: the opener's; kFailedPrecondition, the canary's
  /// answer is none (canary_failed).
  static Result<std::unique_ptr<ServedVqa>> Start(const ServedVqaOptions& options, Opener opener, const Clock& clock);
  /// Waits for the batch that runs, as ~Batcher does.
  ~ServedVqa();
  ServedVqa(const ServedVqa&) = delete;
  ServedVqa& operator=(const ServedVqa&) = delete;

  /// For the repository: one for each that the checkpoint has the parts for, at least one.
  const std::vector<std::shared_ptr<Model>>& models() const { return models_; }
  /// The last canary was answered in time, no batch hangs, and Drain was not called. Bad news takes at most
  /// canary_interval and canary_limit together to be known.
  bool Ready() const EXCLUDES(mu_);

  /// Opens the model anew, asks it the canary, and puts it in the old one's place; batches that run keep the old.
  /// Errors: as Start's; kFailedPrecondition, its models are others than the old one's (models_differ): what clients
  /// have found would vanish. Then the old one serves on.
  Status Reload() EXCLUDES(reload_mu_);

  /// Takes no more work and waits for what was accepted, at most `limit`. False: a batch still runs.
  bool Drain(Nanos limit) EXCLUDES(mu_);

  Batcher& batcher() { return *batcher_; }

 private:
  ServedVqa(const ServedVqaOptions& options, Opener opener, const Clock& clock)
      : options_(options), opener_(std::move(opener)), clock_(clock) {}

  Result<std::shared_ptr<Engine>> OpenAndTry() const;
  void AddModels(const Engine& engine);
  void AskCanaries() EXCLUDES(mu_);
  bool AskOne() EXCLUDES(mu_);

  const ServedVqaOptions options_;
  const Opener opener_;
  const Clock& clock_;
  std::unique_ptr<Batcher> batcher_;
  std::set<engine::Mode> modes_;  // one of each model's
  std::vector<std::shared_ptr<Model>> models_;
  VqaWork canary_;  // what is asked each time, without its deadline
  Mutex reload_mu_;
  mutable Mutex mu_;
  CondVar changed_;
  bool healthy_ GUARDED_BY(mu_) = true;
  bool stopping_ GUARDED_BY(mu_) = false;
  int num_canaries_ GUARDED_BY(mu_) = 0;                // asked
  std::optional<Outcome> last_canary_ GUARDED_BY(mu_);  // once it ended
  std::thread thread_;
};

}  // namespace pawsight::server
