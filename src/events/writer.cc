#include "events/writer.h"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/log.h"

namespace pawsight::events {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr nanoseconds kReopenPause = seconds(1);      // between attempts after the disk has failed
constexpr nanoseconds kLookPause = seconds(4);        // between looks whether the file is still there
constexpr nanoseconds kSweepPause = seconds(60);      // when nothing was left to remove
constexpr nanoseconds kSweepStep = milliseconds(20);  // between steps while there is

/// An error of the file or the disk, and not of the batch that met it.
bool IsOfTheFile(const Status& status) { return status.code() == StatusCode::kDataLoss; }

}  // namespace

Writer::Writer(std::string path, const StoreOptions& options, std::unique_ptr<Connection> connection,
               std::string store_name)
    : path_(std::move(path)), options_(options), store_name_(std::move(store_name)) {
  Use(std::move(connection));
  const nanoseconds now = options_.clock->Monotonic();
  sweep_at_ = now + kSweepPause;
  look_at_ = now + kLookPause;
  thread_ = std::thread([this] { Run(); });
  writer_id_ = thread_.get_id();  // asked for by those who have the store, which is not given out before
}

void Writer::Close() {
  MutexLock closing(close_mu_);
  {
    MutexLock lock(mu_);
    closing_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  writer_id_ = std::thread::id();  // ids are given again
}

void Writer::Use(std::unique_ptr<Connection> connection) {
  applier_.reset();
  sweeper_.reset();
  connection_ = std::move(connection);
  applier_.emplace(*connection_, store_name_);
  sweeper_.emplace(*connection_, options_.retention);
}

void Writer::SetPendingListener(Store::PendingListener listener) {
  MutexLock lock(mu_);
  listener_ = std::move(listener);
}

void Writer::Submit(WriteBatch batch, Store::Done done) {
  Result<size_t> bytes = CheckBatch(batch);
  if (!bytes.ok()) {
    if (done != nullptr) done(bytes.status());
    return;
  }
  Enqueue({.batch = std::move(batch), .done = std::move(done), .bytes = *bytes});
}

void Writer::SubmitSweep(Store::Done done) { Enqueue({.done = std::move(done)}); }

void Writer::Enqueue(Item item) {
  item.submitted = options_.clock->Monotonic();
  Status refused;
  {
    MutexLock lock(mu_);
    if (closing_) {
      refused = Unavailable("events: the store is closing", "closing");
    } else if (queue_.size() >= options_.queue_limit || queue_bytes_ + item.bytes > options_.queue_bytes) {
      refused = ResourceExhausted("events: too many batches wait for the disk", "queue_full");
      ++stats_.num_refused;
    } else {
      queue_bytes_ += item.bytes;
      queue_.push_back(std::move(item));
    }
  }
  if (refused.ok()) {
    wake_.NotifyOne();
  } else if (item.done != nullptr) {
    item.done(refused);
  }
}

bool Writer::TakeGroup(std::vector<Item>& group) {
  MutexLock lock(mu_);
  nanoseconds now = options_.clock->Monotonic();
  while (queue_.empty() && !closing_ && now < std::min(sweep_at_, look_at_)) {
    options_.clock->WaitUntil(mu_, wake_, std::min(sweep_at_, look_at_));
    now = options_.clock->Monotonic();
  }
  size_t bytes = 0;
  while (!queue_.empty() && group.size() < kGroupBatches && bytes < kGroupBytes) {
    bytes += queue_.front().bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queue_bytes_ -= bytes;
  if (closing_) return !group.empty();
  if (now >= sweep_at_) group.push_back({});
  return true;
}

void Writer::Run() {
  std::vector<Item> group;
  while (TakeGroup(group)) {
    WriteGroup(group);
    group.clear();
  }
}

void Writer::WriteGroup(std::vector<Item>& group) {
  const nanoseconds start = options_.clock->Monotonic();
  look_at_ = start + kLookPause;
  Consequences consequences;
  const Status status = Commit(group, consequences);
  if (!status.ok()) {
    for (Item& item : group) {
      if (item.result.ok()) item.result = status;
    }
    consequences = {};
  }
  const nanoseconds now = options_.clock->Monotonic();
  Report(status, group, now - start);
  for (const Item& item : group) {
    if (!item.batch.empty()) continue;
    const bool more = item.result.ok() && item.result->front().number > 0;
    sweep_at_ = now + (more ? kSweepStep : kSweepPause);
  }
  if (consequences.removals) sweep_at_ = now;
  if (status.ok() && (sweeper_->TakeErased() || consequences.fold_log)) {
    // The log still has what was erased. Busy readers may keep it a little longer; the next checkpoint overwrites it.
    (void)FoldLog();
  }
  for (Item& item : group) {
    if (item.done != nullptr) item.done(std::move(item.result));
  }
  if (consequences.pending.empty()) return;
  Store::PendingListener listener;
  {
    MutexLock lock(mu_);
    listener = listener_;
  }
  if (listener == nullptr) return;
  std::vector<PendingReceiver> pending;
  for (const auto& [owner, receiver] : consequences.pending) pending.push_back({.owner = owner, .receiver = receiver});
  listener(pending);
}

Status Writer::FoldLog() {
  return Execute(connection_->db(), "PRAGMA wal_checkpoint(TRUNCATE)", "events: fold in the log");
}

Status Writer::Commit(std::vector<Item>& group, Consequences& consequences) {
  // The log may be most of what fills a small disk, and folding it in needs some space itself: as long as the disk was
  // full, what space there is goes to that first.
  if (full_) PAWSIGHT_RETURN_IF_ERROR(FoldLog());
  Status status = CommitOnce(group, consequences);
  if (!full_ && status.reason() == "disk_full" && FoldLog().ok()) {
    for (Item& item : group) item.result = Receipt{};
    consequences = {};
    status = CommitOnce(group, consequences);
  }
  full_ = status.reason() == "disk_full";
  return status;
}

Status Writer::CommitOnce(std::vector<Item>& group, Consequences& consequences) {
  PAWSIGHT_RETURN_IF_ERROR(Ready());
  if (group.empty()) return Ok();
  Status status = Execute(connection_->db(), "BEGIN IMMEDIATE", "events");
  for (size_t i = 0; i < group.size() && status.ok(); ++i) status = ApplyItem(group[i], consequences);
  if (status.ok()) status = Execute(connection_->db(), "COMMIT", "events");
  if (!status.ok()) {
    // SQLite has rolled back already after some errors, and then this one fails; the first error is the one to tell.
    (void)Execute(connection_->db(), "ROLLBACK", "events");
    if (IsOfTheFile(status)) broken_ = status;
  }
  return status;
}

Status Writer::ApplyItem(Item& item, Consequences& consequences) {
  PAWSIGHT_RETURN_IF_ERROR(connection_->Change("SAVEPOINT batch").status());
  Consequences own;
  item.result = Perform(item, own);
  if (item.result.ok()) {
    PAWSIGHT_RETURN_IF_ERROR(connection_->Change("RELEASE batch").status());
    consequences.pending.merge(own.pending);
    consequences.removals = consequences.removals || own.removals;
    consequences.fold_log = consequences.fold_log || own.fold_log;
    return Ok();
  }
  const bool transaction_lost = sqlite3_get_autocommit(connection_->db()) != 0;
  if (transaction_lost || IsOfTheFile(item.result.status())) return item.result.status();
  PAWSIGHT_RETURN_IF_ERROR(connection_->Change("ROLLBACK TO batch").status());
  return connection_->Change("RELEASE batch").status();
}

Result<Receipt> Writer::Perform(const Item& item, Consequences& consequences) {
  const Time now = options_.clock->Now();
  if (!item.batch.empty()) return applier_->Apply(item.batch, now, consequences);
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t removed, sweeper_->Step(now));
  return Receipt{{.number = removed}};
}

Status Writer::Ready() {
  if (!broken_.ok()) {
    // Damage does not heal. After a failed write or sync, what the connection believes of the file may be wrong; a new
    // one reads the log again and takes only what is whole.
    const nanoseconds now = options_.clock->Monotonic();
    if (broken_.reason() != "disk_error" || now < reopen_at_) return broken_;
    reopen_at_ = now + kReopenPause;
    Result<std::unique_ptr<Connection>> opened = Connection::Open(
        path_,
        {.write = true, .lock_wait = options_.lock_wait, .durable = options_.durable, .max_bytes = options_.max_bytes});
    if (!opened.ok()) return broken_;
    const Result<std::string> name = (*opened)->StoreName();
    if (!name.ok() || *name != store_name_) return broken_;  // another store stands in its place
    Use(std::move(*opened));
    broken_ = Ok();
  }
  return connection_->CheckFile();
}

void Writer::Report(const Status& status, const std::vector<Item>& group, nanoseconds took) {
  bool changed = false;
  {
    MutexLock lock(mu_);
    changed = stats_.writable.ok() != status.ok();
    stats_.writable = status;
    uint64_t committed = 0;
    for (const Item& item : group) {
      if (item.batch.empty()) continue;
      if (item.result.ok()) {
        ++committed;
      } else {
        ++stats_.num_failed;
      }
    }
    stats_.num_batches += committed;
    if (committed > 0) {
      ++stats_.num_commits;
      stats_.commit_time += took;
    }
  }
  if (!changed) return;
  if (status.ok()) {
    LogInfo("events.writing_again");
  } else {
    LogError("events.not_written", {{"reason", status.ToString()}});
  }
}

StoreStats Writer::Stats() const {
  StoreStats stats;
  {
    MutexLock lock(mu_);
    stats = stats_;
    stats.queue_length = queue_.size();
    stats.queue_bytes = queue_bytes_;
    if (!queue_.empty()) stats.queue_oldest = options_.clock->Monotonic() - queue_.front().submitted;
  }
  std::error_code none;
  const auto size = std::filesystem::file_size(path_, none);
  stats.file_bytes = none ? 0 : static_cast<int64_t>(size);
  return stats;
}

}  // namespace pawsight::events
