#include "server/batcher.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "server/execute.h"
#include "server/fingerprint.h"

namespace pawsight::server {
namespace {

bool SameFrame(const Frame& a, const Frame& b) {
  return a.print == b.print &&
         std::equal(a.bytes.view.begin(), a.bytes.view.end(), b.bytes.view.begin(), b.bytes.view.end());
}

Status CheckWork(const VqaWork& work, size_t bytes_limit, const Engine& engine) {
  const size_t images = work.images.size();
  if (images < 1 || images > kMaxImages) {
    return InvalidArgument("images: " + std::to_string(images) + ", want 1.." + std::to_string(kMaxImages),
                           "num_images");
  }
  if (work.questions.size() != 1 && work.questions.size() != images) {
    return InvalidArgument("questions: " + std::to_string(work.questions.size()) + " lists, want 1 or one an image",
                           "num_questions");
  }
  size_t bytes = 0;
  for (const SharedBytes& image : work.images) bytes += image.view.size();
  if (bytes > bytes_limit) {
    return InvalidArgument("images: " + std::to_string(bytes) + " bytes, want at most " + std::to_string(bytes_limit),
                           "image_too_large");
  }
  for (const std::vector<std::string>& list : work.questions) {
    if (list.empty() || list.size() > kMaxQuestionsAnImage) {
      return InvalidArgument(
          "questions: " + std::to_string(list.size()) + " of an image, want 1.." + std::to_string(kMaxQuestionsAnImage),
          list.empty() ? "question_empty" : "too_many_questions");
    }
    for (size_t i = 0; i < list.size(); ++i) {
      PAWSIGHT_RETURN_IF_ERROR(Annotate(engine.Check(list[i], work.ask.mode), "questions[" + std::to_string(i) + "]"));
    }
  }
  return Ok();
}

}  // namespace

struct Batcher::State {
  State(const BatcherOptions& o, const Clock& c) : options(o), clock(c), queue(o.schedule, o.num_runners, counters) {}

  Nanos Now() const { return clock.Monotonic(); }
  void Decode() EXCLUDES(mu);
  void Run() EXCLUDES(mu);
  void KeepTime() EXCLUDES(mu);
  void RunBatch(Batch batch) EXCLUDES(mu);
  void Cancel(uint64_t id) EXCLUDES(mu);
  void Stop() EXCLUDES(mu);
  /// Takes what has ended; it is to be given to Deliver without the mutex.
  std::vector<Finished> Take() REQUIRES(mu) {
    if (queue.has_finished()) ++num_delivering;
    return queue.TakeFinished();
  }
  void Deliver(std::vector<Finished> finished) EXCLUDES(mu);
  bool Idle() const REQUIRES(mu) { return queue.empty() && queue.num_running() == 0 && num_delivering == 0; }

  const BatcherOptions options;
  const Clock& clock;
  Counters counters;
  mutable Mutex mu;
  Queue queue GUARDED_BY(mu);
  std::shared_ptr<Engine> engine GUARDED_BY(mu);
  bool stopping GUARDED_BY(mu) = false;
  int num_delivering GUARDED_BY(mu) = 0;
  Nanos timekeeper_wakes GUARDED_BY(mu) = kNever;
  CondVar decode;  // something may be decoded
  CondVar run;     // something may run
  CondVar time;    // an earlier deadline, or the end
  CondVar idle;    // something ended
};

void Batcher::State::Deliver(std::vector<Finished> finished) {
  if (finished.empty()) return;
  for (Finished& one : finished) {
    const int64_t unix_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(clock.Now().time_since_epoch()).count();
    counters.Ended(one.result, one.model, one.canary, unix_ms);
    one.done(std::move(one.result));
  }
  finished.clear();  // what the callbacks hold dies here, outside the mutex
  MutexLock lock(mu);
  --num_delivering;
  if (Idle()) idle.NotifyAll();
}

void Batcher::State::Decode() {
  (void)pthread_setname_np(pthread_self(), "decode");
  while (true) {
    FramePtr frame;
    {
      MutexLock lock(mu);
      while (!stopping && (frame = queue.NextDecode(Now())) == nullptr) decode.Wait(mu);
      if (stopping) return;
      decode.NotifyOne();  // another decoder may find more
    }
    const Nanos began = Now();
    Result<std::vector<float>> pixels = frame->engine->Preprocess(frame->bytes.view);
    std::vector<Finished> finished;
    {
      MutexLock lock(mu);
      const Nanos now = Now();
      queue.Decoded(frame, std::move(pixels), now - began, now);
      run.NotifyOne();
      finished = Take();
    }
    Deliver(std::move(finished));
  }
}

void Batcher::State::RunBatch(Batch batch) {
  Nanos began = Now();
  std::vector<Result<FrameHandle>> handles = LookAt(*batch.engine, batch.to_encode);
  std::vector<std::vector<float>> pixels;
  std::vector<Finished> finished;
  std::vector<bool> wanted;
  {
    MutexLock lock(mu);
    const Nanos now = Now();
    pixels = queue.Encoded(batch, std::move(handles), now - began, now);
    wanted = queue.Wanted(batch);
    began = now;
    finished = Take();
    run.NotifyOne();  // what waited for these frames
  }
  pixels.clear();
  Deliver(std::move(finished));
  Asked asked = AskAll(*batch.engine, batch.parts, wanted);
  {
    MutexLock lock(mu);
    const Nanos now = Now();
    queue.Answered(batch, std::move(asked.answers), asked.num_computed, now - began, now);
    finished = Take();
    if (Idle()) idle.NotifyAll();
  }
  Deliver(std::move(finished));
}

void Batcher::State::Run() {
  (void)pthread_setname_np(pthread_self(), "runner");
  while (true) {
    std::optional<Batch> batch;
    {
      MutexLock lock(mu);
      while (!stopping) {
        Nanos look_again = kNever;
        batch = queue.NextBatch(Now(), &look_again);
        if (batch) break;
        clock.WaitUntil(mu, run, look_again);
      }
      if (!batch) return;
      decode.NotifyAll();  // room to decode ahead
      run.NotifyOne();     // another runner may find more
    }
    RunBatch(*std::move(batch));
  }
}

void Batcher::State::KeepTime() {
  (void)pthread_setname_np(pthread_self(), "timekeeper");
  while (true) {
    std::vector<Finished> finished;
    {
      MutexLock lock(mu);
      while (!stopping && queue.NextDeadline() > Now()) {
        timekeeper_wakes = queue.NextDeadline();
        clock.WaitUntil(mu, time, timekeeper_wakes);
      }
      if (stopping) return;
      queue.Expire(Now());
      finished = Take();
    }
    Deliver(std::move(finished));
  }
}

void Batcher::State::Cancel(uint64_t id) {
  std::vector<Finished> finished;
  {
    MutexLock lock(mu);
    queue.Cancel(id, Now());
    finished = Take();
  }
  Deliver(std::move(finished));
}

void Batcher::State::Stop() {
  std::vector<Finished> finished;
  {
    MutexLock lock(mu);
    stopping = true;
    queue.Drain();
    queue.Abandon("stopping: not answered in time", Now());
    finished = Take();
    for (CondVar* cv : {&decode, &run, &time}) cv->NotifyAll();
  }
  Deliver(std::move(finished));
}

Result<std::unique_ptr<Batcher>> Batcher::Start(const BatcherOptions& options, std::shared_ptr<Engine> engine,
                                                const Clock& clock) {
  PAWSIGHT_RETURN_IF_ERROR(CheckOptions(options.schedule));
  if (options.num_runners < 1 || options.num_runners > 256) return InvalidArgument("num_runners: want 1..256");
  if (options.num_decoders < 1 || options.num_decoders > 64) return InvalidArgument("num_decoders: want 1..64");
  CHECK(engine != nullptr);
  auto state = std::make_shared<State>(options, clock);
  std::unique_ptr<Batcher> batcher(new Batcher(state));
  batcher->Swap(std::move(engine));
  State* const s = state.get();
  for (int i = 0; i < options.num_decoders; ++i) batcher->threads_.emplace_back([s] { s->Decode(); });
  for (int i = 0; i < options.num_runners; ++i) batcher->threads_.emplace_back([s] { s->Run(); });
  batcher->threads_.emplace_back([s] { s->KeepTime(); });
  return batcher;
}

Batcher::~Batcher() {
  state_->Stop();
  for (std::thread& thread : threads_) thread.join();
}

void Batcher::Submit(VqaWork work, Done done) {
  State& s = *state_;
  auto request = std::make_shared<Request>();
  request->work = std::move(work);
  request->done = std::move(done);
  std::shared_ptr<Engine> engine;
  std::vector<Arrival> arrivals(request->work.images.size());
  for (size_t i = 0; i < arrivals.size(); ++i) {
    arrivals[i].fresh = std::make_shared<Frame>();
    arrivals[i].fresh->bytes = request->work.images[i];
    arrivals[i].fresh->print = FingerprintOf(request->work.images[i].view);
  }
  {
    MutexLock lock(s.mu);
    engine = s.engine;
    for (Arrival& arrival : arrivals) arrival.same = s.queue.Find(arrival.fresh->print);
  }
  const Status checked = CheckWork(request->work, s.options.schedule.bytes_limit, *engine);
  for (Arrival& arrival : arrivals) {
    if (arrival.same != nullptr && !SameFrame(*arrival.same, *arrival.fresh)) arrival.same = nullptr;
    for (int i = 0; &arrivals[static_cast<size_t>(i)] != &arrival && arrival.twin < 0; ++i) {
      if (SameFrame(*arrivals[static_cast<size_t>(i)].fresh, *arrival.fresh)) arrival.twin = i;
    }
  }
  const bool cancelled = request->work.cancel != nullptr && request->work.cancel->cancelled();
  uint64_t id = 0;
  std::vector<Finished> finished;
  {
    MutexLock lock(s.mu);
    const Nanos now = s.Now();
    if (!checked.ok()) {
      s.queue.Reject(request, Outcome::kInvalid, checked, now);
    } else if (cancelled) {
      s.queue.Reject(request, Outcome::kCancelled, Cancelled("cancelled by who asked"), now);
    } else {
      s.queue.Add(request, arrivals, now);
    }
    id = request->ended ? 0 : request->id;
    if (id != 0) {
      s.decode.NotifyOne();
      s.run.NotifyOne();  // a frame that was there may be ready
      if (request->deadline < s.timekeeper_wakes) s.time.NotifyOne();
    }
    finished = s.Take();
  }
  s.Deliver(std::move(finished));
  if (id == 0 || request->work.cancel == nullptr) return;
  const auto hook = [weak = std::weak_ptr<State>(state_), id] {
    if (const std::shared_ptr<State> state = weak.lock()) state->Cancel(id);
  };
  if (!request->work.cancel->OnCancel(hook)) s.Cancel(id);
}

void Batcher::Swap(std::shared_ptr<Engine> engine) {
  CHECK(engine != nullptr);
  std::shared_ptr<Engine> old = engine;
  MutexLock lock(state_->mu);
  state_->queue.SetEngine(std::move(engine));
  state_->engine.swap(old);  // `old` dies after the lock
}

bool Batcher::Drain(Nanos limit) {
  State& s = *state_;
  std::vector<Finished> finished;
  {
    MutexLock lock(s.mu);
    s.queue.Drain();
    const Nanos until = s.Now() + limit;
    while (!s.Idle() && s.Now() < until) s.clock.WaitUntil(s.mu, s.idle, until);
    s.queue.Abandon("stopping: not answered in time", s.Now());
    finished = s.Take();
  }
  s.Deliver(std::move(finished));
  return health().num_running == 0;
}

Health Batcher::health() const {
  MutexLock lock(state_->mu);
  return state_->queue.health(state_->Now());
}

CountersView Batcher::counters() const { return state_->counters.View(); }

const BatcherOptions& Batcher::options() const { return state_->options; }

}  // namespace pawsight::server
