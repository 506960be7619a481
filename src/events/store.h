// events/store.h: events on disk, in one SQLite file. Append returns only once the event is committed and synced, so
// what it acknowledged survives kill -9 and power loss (as far as the disk keeps its word). The layout is
// docs/event-store.md. Not here: delivering events (notify), what an alert is (rules). Thread-safe: one connection
// behind one mutex. Other processes may read and write the same file.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "events/event.h"

struct sqlite3;

namespace pawsight::events {

struct StoreOptions {
  std::chrono::milliseconds lock_wait{5000};  // longest wait for another process that holds the file
  int64_t max_bytes = 0;                      // the file grows no larger; 0: as large as the disk lets it
};

/// Most events one List returns, whatever was asked for, and the largest `detail`.
inline constexpr int kMaxListed = 1000;
inline constexpr size_t kMaxDetailBytes = 64U << 10U;

class Store {
 public:
  /// Opens the file, makes it when it is not there (its directory must be), brings an older schema up to date: one
  /// transaction a step, after a copy of the file is put beside it (`PATH.schema-N.bak`).
  /// Errors: kFailedPrecondition, `schema_newer`: written by a newer program; use that one. kDataLoss, not SQLite or
  /// damaged; move it away to start a new one. kUnavailable, locked for longer than lock_wait, or not to be opened
  /// (missing directory, permission). kResourceExhausted, the disk is full.
  static Result<std::unique_ptr<Store>> Open(const std::string& path, const StoreOptions& options = {});
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// The event as stored, with its sequence and id. It is on disk when this returns OK, and not there otherwise.
  /// Errors: kInvalidArgument, no type, or a detail of more than kMaxDetailBytes. kResourceExhausted, `disk_full`.
  /// kUnavailable, `locked`: held by another process for lock_wait. kDataLoss, the file is damaged or the disk failed:
  /// after a failed sync nothing is known of what was written, so all further calls are refused; open it again.
  /// Cost: one fsync, 1-10 ms on a disk.
  Result<Event> Append(const Event& event) EXCLUDES(mu_);

  /// Events with sequence > after, oldest first, at most min(limit, kMaxListed).
  /// Errors: kInvalidArgument, limit < 1. kUnavailable, kDataLoss as Append's.
  Result<std::vector<Event>> List(int64_t after, int limit) EXCLUDES(mu_);
  /// The newest min(limit, kMaxListed) events, oldest first.
  Result<std::vector<Event>> ListNewest(int limit) EXCLUDES(mu_);

 private:
  Store(sqlite3* db, std::string path) : path_(std::move(path)), db_(db) {}
  Status Usable() const REQUIRES(mu_);
  Result<int64_t> Insert(const Event& event, const std::string& detail) REQUIRES(mu_);
  Result<std::vector<Event>> Select(const char* sql, int64_t after, int limit) REQUIRES(mu_);
  /// Remembers a failure after which the connection is not to be trusted.
  Status Failed(Status status) REQUIRES(mu_);

  const std::string path_;
  std::string id_prefix_;  // set in Open
  Mutex mu_;
  sqlite3* const db_ GUARDED_BY(mu_);
  Status broken_ GUARDED_BY(mu_);
};

}  // namespace pawsight::events
