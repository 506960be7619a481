#include "notify/notifier.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <thread>

#include "base/log.h"
#include "base/mutex.h"
#include "base/rng.h"
#include "notify/lane.h"

namespace pawsight::notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using Action = Decision::Action;

constexpr int kSweepPage = 256;
constexpr int kExpirePage = 200;
constexpr milliseconds kOutboxRetry{5000};  // the outbox could not be read or written

/// What became of one message, for the outbox.
struct Mark {
  enum class Kind { kDelivered, kFailed, kDead } kind = Kind::kDelivered;
  ReceiverKey key;
  int64_t id = 0;
  Time due{};
  std::string error;
};

struct Ended {
  ReceiverKey key;
  OutboxRow row;
  Outcome outcome;
};
struct Marked {
  Mark mark;
  Status status;
};
struct Test {
  ReceiverKey key;
  Message message;
  std::function<void(Outcome)> done;
};
struct Announcement {
  ReceiverKey key;
  std::vector<CameraInventory> cameras;
};

/// What other threads leave for the notifier's. Its parts are bounded: by receivers, by what is under way.
struct Mail {
  bool closing = false;
  std::set<ReceiverKey> woken, changed, tested;
  std::deque<Ended> ended;
  std::deque<Marked> marked;
  std::deque<Test> tests;
  std::deque<Announcement> announcements;

  bool empty() const {
    return !closing && woken.empty() && changed.empty() && tested.empty() && ended.empty() && marked.empty() &&
           tests.empty() && announcements.empty();
  }
};

/// Shared with what receivers and the outbox call back, which may come after the notifier has gone.
struct Box {
  Mutex mu;
  CondVar cv;
  Mail mail GUARDED_BY(mu);
  std::map<ReceiverKey, Trouble> troubles GUARDED_BY(mu);
  NotifierStats stats GUARDED_BY(mu);

  template <typename Change>
  void Put(Change&& change) EXCLUDES(mu) {
    MutexLock lock(mu);
    change(mail);
    cv.NotifyOne();
  }
};

}  // namespace

/// All but the box is the notifier's thread's own.
class Notifier::Loop {
 public:
  Loop(Outbox& outbox, Maker maker, const Clock& clock, const NotifierOptions& options)
      : outbox_(outbox), maker_(std::move(maker)), clock_(clock), options_(options), dice_(options.seed) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Loop() {
    box_->Put([](Mail& mail) { mail.closing = true; });
    thread_.join();
  }
  const std::shared_ptr<Box>& box() const { return box_; }

 private:
  void Run();
  bool TakeMail();
  void OnEnded(Ended ended);
  void OnMarked(const Marked& marked);
  void OnChanged(const ReceiverKey& key);
  void OnTest(Test test);
  void OnAnnouncement(Announcement announcement);
  void Sweep();
  void OnTime();
  void Serve();
  bool ServeOne(const ReceiverKey& key, Lane& lane);
  bool Load(const ReceiverKey& key, Lane& lane);
  bool FillLane(const ReceiverKey& key, Lane& lane);
  void Send(const ReceiverKey& key, Lane& lane, OutboxRow row);
  void Expire(const ReceiverKey& key, Lane& lane, const std::string& error);
  void Submit(const Mark& mark);
  void Pause(const ReceiverKey& key, Lane& lane, nanoseconds wait, const std::string& error);
  void Ready(const ReceiverKey& key);
  void EraseIfIdle(const ReceiverKey& key);
  Lane* LaneOf(const ReceiverKey& key);
  void Count(uint64_t NotifierStats::*counter);
  std::string ErrorOf(const ReceiverKey& key) const;
  nanoseconds NextTime() const;

  Outbox& outbox_;
  const Maker maker_;
  const Clock& clock_;
  const NotifierOptions options_;
  Rng dice_;
  const std::shared_ptr<Box> box_ = std::make_shared<Box>();
  std::map<ReceiverKey, Lane> lanes_;
  std::deque<ReceiverKey> ready_;  // each once; in turn, a message at a time
  std::set<ReceiverKey> in_ready_;
  std::map<std::string, std::set<ReceiverKey>> held_back_;  // by owner: its share is used up
  std::map<std::string, int> running_of_;                   // by owner
  int num_running_ = 0;
  std::set<std::pair<nanoseconds, ReceiverKey>> timers_;
  std::multimap<nanoseconds, Mark> unsettled_;  // the outbox has refused them; again then
  nanoseconds next_sweep_{0};
  ReceiverKey sweep_after_;
  std::thread thread_;
};

Lane* Notifier::Loop::LaneOf(const ReceiverKey& key) {
  const auto at = lanes_.find(key);
  if (at != lanes_.end()) return &at->second;
  if (lanes_.size() >= options_.max_receivers) return nullptr;  // a later sweep finds it
  return &lanes_.emplace(key, Lane(options_.max_running_a_receiver)).first->second;
}

void Notifier::Loop::Ready(const ReceiverKey& key) {
  if (in_ready_.insert(key).second) ready_.push_back(key);
}

void Notifier::Loop::Count(uint64_t NotifierStats::*counter) {
  MutexLock lock(box_->mu);
  ++(box_->stats.*counter);
}

std::string Notifier::Loop::ErrorOf(const ReceiverKey& key) const {
  MutexLock lock(box_->mu);
  const auto at = box_->troubles.find(key);
  return at == box_->troubles.end() ? "" : at->second.error;
}

void Notifier::Loop::EraseIfIdle(const ReceiverKey& key) {
  const auto at = lanes_.find(key);
  if (at == lanes_.end() || !at->second.is_idle() || at->second.keeps_connection) return;
  lanes_.erase(at);
  MutexLock lock(box_->mu);
  box_->troubles.erase(key);
}

void Notifier::Loop::Pause(const ReceiverKey& key, Lane& lane, nanoseconds wait, const std::string& error) {
  lane.resume = clock_.Monotonic() + wait;
  timers_.insert({lane.resume, key});
  if (lane.failures() == 1) LogWarning("notify.receiver_failed", {{"receiver", key.receiver}, {"error", error}});
  MutexLock lock(box_->mu);
  box_->troubles[key] = {lane.failures(), clock_.Now() + wait, error};
}

/// Reads the receiver's document and makes it. False when there is nothing to send with.
bool Notifier::Loop::Load(const ReceiverKey& key, Lane& lane) {
  if (lane.receiver != nullptr) return true;
  Result<Json> document = outbox_.Document(key);
  const bool is_off =
      document.status().code() == StatusCode::kNotFound || document.status().code() == StatusCode::kFailedPrecondition;
  if (is_off) {
    lane.Forget();
    lane.has_more = lane.keeps_connection = false;
    return false;
  }
  Result<ReceiverConfig> config =
      document.ok() ? ParseReceiver(*document, options_.policy) : Result<ReceiverConfig>(document.status());
  if (!config.ok()) {
    const milliseconds wait = Backoff(options_.retry, lane.FailedToLoad(), dice_.Uniform());
    lane.expire_before = clock_.Now() - options_.retry.give_up;
    if (document.ok()) Expire(key, lane, config.status().message());
    Pause(key, lane, wait, config.status().message());
    return false;
  }
  lane.pictures = config->pictures;
  lane.keeps_connection = std::holds_alternative<MqttConfig>(config->kind);
  lane.receiver = maker_(key, *std::move(config));
  if (!lane.inventory.empty()) lane.receiver->Announce({}, lane.inventory);
  return true;
}

bool Notifier::Loop::FillLane(const ReceiverKey& key, Lane& lane) {
  Result<OutboxPage> page = outbox_.Take(key, lane.PageWanted(options_.page));
  if (!page.ok()) {
    LogWarning("notify.outbox_unreadable", {{"error", page.status().ToString()}});
    lane.resume = clock_.Monotonic() + kOutboxRetry;
    timers_.insert({lane.resume, key});
    return false;
  }
  lane.Fill(*std::move(page));
  return true;
}

void Notifier::Loop::Send(const ReceiverKey& key, Lane& lane, OutboxRow row) {
  auto message = std::make_shared<Message>(row.message);
  if (lane.pictures && !row.picture.empty()) {
    if (auto picture = outbox_.LoadPicture(key, row.picture); picture.ok()) message->picture = *std::move(picture);
  }
  ++num_running_;
  ++running_of_[key.owner];
  lane.receiver->Deliver(message, [box = box_, key, row = std::move(row)](Outcome outcome) {
    box->Put([&](Mail& mail) { mail.ended.push_back({key, row, std::move(outcome)}); });
  });
}

/// Starts one message; true when it did, and there may be another.
bool Notifier::Loop::ServeOne(const ReceiverKey& key, Lane& lane) {
  if (lane.resume > clock_.Monotonic()) return false;
  if (running_of_[key.owner] >= options_.max_running_an_owner) {
    held_back_[key.owner].insert(key);
    return false;
  }
  if (!Load(key, lane)) return false;
  if (lane.WantsPage() && !FillLane(key, lane)) return false;
  std::optional<OutboxRow> row = lane.Next();
  if (!row.has_value()) return false;
  Send(key, lane, *std::move(row));
  return true;
}

void Notifier::Loop::Serve() {
  while (!ready_.empty() && num_running_ < options_.max_running) {
    const ReceiverKey key = std::move(ready_.front());
    ready_.pop_front();
    in_ready_.erase(key);
    const auto at = lanes_.find(key);
    if (at == lanes_.end()) continue;
    if (ServeOne(key, at->second)) {
      Ready(key);
    } else {
      EraseIfIdle(key);
    }
  }
}

/// Gives up what is too old, a page at a time, the oldest first: a receiver that is down does not fill the disk. The
/// next page when this one is settled.
void Notifier::Loop::Expire(const ReceiverKey& key, Lane& lane, const std::string& error) {
  Result<OutboxPage> page = outbox_.Take(key, lane.PageWanted(kExpirePage));
  const Time before = *lane.expire_before;
  lane.expire_before.reset();
  if (!page.ok()) return;  // the next failure asks again
  for (const OutboxRow& row : lane.Expire(*std::move(page), before)) {
    lane.expire_before = before;
    Count(&NotifierStats::num_dead);
    Submit({Mark::Kind::kDead, key, row.id, row.due, "too old: " + error});
  }
}

void Notifier::Loop::Submit(const Mark& mark) {
  const auto done = [box = box_, mark](const Status& status) {
    box->Put([&](Mail& mail) { mail.marked.push_back({mark, status}); });
  };
  switch (mark.kind) {
    case Mark::Kind::kDelivered:
      return outbox_.Delivered(mark.key, mark.id, done);
    case Mark::Kind::kFailed:
      return outbox_.Failed(mark.key, mark.id, mark.due, mark.error, done);
    case Mark::Kind::kDead:
      return outbox_.Dead(mark.key, mark.id, mark.error, done);
  }
}

void Notifier::Loop::OnMarked(const Marked& marked) {
  if (!marked.status.ok() && marked.status.code() != StatusCode::kNotFound) {
    // It is known here but not there; sending it again would not help. The outbox is told again instead.
    Count(&NotifierStats::num_unsettled);
    unsettled_.emplace(clock_.Monotonic() + kOutboxRetry, marked.mark);
    return;
  }
  const auto at = lanes_.find(marked.mark.key);
  if (at == lanes_.end()) return;
  Lane& lane = at->second;
  lane.Settled(marked.mark.id);
  if (lane.expire_before.has_value() && !lane.has_unsettled()) Expire(marked.mark.key, lane, ErrorOf(marked.mark.key));
  Ready(marked.mark.key);
}

void Notifier::Loop::OnEnded(Ended ended) {
  --num_running_;
  if (--running_of_[ended.key.owner] == 0) running_of_.erase(ended.key.owner);
  if (auto held = held_back_.extract(ended.key.owner); !held.empty()) {
    for (const ReceiverKey& key : held.mapped()) Ready(key);
  }
  Lane& lane = lanes_.at(ended.key);  // not erased while it has something under way
  Mark mark{Mark::Kind::kDelivered, ended.key, ended.row.id, ended.row.due, ended.outcome.error};
  if (ended.outcome.kind == Outcome::Kind::kDelivered) {
    if (lane.failures() > 0) LogInfo("notify.receiver_works", {{"receiver", ended.key.receiver}});
    lane.Succeeded(ended.row.id);
    Count(&NotifierStats::num_delivered);
    {
      MutexLock lock(box_->mu);
      box_->troubles.erase(ended.key);
    }
    Ready(ended.key);
    return Submit(mark);
  }
  Count(&NotifierStats::num_failed);
  const AttemptView view = lane.FailedOnce(ended.row, ended.outcome.kind, clock_.Now());
  const Decision decision = Decide(options_.retry, ended.outcome, view, dice_.Uniform());
  mark.kind = decision.action == Action::kDead ? Mark::Kind::kDead : Mark::Kind::kFailed;
  if (decision.action == Action::kDead) {
    if (view.age >= options_.retry.give_up) lane.expire_before = clock_.Now() - options_.retry.give_up;
    Count(&NotifierStats::num_dead);
    LogWarning("notify.message_dead", {{"receiver", ended.key.receiver}, {"error", ended.outcome.error}});
  }
  if (decision.action == Action::kSwitchOff) {
    Count(&NotifierStats::num_switched_off);
    LogWarning("notify.receiver_switched_off", {{"receiver", ended.key.receiver}, {"error", ended.outcome.error}});
    lane.receiver.reset();
    outbox_.SwitchOff(ended.key, ended.outcome.error, [](const Status&) {});  // not done, the next answer says it again
  }
  Pause(ended.key, lane, decision.wait, ended.outcome.error);
  Submit(mark);
}

void Notifier::Loop::OnChanged(const ReceiverKey& key) {
  Lane* lane = LaneOf(key);
  if (lane == nullptr) return;
  lane->receiver.reset();  // before the new one is made: a broker knows one client of that name
  lane->Forget();
  lane->ClearFailures();
  lane->resume = nanoseconds{0};
  Ready(key);
  MutexLock lock(box_->mu);
  box_->troubles.erase(key);
}

void Notifier::Loop::OnTest(Test test) {
  Lane* lane = LaneOf(test.key);
  if (lane == nullptr) return test.done(notify::Failed("too many receivers are being served"));
  if (!Load(test.key, *lane)) {
    EraseIfIdle(test.key);
    return test.done(notify::Failed("the receiver is switched off, or its document cannot be used"));
  }
  lane->receiver->Deliver(std::make_shared<const Message>(std::move(test.message)),
                          [box = box_, key = test.key, done = std::move(test.done)](const Outcome& outcome) {
                            const bool works = outcome.kind == Outcome::Kind::kDelivered;
                            if (works) box->Put([&](Mail& mail) { mail.tested.insert(key); });
                            done(outcome);
                          });
  Ready(test.key);
}

void Notifier::Loop::OnAnnouncement(Announcement announcement) {
  Lane* lane = LaneOf(announcement.key);
  if (lane == nullptr) return;
  if (lane->receiver != nullptr) lane->receiver->Announce(lane->inventory, announcement.cameras);
  lane->inventory = std::move(announcement.cameras);
  (void)Load(announcement.key, *lane);  // a new one is told in there
  Ready(announcement.key);
}

void Notifier::Loop::Sweep() {
  const Result<std::vector<ReceiverKey>> keys = outbox_.Pending(sweep_after_, kSweepPage);
  next_sweep_ = clock_.Monotonic() + options_.sweep;
  if (!keys.ok()) return LogWarning("notify.outbox_unreadable", {{"error", keys.status().ToString()}});
  for (const ReceiverKey& key : *keys) {
    Lane* lane = LaneOf(key);
    if (lane == nullptr) break;
    lane->has_more = true;
    Ready(key);
  }
  sweep_after_ = keys->size() < static_cast<size_t>(kSweepPage) ? ReceiverKey{} : keys->back();
  if (sweep_after_ != ReceiverKey{}) next_sweep_ = clock_.Monotonic();  // the next page at once
}

void Notifier::Loop::OnTime() {
  const nanoseconds now = clock_.Monotonic();
  while (!timers_.empty() && timers_.begin()->first <= now) {
    Ready(timers_.begin()->second);
    timers_.erase(timers_.begin());
  }
  while (!unsettled_.empty() && unsettled_.begin()->first <= now) {
    const auto node = unsettled_.extract(unsettled_.begin());
    Submit(node.mapped());
  }
  if (next_sweep_ <= now) Sweep();
}

nanoseconds Notifier::Loop::NextTime() const {
  nanoseconds next = next_sweep_;
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  if (!unsettled_.empty()) next = std::min(next, unsettled_.begin()->first);
  return next;
}

/// False when the thread is to end.
bool Notifier::Loop::TakeMail() {
  Mail mail;
  {
    MutexLock lock(box_->mu);
    box_->stats.num_running = num_running_;
    box_->stats.num_receivers = lanes_.size();
    const nanoseconds until = NextTime();
    while (box_->mail.empty() && clock_.Monotonic() < until) clock_.WaitUntil(box_->mu, box_->cv, until);
    std::swap(mail, box_->mail);
  }
  if (mail.closing) return false;
  for (Ended& ended : mail.ended) OnEnded(std::move(ended));
  for (const Marked& marked : mail.marked) OnMarked(marked);
  for (const ReceiverKey& key : mail.changed) OnChanged(key);
  for (Announcement& announcement : mail.announcements) OnAnnouncement(std::move(announcement));
  for (Test& test : mail.tests) OnTest(std::move(test));
  for (const ReceiverKey& key : mail.tested) {
    if (lanes_.count(key) != 0 && lanes_.at(key).failures() > 0) OnChanged(key);
  }
  for (const ReceiverKey& key : mail.woken) {
    Lane* lane = LaneOf(key);
    if (lane == nullptr) continue;
    lane->has_more = true;
    Ready(key);
  }
  return true;
}

void Notifier::Loop::Run() {
  while (TakeMail()) {
    OnTime();
    Serve();
  }
  lanes_.clear();
}

Notifier::Notifier(Outbox& outbox, Maker maker, const Clock& clock, const NotifierOptions& options)
    : loop_(std::make_unique<Loop>(outbox, std::move(maker), clock, options)) {}
Notifier::~Notifier() = default;

std::function<void(const ReceiverKey&)> Notifier::Waker() const {
  return [box = loop_->box()](const ReceiverKey& key) { box->Put([&](Mail& mail) { mail.woken.insert(key); }); };
}

void Notifier::Wake(const ReceiverKey& key) {
  loop_->box()->Put([&](Mail& mail) { mail.woken.insert(key); });
}

void Notifier::Changed(const ReceiverKey& key) {
  loop_->box()->Put([&](Mail& mail) { mail.changed.insert(key); });
}

void Notifier::SendTest(const ReceiverKey& key, Message message, std::function<void(Outcome)> done) {
  static constexpr size_t kMaxTests = 256;
  bool full = false;
  loop_->box()->Put([&](Mail& mail) {
    full = mail.tests.size() >= kMaxTests;
    if (!full) mail.tests.push_back({key, std::move(message), std::move(done)});
  });
  if (full) done(Failed("too many tests at once"));
}

void Notifier::Announce(const ReceiverKey& key, std::vector<CameraInventory> cameras) {
  loop_->box()->Put([&](Mail& mail) { mail.announcements.push_back({key, std::move(cameras)}); });
}

std::optional<Trouble> Notifier::TroubleOf(const ReceiverKey& key) const {
  Box& box = *loop_->box();
  MutexLock lock(box.mu);
  const auto at = box.troubles.find(key);
  return at == box.troubles.end() ? std::nullopt : std::optional(at->second);
}

NotifierStats Notifier::Stats() const {
  Box& box = *loop_->box();
  MutexLock lock(box.mu);
  return box.stats;
}

}  // namespace pawsight::notify
