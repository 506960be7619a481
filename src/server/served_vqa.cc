#include "server/served_vqa.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/log.h"
#include "server/caption_model.h"
#include "server/itm_model.h"
#include "server/vqa_model.h"

namespace pawsight::server {
namespace {

Status NoAnswer(const std::string& why) { return {StatusCode::kFailedPrecondition, "canary: " + why, "canary_failed"}; }

/// One of each model; the first that the engine can do is what a canary asks: the cheapest and what says most.
constexpr std::array<engine::Mode, 3> kModes = {engine::Mode::kYesNo, engine::Mode::kMatch, engine::Mode::kCaption};

/// A canary for this engine: few tokens, whatever the mode.
Result<VqaWork> CanaryFor(const Engine& engine, const ServedVqaOptions& options) {
  const auto mode = std::ranges::find_if(kModes, [&](engine::Mode one) { return engine.Can(one); });
  if (mode == kModes.end()) return NoAnswer("the checkpoint has no model that can be served");
  VqaWork work;
  work.images.push_back(Own(options.canary_image));
  const bool describes = *mode == engine::Mode::kCaption;
  work.questions = {{describes ? std::string() : options.canary_question}};
  work.ask.mode = *mode;
  if (describes) work.ask.max_length = 4;
  work.priority = Priority::kHigh;
  work.canary = true;
  return work;
}

/// Whether a model that nobody uses yet answers at all.
Status Try(Engine& engine, const VqaWork& canary) {
  const Result<std::vector<float>> pixels = engine.Preprocess(canary.images.front().view);
  if (!pixels.ok()) return NoAnswer(pixels.status().message());
  const std::span<const float> frame = *pixels;
  const Result<std::vector<FrameHandle>> seen = engine.Look({&frame, 1});
  if (!seen.ok()) return NoAnswer(seen.status().message());
  const FrameQuestion question{seen->front(), canary.questions.front().front()};
  const Result<std::vector<engine::Answer>> answers = engine.Ask({&question, 1}, canary.ask);
  if (!answers.ok()) return NoAnswer(answers.status().message());
  const float p = answers->front().p_yes.value_or(answers->front().score);
  if (!(p >= 0.0F && p <= 1.0F)) return NoAnswer("what it says is no probability");
  return Ok();
}

}  // namespace

Result<std::unique_ptr<ServedVqa>> ServedVqa::Start(const ServedVqaOptions& options, Opener opener,
                                                    const Clock& clock) {
  auto served = std::unique_ptr<ServedVqa>(new ServedVqa(options, std::move(opener), clock));
  PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine, served->OpenAndTry());
  PAWSIGHT_ASSIGN_OR_RETURN(served->canary_, CanaryFor(*engine, options));
  PAWSIGHT_ASSIGN_OR_RETURN(served->batcher_, Batcher::Start(options.batcher, engine, clock));
  served->AddModels(*engine);
  served->thread_ = std::thread([s = served.get()] { s->AskCanaries(); });
  return served;
}

void ServedVqa::AddModels(const Engine& engine) {
  const auto ready = [this] { return Ready(); };
  for (const engine::Mode mode : kModes) {
    if (engine.Can(mode)) modes_.insert(mode);
  }
  if (modes_.contains(engine::Mode::kYesNo)) {
    models_.push_back(std::make_shared<VqaModel>(options_.version, *batcher_, ready, options_.limits));
  }
  if (modes_.contains(engine::Mode::kCaption)) {
    models_.push_back(std::make_shared<CaptionModel>(options_.version, *batcher_, ready, options_.limits));
  }
  if (modes_.contains(engine::Mode::kMatch)) {
    models_.push_back(std::make_shared<ItmModel>(options_.version, *batcher_, ready, options_.limits));
  }
}

ServedVqa::~ServedVqa() {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  batcher_.reset();  // its last callbacks come here
}

Result<std::shared_ptr<Engine>> ServedVqa::OpenAndTry() const {
  PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine, opener_());
  PAWSIGHT_ASSIGN_OR_RETURN(const VqaWork canary, CanaryFor(*engine, options_));
  PAWSIGHT_RETURN_IF_ERROR(Try(*engine, canary));
  return engine;
}

bool ServedVqa::Ready() const {
  {
    const MutexLock lock(mu_);
    if (!healthy_ || stopping_) return false;
  }
  return !batcher_->health().wedged;
}

Status ServedVqa::Reload() {
  const MutexLock one(reload_mu_);
  PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine, OpenAndTry());
  const auto served = [&](engine::Mode mode) { return engine->Can(mode) == modes_.contains(mode); };
  if (!std::ranges::all_of(kModes, served)) {
    return FailedPrecondition("the new checkpoint has other models than the one that is served; start a worker for it",
                              "models_differ");
  }
  batcher_->Swap(std::move(engine));
  return Ok();
}

bool ServedVqa::Drain(Nanos limit) {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  return batcher_->Drain(limit);
}

/// Asks through the batcher, as a client does. The answer may come after this has given up: then another canary's
/// number is on.
bool ServedVqa::AskOne() {
  int number = 0;
  {
    const MutexLock lock(mu_);
    number = ++num_canaries_;
    last_canary_.reset();
  }
  VqaWork work = canary_;
  const Nanos limit = clock_.Monotonic() + options_.canary_limit;
  work.deadline = limit;
  batcher_->Submit(std::move(work), [this, number](const WorkResult& result) {
    const MutexLock lock(mu_);
    if (number == num_canaries_) last_canary_ = result.outcome;
    changed_.NotifyAll();
  });
  const MutexLock lock(mu_);
  while (!last_canary_ && !stopping_ && clock_.Monotonic() < limit) clock_.WaitUntil(mu_, changed_, limit);
  return last_canary_ == Outcome::kOk;
}

void ServedVqa::AskCanaries() {
  for (;;) {
    {
      const MutexLock lock(mu_);
      const Nanos next = clock_.Monotonic() + options_.canary_interval;
      while (!stopping_ && clock_.Monotonic() < next) clock_.WaitUntil(mu_, changed_, next);
      if (stopping_) return;
    }
    const bool healthy = AskOne();
    const MutexLock lock(mu_);
    if (stopping_) return;
    if (healthy != healthy_) {
      if (healthy) {
        LogInfo("canary_answered");
      } else {
        LogError("canary_failed", {{"so", "not ready"}});
      }
    }
    healthy_ = healthy;
  }
}

}  // namespace pawsight::server
