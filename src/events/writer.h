// events/writer.h: the one thread that writes: a bounded queue of batches, a group of them to a commit. For
// events/store.cc, whose header says what callers may count on. Thread-safe.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "events/apply.h"
#include "events/connection.h"
#include "events/store.h"
#include "events/sweep.h"

namespace pawsight::events {

/// Most batches, and about most bytes, of one commit: what more waits for the next.
inline constexpr size_t kGroupBatches = 512;
inline constexpr size_t kGroupBytes = size_t{8} << 20U;

class Writer {
 public:
  /// `connection` is a writing one to `path`. Options as the store's, `clock` set.
  Writer(std::string path, const StoreOptions& options, std::unique_ptr<Connection> connection, std::string store_name);
  ~Writer() { Close(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// Refuses from now on; returns when what was taken is written and told. A second call waits for the first.
  void Close() EXCLUDES(mu_, close_mu_);

  void Submit(WriteBatch batch, Store::Done done) EXCLUDES(mu_);
  /// One step of the sweeper, behind what waits already; the receipt's one number is what it removed.
  void SubmitSweep(Store::Done done) EXCLUDES(mu_);
  void SetPendingListener(Store::PendingListener listener) EXCLUDES(mu_);
  StoreStats Stats() const EXCLUDES(mu_);
  bool OnWriterThread() const { return std::this_thread::get_id() == writer_id_.load(); }

 private:
  struct Item {
    WriteBatch batch;  // empty: a step of the sweeper
    Store::Done done;  // may be null
    size_t bytes = 0;
    std::chrono::nanoseconds submitted{0};
    Result<Receipt> result{Receipt{}};
  };

  void Enqueue(Item item) EXCLUDES(mu_);
  void Run();
  /// Waits for batches or the time to sweep. False when closing and nothing is left.
  bool TakeGroup(std::vector<Item>& group) EXCLUDES(mu_);
  void WriteGroup(std::vector<Item>& group);
  /// The transaction of a group, on a full disk a second time once the log is folded into the file.
  Status Commit(std::vector<Item>& group, Consequences& consequences);
  /// OK once what succeeded in the group is on disk.
  Status CommitOnce(std::vector<Item>& group, Consequences& consequences);
  /// One batch behind its savepoint, into item.result. An error when the whole transaction is lost.
  Status ApplyItem(Item& item, Consequences& consequences);
  Result<Receipt> Perform(const Item& item, Consequences& consequences);
  /// Moves what the log holds into the file and empties the log.
  Status FoldLog();
  /// Whether there is a connection that may be trusted; opens it again after a failure of the disk.
  Status Ready();
  void Use(std::unique_ptr<Connection> connection);
  void Report(const Status& status, const std::vector<Item>& group, std::chrono::nanoseconds took) EXCLUDES(mu_);

  const std::string path_;
  const StoreOptions options_;
  const std::string store_name_;

  // Used by the writer thread only.
  std::unique_ptr<Connection> connection_;
  std::optional<Applier> applier_;
  std::optional<Sweeper> sweeper_;
  bool full_ = false;  // the disk was, at the last commit
  Status broken_;      // why the connection is not to be trusted
  std::chrono::nanoseconds reopen_at_{0};
  std::chrono::nanoseconds sweep_at_{0};
  std::chrono::nanoseconds look_at_{0};  // for the file, when nothing is written

  mutable Mutex mu_;
  CondVar wake_;
  std::deque<Item> queue_ GUARDED_BY(mu_);
  size_t queue_bytes_ GUARDED_BY(mu_) = 0;
  bool closing_ GUARDED_BY(mu_) = false;
  StoreStats stats_ GUARDED_BY(mu_);
  Store::PendingListener listener_ GUARDED_BY(mu_);

  Mutex close_mu_;  // who closes; before mu_
  std::atomic<std::thread::id> writer_id_{};  // nobody, once it has ended
  std::thread thread_;  // last: uses all of the above
};

}  // namespace pawsight::events
