#include "gateway/api/violations.h"

#include <utility>

#include "base/json.h"
#include "base/log.h"

namespace pawsight::gateway {
namespace {

events::Audit LineOf(const ForeignTry& foreign, const std::string& id, uint64_t left_out) {
  Json after(Json::Object{{"owner", foreign.owner}});
  if (!foreign.device.empty()) after.Set("device", foreign.device);
  if (left_out > 0) after.Set("left_out", static_cast<int64_t>(left_out));
  events::AuditEntry entry;
  entry.who = foreign.credential;
  entry.action = "tenant_violation";
  entry.object = id;
  entry.after = after.Dump();
  return {std::move(entry)};
}

}  // namespace

std::optional<uint64_t> ViolationLines::Admit(const std::string& owner, std::chrono::nanoseconds now) {
  // Of one first: who has none left takes nothing from the others.
  if (of_one_.Take(owner, now).count() > 0 || of_all_.Take("", now).count() > 0) {
    ++left_out_;
    return std::nullopt;
  }
  return std::exchange(left_out_, 0);
}

bool ViolationDoor::Put(ForeignTry foreign) {
  MutexLock lock(mu_);
  if (ending_ || waiting_.size() >= kMaxWaiting) return false;
  size_t& of_one = of_owner_[foreign.owner];  // as many as wait at most
  if (of_one >= kMaxWaitingOfOne) return false;
  ++of_one;
  waiting_.push_back(std::move(foreign));
  changed_.NotifyAll();
  return true;
}

Violations::Violations(events::Store& store, const Clock& clock, std::shared_ptr<ViolationDoor> door, Found found)
    : store_(store), clock_(clock), door_(std::move(door)), found_(std::move(found)), thread_([this] { Run(); }) {}

Violations::~Violations() {
  {
    MutexLock lock(door_->mu_);
    door_->ending_ = true;
    door_->changed_.NotifyAll();
  }
  thread_.join();
}

void Violations::Run() {
  while (const std::optional<std::deque<ForeignTry>> tries = Await()) Look(*tries);
}

std::optional<std::deque<ForeignTry>> Violations::Await() {
  MutexLock lock(door_->mu_);
  while (!door_->ending_) {
    if (door_->waiting_.empty() || door_->writing_) {
      door_->changed_.Wait(door_->mu_);
    } else if (clock_.Monotonic() < next_) {
      clock_.WaitUntil(door_->mu_, door_->changed_, next_);
    } else {
      break;
    }
  }
  if (door_->waiting_.empty()) return std::nullopt;
  next_ = clock_.Monotonic() + kRoundEvery;
  door_->of_owner_.clear();
  return std::exchange(door_->waiting_, {});
}

std::string Violations::ForeignIdOf(const ForeignTry& foreign) const {
  if (foreign.known) return foreign.ids.front();
  for (const std::string& id : foreign.ids) {
    const Result<std::string> owner = store_.OwnerOf(id);
    if (owner.ok() && *owner != foreign.owner) return id;
  }
  return {};
}

void Violations::Look(const std::deque<ForeignTry>& tries) {
  events::WriteBatch batch;
  for (const ForeignTry& foreign : tries) {
    const std::string id = ForeignIdOf(foreign);
    if (id.empty()) continue;
    found_(foreign);
    const std::optional<uint64_t> left_out = lines_.Admit(foreign.owner, clock_.Monotonic());
    if (!left_out) continue;
    LogWarning("tenant_violation", {{"credential", foreign.credential},
                                    {"owner", foreign.owner},
                                    {"device", foreign.device},
                                    {"object", id},
                                    {"left_out_before", std::to_string(*left_out)}});
    batch.emplace_back(LineOf(foreign, id, *left_out));
  }
  if (batch.empty()) return;
  {
    MutexLock lock(door_->mu_);
    door_->writing_ = true;
  }
  store_.Submit(std::move(batch), [door = door_](const Result<events::Receipt>& receipt) {
    if (!receipt.ok()) LogWarning("audit_not_written", {{"reason", receipt.status().message()}});  // the log has them
    MutexLock lock(door->mu_);
    door->writing_ = false;
    door->changed_.NotifyAll();
  });
}

}  // namespace pawsight::gateway
