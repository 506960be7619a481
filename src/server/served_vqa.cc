#include "server/served_vqa.h"

#include <cmath>
#include <utility>

#include "base/log.h"

namespace pawsight::server {
namespace {

Status NoAnswer(const std::string& why) { return {StatusCode::kFailedPrecondition, "canary: " + why, "canary_failed"}; }

/// Whether a model that nobody uses yet answers at all.
Status Try(Engine& engine, const ServedVqaOptions& options) {
  const Result<std::vector<float>> pixels = engine.Preprocess(options.canary_image);
  if (!pixels.ok()) return NoAnswer(pixels.status().message());
  const std::span<const float> frame = *pixels;
  const Result<std::vector<FrameHandle>> seen = engine.Look({&frame, 1});
  if (!seen.ok()) return NoAnswer(seen.status().message());
  const FrameQuestion question{seen->front(), options.canary_question};
  const Result<std::vector<engine::Answer>> answers = engine.Ask({&question, 1}, {});
  if (!answers.ok()) return NoAnswer(answers.status().message());
  const float p_yes = answers->front().p_yes.value_or(0.5F);
  if (!(p_yes >= 0.0F && p_yes <= 1.0F)) return NoAnswer("p_yes is no probability");
  return Ok();
}

}  // namespace

Result<std::unique_ptr<ServedVqa>> ServedVqa::Start(const ServedVqaOptions& options, Opener opener,
                                                    const Clock& clock) {
  auto served = std::unique_ptr<ServedVqa>(new ServedVqa(options, std::move(opener), clock));
  PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<Engine> engine, served->OpenAndTry());
  PAWSIGHT_ASSIGN_OR_RETURN(served->batcher_, Batcher::Start(options.batcher, std::move(engine), clock));
  served->model_ = std::make_shared<VqaModel>(
      options.version, *served->batcher_, [s = served.get()] { return s->Ready(); }, options.limits);
  served->thread_ = std::thread([s = served.get()] { s->AskCanaries(); });
  return served;
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
  PAWSIGHT_RETURN_IF_ERROR(Try(*engine, options_));
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
  VqaWork work;
  work.images.push_back(Own(options_.canary_image));
  work.questions = {{options_.canary_question}};
  work.priority = Priority::kHigh;
  work.canary = true;
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
