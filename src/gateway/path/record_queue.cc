#include "gateway/path/record_queue.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace pawsight::gateway {
namespace {

/// Trying again may help.
bool MayPass(StatusCode code) {
  return code == StatusCode::kResourceExhausted || code == StatusCode::kUnavailable || code == StatusCode::kDataLoss ||
         code == StatusCode::kDeadlineExceeded || code == StatusCode::kInternal;
}

bool SameRule(const RecordEntry& a, const RecordEntry& b) {
  return a.rule == b.rule && a.camera == b.camera && a.owner == b.owner;
}

}  // namespace

RecordQueue::Counts RecordQueue::counts() const {
  MutexLock lock(mu_);
  Counts counts = counts_;
  counts.waiting = waiting_.size();
  return counts;
}

void RecordQueue::Keep(Waiting write) {
  for (RecordEntry& entry : write.entries) entry.picture.reset();  // the alert matters, and memory is bounded
  const auto first = waiting_.begin() + (retrying_ ? 1 : 0);       // the front may be at the Record just now
  const auto later =
      std::find_if(first, waiting_.end(), [&](const Waiting& other) { return other.number > write.number; });
  waiting_.insert(later, std::move(write));
  if (waiting_.size() <= kMaxWaiting) return;
  waiting_.erase(waiting_.begin() + (retrying_ ? 1 : 0));
  if (counts_.given_up++ == 0) LogError("events.given_up", {{"reason", "too many wait for the store"}});
}

void RecordQueue::DropOlderStates(const Waiting& written) {
  for (Waiting& other : waiting_) {
    if (other.number > written.number) continue;
    for (RecordEntry& entry : other.entries) {
      const bool newer = std::any_of(written.entries.begin(), written.entries.end(), [&](const RecordEntry& by) {
        return by.state.has_value() && SameRule(entry, by);
      });
      if (newer) entry.state.reset();
    }
  }
}

void RecordQueue::Write(std::vector<RecordEntry> entries, Told told) {
  if (record_ == nullptr) return told(std::vector<std::string>(entries.size()));
  Waiting write;
  write.entries = std::move(entries);
  Status refused;
  {
    MutexLock lock(mu_);
    write.number = next_number_++;
    if (waiting_.empty()) {
      ++counts_.in_flight;
    } else {
      refused = trouble_;
      ++counts_.refused;
      Keep(std::move(write));
    }
  }
  if (!refused.ok()) {
    Retry();
    return told(std::move(refused));
  }
  std::vector<RecordEntry> copy = write.entries;
  for (RecordEntry& entry : write.entries) entry.picture.reset();  // a frame's bytes do not wait for the commit
  record_->Write(std::move(copy), [self = shared_from_this(), write = std::move(write),
                                   told = std::move(told)](const Outcome& outcome) mutable {
    self->OnWritten(std::move(write), outcome);
    told(outcome);
  });
}

void RecordQueue::OnWritten(Waiting write, const Outcome& outcome) {
  MutexLock lock(mu_);
  --counts_.in_flight;
  if (outcome.ok()) {
    ++counts_.written;
    if (!waiting_.empty()) DropOlderStates(write);
    return;
  }
  if (!MayPass(outcome.status().code())) {
    ++counts_.unfit;
    return LogWarning("events.not_taken", {{"reason", outcome.status().ToString()}});
  }
  ++counts_.refused;
  if (waiting_.empty()) LogError("events.not_recorded", {{"reason", outcome.status().ToString()}});
  trouble_ = outcome.status();
  Keep(std::move(write));
}

void RecordQueue::Retry() {
  std::vector<RecordEntry> entries;
  {
    MutexLock lock(mu_);
    if (retrying_ || waiting_.empty()) return;
    retrying_ = true;
    entries = waiting_.front().entries;
  }
  record_->Write(std::move(entries), [self = shared_from_this()](const Outcome& outcome) { self->OnRetried(outcome); });
}

void RecordQueue::OnRetried(const Outcome& outcome) {
  {
    MutexLock lock(mu_);
    retrying_ = false;
    if (!outcome.ok() && MayPass(outcome.status().code())) {
      trouble_ = outcome.status();
      return;
    }
    waiting_.pop_front();
    outcome.ok() ? ++counts_.written : ++counts_.unfit;
    if (waiting_.empty()) LogInfo("events.recording_again");
  }
  Retry();
}

}  // namespace pawsight::gateway
