#include "gateway/path/frame_path.h"

#include <algorithm>
#include <random>
#include <set>
#include <utility>

#include "base/log.h"
#include "base/rng.h"
#include "events/ids.h"
#include "frames/decode.h"
#include "gateway/autoscale.h"
#include "gateway/path/path_state.h"

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kTickEvery{250};
constexpr size_t kTickShares = 8;  // of the cameras are looked at in a tick

uint64_t SystemSeed() {
  std::random_device device;
  return uint64_t{device()} << 32U | device();
}

Submitted Refuse(PathNumbers& numbers, Refusal why, Status status, milliseconds retry_after = milliseconds(0)) {
  numbers.Refused(why);
  return {std::move(status), "", nullptr, retry_after};
}

Submitted UnknownCamera(PathNumbers& numbers) {
  return Refuse(numbers, Refusal::kCameraUnknown, NotFound("camera: no such camera", "camera_unknown"));
}

/// What the bytes themselves decide.
Status CheckImage(const Submission& submission, size_t max_bytes) {
  if (submission.encoded == nullptr || submission.encoded->empty()) {
    return InvalidArgument("image: no bytes; send a JPEG or PNG file", "image_empty");
  }
  if (submission.encoded->size() > max_bytes) {
    return InvalidArgument("image: more than " + std::to_string(max_bytes) + " bytes; send a smaller image",
                           "image_too_large");
  }
  const std::string_view type = frames::SniffType(*submission.encoded);
  if (type == "jpeg" || type == "png") return Ok();
  return InvalidArgument(
      "image: the content is " + (type.empty() ? "of no known image type" : std::string(type)) + "; send JPEG or PNG",
      "image_type_unsupported");
}

Result<std::vector<rules::Question>> ParseOwn(const std::vector<std::string>& texts) {
  if (texts.size() > kMaxOwnQuestions) return InvalidArgument("questions: more than 16", "too_many_questions");
  std::vector<rules::Question> questions;
  for (const std::string& text : texts) {
    PAWSIGHT_ASSIGN_OR_RETURN(rules::Question question, rules::Question::Parse(text));
    questions.push_back(std::move(question));
  }
  return questions;
}

milliseconds RefreshOf(const Camera& camera) {
  const OwnerView& view = *camera.view;
  return view.setup.cameras[view.camera_idx.at(camera.id)].refresh;
}

}  // namespace

FramePath::State::State(AsyncBackend& answers, Record* writes, const Clock& time, const FramePathOptions& chosen)
    : options(chosen),
      backend(answers),
      clock(time),
      record(std::make_shared<RecordQueue>(writes)),
      why(chosen.why_kept),
      random(chosen.seed == 0 ? SystemSeed() : chosen.seed),
      mailbox(chosen),
      devices({chosen.device_rate, chosen.device_burst}),
      window(chosen.max_outstanding) {
  CHECK(chosen.gate_threads >= 0 && chosen.gate_threads <= 64);
  CHECK(chosen.max_outstanding >= 1 && chosen.max_outstanding <= 65536);
  CHECK(chosen.why_kept >= 1 && chosen.why_kept <= 1000);
  CHECK(chosen.device_rate >= 0.01 && chosen.device_burst >= 1);
}

std::string FramePath::State::NewId(std::string_view prefix, Time now) {
  Rng mixed(random.fetch_add(0x9E3779B97F4A7C15ULL, std::memory_order_relaxed));  // a counter that threads share
  const auto high = static_cast<uint64_t>(std::chrono::floor<milliseconds>(now.time_since_epoch()).count());
  return events::MakeId(prefix, high, mixed.Next());
}

Submitted FramePath::State::Submit(Submission submission, Done done) {
  if (Status image = CheckImage(submission, options.max_frame_bytes); !image.ok()) {
    return Refuse(numbers, Refusal::kImage, std::move(image));
  }
  Result<std::vector<rules::Question>> own = ParseOwn(submission.questions);
  if (!own.ok()) return Refuse(numbers, Refusal::kQuestions, own.status());
  const std::vector<uint8_t>& bytes = *submission.encoded;
  const uint64_t fingerprint =
      submission.sequence ? std::hash<std::string_view>()({reinterpret_cast<const char*>(bytes.data()), bytes.size()})
                          : 0;
  auto frame = std::make_unique<PendingFrame>();
  frame->own = std::move(*own);
  frame->done = std::move(done);
  frame->submission = std::move(submission);
  frame->received = clock.Now();
  frame->arrived = clock.Monotonic();
  return Admit(std::move(frame), fingerprint);
}

void FramePath::State::NoteClock(Camera& camera) {
  const bool wrong = camera.clock.skew && std::chrono::abs(*camera.clock.skew) > kLateAfter;
  if (wrong == camera.clock_is_wrong) return;
  camera.clock_is_wrong = wrong;
  wrong ? ++num_clocks_wrong : --num_clocks_wrong;
}

Submitted FramePath::State::CheckAgainstPast(Camera& camera, PendingFrame& frame, uint64_t fingerprint) {
  const Submission& submission = frame.submission;
  if (!submission.device.empty()) {
    const nanoseconds wait = devices.Take(submission.device, frame.arrived);
    if (wait.count() > 0) {
      return Refuse(numbers, Refusal::kDeviceRate,
                    ResourceExhausted("frame: this device sends too many; slow down", "device_rate"),
                    std::chrono::ceil<milliseconds>(wait));
    }
  }
  if (submission.sequence && camera.recent != nullptr) {
    const RecentFrames::Entry* const known = camera.recent->Find(*submission.sequence);
    if (known != nullptr && known->fingerprint != fingerprint) {
      return Refuse(numbers, Refusal::kConflict,
                    Status(StatusCode::kAlreadyExists, "frame: other bytes came with this sequence", "id_conflict"));
    }
    if (known != nullptr) {
      numbers.Refused(Refusal::kDuplicate);
      return {Status(StatusCode::kAlreadyExists, "frame: it came before", "duplicate_frame"), known->frame,
              known->result, milliseconds(0)};
    }
  }
  frame.time = JudgeTime(camera.clock, frame.received, submission.captured, submission.sent);
  NoteClock(camera);
  if (frame.time.timeliness == Timeliness::kStale) {
    return Refuse(numbers, Refusal::kStale, InvalidArgument("frame: taken more than two days ago", "stale"));
  }
  Status room = mailbox.Admits(camera, submission.encoded->size());
  if (room.ok()) return {};
  shed.Add(frame.arrived);
  const Refusal why_full = room.reason() == "owner_full" ? Refusal::kOwnerFull : Refusal::kPathFull;
  return Refuse(numbers, why_full, std::move(room), milliseconds(1000));
}

Submitted FramePath::State::Admit(std::unique_ptr<PendingFrame> frame, uint64_t fingerprint) {
  Submitted submitted;
  std::unique_ptr<PendingFrame> replaced;
  std::shared_ptr<Camera> camera;
  std::shared_ptr<const OwnerView> view;
  decltype(camera->phases) phases;
  {
    MutexLock lock(mu);
    if (draining) {
      return Refuse(numbers, Refusal::kDraining, Unavailable("gateway: stopping", "draining"), milliseconds(1000));
    }
    camera = mailbox.Find(frame->submission.owner, frame->submission.camera);
    if (camera == nullptr) return UnknownCamera(numbers);
    submitted = CheckAgainstPast(*camera, *frame, fingerprint);
    if (!submitted.status.ok()) {
      ++camera->counts.refused[submitted.status.reason()];
      return submitted;
    }
    submitted.frame = frame->id = NewId("frm_", frame->received);
    ++camera->counts.arrived;
    PathNumbers::Bump(numbers.arrived);
    if (frame->time.timeliness == Timeliness::kLate) PathNumbers::Bump(numbers.late);
    if (frame->submission.sequence) {
      if (camera->recent == nullptr) camera->recent = std::make_unique<RecentFrames>();
      camera->recent->Add(*frame->submission.sequence, fingerprint, frame->id);
    }
    if (frame->time.timeliness == Timeliness::kFresh) mailbox.Keep(*camera, *frame);
    replaced = mailbox.Put(camera, std::move(frame));
    if (replaced != nullptr) {
      ++camera->counts.replaced;
      PathNumbers::Bump(numbers.replaced);
      shed.Add(clock.Monotonic());
      view = camera->view;
      phases = camera->phases;
    }
    if (MayStep()) work.NotifyOne();
  }
  if (replaced != nullptr) {
    EndUntravelled(std::move(replaced), view, phases, rules::Reason::kReplaced,
                   Status(StatusCode::kAborted, "frame: a newer one came before its turn", "replaced"));
  }
  return submitted;
}

Status FramePath::State::SetOwner(const std::string& owner, OwnerSetup setup) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::shared_ptr<const OwnerView> view,
                            OwnerView::Make(owner, std::move(setup), zones));
  std::shared_ptr<const OwnerView> before;  // dies outside the lock
  std::vector<std::unique_ptr<PendingFrame>> orphans;
  std::vector<std::shared_ptr<Camera>> touched;
  {
    MutexLock lock(mu);
    PAWSIGHT_RETURN_IF_ERROR(mailbox.CheckOwner(*view));
    before = mailbox.FindOwner(owner);
    touched = mailbox.SetOwner(view);
    for (const std::shared_ptr<Camera>& camera : touched) {
      if (camera->removed && camera->waiting != nullptr) orphans.push_back(mailbox.Withdraw(*camera));
      if (camera->removed && std::exchange(camera->clock_is_wrong, false)) --num_clocks_wrong;
      mailbox.Requeue(camera);
    }
    work.NotifyAll();
  }
  std::vector<std::string> ids;
  for (const rules::Rule& rule : view->setup.rules) ids.push_back(rule.id);
  why.SetRules(owner, ids);
  for (std::unique_ptr<PendingFrame>& orphan : orphans) {
    EndUntravelled(std::move(orphan), view, nullptr, rules::Reason::kReplaced,
                   NotFound("camera: it is no more", "camera_unknown"));
  }
  return Ok();
}

size_t FramePath::State::RestoreStates(const std::vector<RestoredState>& states) {
  size_t taken = 0;
  MutexLock lock(mu);
  for (const RestoredState& stored : states) {
    const std::shared_ptr<Camera> camera = mailbox.Find(stored.owner, stored.camera);
    const Result<rules::StoredState> decoded = rules::DecodeState(stored.text);
    if (camera == nullptr || !decoded.ok() || !camera->view->rule_idx.contains(stored.rule)) {
      PathNumbers::Bump(numbers.states_unreadable);
      LogWarning("path.state_left_out",
                 {{"camera", stored.camera},
                  {"rule", stored.rule},
                  {"reason", decoded.ok() ? "no such camera or rule" : decoded.status().message()}});
      continue;
    }
    RuleState state;
    state.rule = stored.rule;
    state.meaning = decoded->meaning;
    state.alert = decoded->state;
    state.told = decoded->told;
    state.alert_id = stored.alert.empty() ? decoded->alert : stored.alert;
    camera->restored.push_back(std::move(state));
    camera->reconcile = true;
    mailbox.Requeue(camera);
    ++taken;
  }
  work.NotifyAll();
  return taken;
}

bool FramePath::State::IsWatched(const AlertNotice& open) const {
  const std::shared_ptr<Camera> camera = mailbox.Find(open.owner, open.camera);
  if (camera == nullptr || !camera->view->rule_idx.contains(open.rule)) return false;
  const auto fires = [&](const RuleState& state) {
    return state.rule == open.rule && state.alert_id == open.id && state.alert.phase == rules::AlertPhase::kFiring;
  };
  return camera->busy || std::any_of(camera->restored.begin(), camera->restored.end(), fires) ||
         std::any_of(camera->turn.states.begin(), camera->turn.states.end(), fires);
}

size_t FramePath::State::EndOrphans(const std::vector<AlertNotice>& open) {
  std::vector<std::pair<AlertNotice, std::vector<std::string>>> orphans;
  {
    MutexLock lock(mu);
    for (const AlertNotice& alert : open) {
      if (IsWatched(alert)) continue;
      const std::shared_ptr<const OwnerView> view = mailbox.FindOwner(alert.owner);
      orphans.emplace_back(alert, view == nullptr ? std::vector<std::string>() : view->setup.receivers);
    }
  }
  for (auto& [alert, receivers] : orphans) {
    alert.since = alert.time;
    alert.time = clock.Now();
    alert.change = AlertChange::kResolved;
    alert.cause = "orphaned";
    alert.frame.clear();
    TellEnd(std::move(alert), std::nullopt, std::move(receivers));
  }
  return orphans.size();
}

void FramePath::State::Tick() {
  struct Overdue {
    std::unique_ptr<PendingFrame> frame;
    std::shared_ptr<const OwnerView> view;
    decltype(Camera::phases) phases;
  };
  std::vector<Overdue> overdue;
  std::vector<std::unique_ptr<Gate>> unused;
  const nanoseconds now = clock.Monotonic();
  const Time wall = clock.Now();
  {
    MutexLock lock(mu);
    const auto& cameras = mailbox.cameras();
    const size_t share = cameras.bucket_count() / kTickShares + 1;
    for (size_t i = 0; i < share; ++i, ++tick_bucket) {
      if (tick_bucket >= cameras.bucket_count()) tick_bucket = 0;
      for (auto at = cameras.begin(tick_bucket); at != cameras.end(tick_bucket); ++at) {
        Camera& camera = *at->second;
        if (camera.waiting != nullptr && now - camera.waiting->arrived >= options.answer_within) {
          overdue.push_back({mailbox.Withdraw(camera), camera.view, camera.phases});
        }
        if (camera.busy || camera.turn.gate == nullptr || wall - camera.turn.gate_used < 2 * RefreshOf(camera))
          continue;
        unused.push_back(std::move(camera.turn.gate));
        if (camera.recent != nullptr) camera.recent->ForgetResults();
      }
    }
    if (tick_bucket == 0) devices.Forget(now);
  }
  for (Overdue& late : overdue) {
    PathNumbers::Bump(numbers.expired);
    EndUntravelled(std::move(late.frame), late.view, late.phases, rules::Reason::kShed,
                   DeadlineExceeded("frame: waited past its deadline", "deadline"));
  }
  record->Retry();
}

void FramePath::State::RunGate() {
  while (true) {
    {
      MutexLock lock(mu);
      while (!stopping && !MayStep()) work.Wait(mu);
      if (stopping) return;
    }
    (void)Step();  // another thread may have been quicker
  }
}

void FramePath::State::RunTime() {
  while (true) {
    {
      MutexLock lock(mu);
      const nanoseconds until = clock.Monotonic() + kTickEvery;
      while (!stopping && clock.Monotonic() < until) clock.WaitUntil(mu, quit, until);
      if (stopping) return;
    }
    Tick();
  }
}

bool FramePath::State::Drain(milliseconds at_most) {
  const nanoseconds until = clock.Monotonic() + at_most;
  {
    MutexLock lock(mu);
    draining = true;
  }
  if (options.gate_threads == 0) {
    while (Step()) {
    }
  }
  {
    MutexLock lock(mu);
    while (IsInside() && clock.Monotonic() < until) clock.WaitUntil(mu, idle, until);
    if (IsInside()) return false;
  }
  record->Retry();
  while (!record->IsIdle() && clock.Monotonic() < until) {
    MutexLock lock(mu);
    clock.WaitUntil(mu, idle, std::min(until, clock.Monotonic() + milliseconds(10)));
  }
  return record->IsIdle();
}

void FramePath::State::Stop() {
  struct Waiting {
    std::unique_ptr<PendingFrame> frame;
    decltype(Camera::view) view;  // as they were: a turn that ends meanwhile changes the camera's own
    decltype(Camera::phases) phases;
  };
  std::vector<Waiting> waiting;
  {
    MutexLock lock(mu);
    draining = true;
    stopping = true;
    work.NotifyAll();
    quit.NotifyAll();
    for (const auto& [id, camera] : mailbox.cameras()) {
      if (camera->waiting != nullptr) waiting.push_back({mailbox.Withdraw(*camera), camera->view, camera->phases});
    }
  }
  for (std::thread& thread : threads) thread.join();
  threads.clear();
  for (auto& [frame, view, phases] : waiting) {
    EndUntravelled(std::move(frame), view, phases, rules::Reason::kShed, Unavailable("gateway: stopping", "draining"));
  }
  MutexLock lock(mu);
  while (turns > 0) idle.Wait(mu);
}

FramePath::FramePath(AsyncBackend& backend, Record* record, const Clock& clock, const FramePathOptions& options)
    : state_(std::make_shared<State>(backend, record, clock, options)) {
  State* const state = state_.get();
  for (int i = 0; i < options.gate_threads; ++i) state->threads.emplace_back([state] { state->RunGate(); });
  if (options.gate_threads > 0) state->threads.emplace_back([state] { state->RunTime(); });
}

FramePath::~FramePath() { state_->Stop(); }

double FramePath::ShedPerSecond() const {
  const nanoseconds now = state_->clock.Monotonic();
  MutexLock lock(state_->mu);
  return ShedWanting(state_->shed.PerSecond(now), state_->asked.PerSecond(now), state_->ended.PerSecond(now));
}

void FramePath::SetDeviceRate(double per_second, double burst) {
  CHECK(per_second >= 0.01 && burst >= 1);
  MutexLock lock(state_->mu);
  state_->devices.SetRate({per_second, burst});
}

Status FramePath::SetOwner(const std::string& owner, OwnerSetup setup) {
  return state_->SetOwner(owner, std::move(setup));
}

Status FramePath::CheckOwner(const std::string& owner, OwnerSetup setup) {
  return OwnerView::Make(owner, std::move(setup), state_->zones).status();
}

void FramePath::RemoveOwner(const std::string& owner) {
  (void)state_->SetOwner(owner, {});  // nothing in it is never at fault
  state_->cost.ForgetOwner(owner);
}

size_t FramePath::RestoreStates(const std::vector<RestoredState>& states) { return state_->RestoreStates(states); }

size_t FramePath::EndOrphans(const std::vector<AlertNotice>& open) { return state_->EndOrphans(open); }

void FramePath::SetPrices(const std::vector<PoolPrice>& prices) {
  std::vector<std::pair<std::string, double>> all;
  for (const PoolPrice& price : prices) all.emplace_back(price.pool, price.dollars_per_hour);
  state_->cost.SetPrices(all, state_->clock.Monotonic());
}

Submitted FramePath::Submit(Submission submission, Done done) {
  return state_->Submit(std::move(submission), std::move(done));
}

std::optional<NewestFrame> FramePath::Newest(const std::string& owner, const std::string& camera) const {
  MutexLock lock(state_->mu);
  const std::shared_ptr<Camera> found = state_->mailbox.Find(owner, camera);
  return found == nullptr ? std::nullopt : found->newest;
}

Observers& FramePath::observers() { return state_->observers; }

Result<Json> FramePath::Why(const std::string& owner, const std::string& rule) const {
  return state_->why.Tell(owner, rule);
}

Result<Json> FramePath::Stats(const std::string& owner) const { return state_->Stats(owner); }

Json FramePath::Cost(const std::string& owner) const { return state_->cost.Tell(owner, state_->clock.Monotonic()); }

std::string FramePath::Metrics() const { return state_->Metrics(); }

bool FramePath::Drain(std::chrono::milliseconds at_most) { return state_->Drain(at_most); }

void FramePath::Stop() { state_->Stop(); }

bool FramePath::Step() { return state_->Step(); }

void FramePath::Tick() { state_->Tick(); }

}  // namespace pawsight::gateway
