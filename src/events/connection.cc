#include "events/connection.h"

#include <sqlite3.h>

#include <algorithm>

#include "base/log.h"
#include "events/schema.h"

namespace pawsight::events {
namespace {

/// A file up to this large is checked page by page when opened; that takes about 0.1 s at most.
constexpr int64_t kCheckedBytes = 16LL << 20;
constexpr int64_t kIncremental = 2;  ///< what PRAGMA auto_vacuum calls it

Status CheckPages(sqlite3* db) {
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t pages, QueryInteger(db, "PRAGMA page_count"));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t page_size, QueryInteger(db, "PRAGMA page_size"));
  if (pages * page_size > kCheckedBytes) return Ok();
  PAWSIGHT_ASSIGN_OR_RETURN(Statement check, Statement::Prepare(db, "PRAGMA quick_check(1)"));
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, check.Step());
  if (row && check.Text(0) == "ok") return Ok();
  return DataLoss(
      "events: the file is damaged (" + (row ? check.Text(0) : "no result") + "); move it away to start a new one",
      "corrupt");
}

/// Lets deleted pages be given back in small steps. A file of an older schema was made without; it is rewritten once.
Status AllowShrinking(sqlite3* db, const std::string& path) {
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t mode, QueryInteger(db, "PRAGMA auto_vacuum"));
  if (mode == kIncremental) return Ok();
  const Status done = Execute(db, "PRAGMA auto_vacuum=INCREMENTAL; VACUUM", path);
  if (!done.ok()) LogWarning("events.cannot_shrink", {{"reason", done.ToString()}});
  return Ok();  // the next opening tries again
}

const char* Synchronous(const ConnectionOptions& options) {
  return options.durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF";
}

/// Also of a connection that reads: the last to close folds the log in, which waits for the disk, or does not.
Status PrepareToRead(sqlite3* db, const std::string& path, const ConnectionOptions& options) {
  PAWSIGHT_RETURN_IF_ERROR(Execute(db, Synchronous(options), path));
  return Execute(db, "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF; SELECT name FROM store", path);
}

Status PrepareToWrite(sqlite3* db, const std::string& path, const ConnectionOptions& options) {
  // synchronous comes before all that writes. auto_vacuum must come next: it holds for files without a page. Setting
  // what is set already would write a page, and a store whose disk is full could not be opened. temp_store: what a
  // savepoint would undo is kept in memory; in a file it was 30 writes an alert, and half the time. The log is folded
  // in every 16 MiB: more would make the one commit that does it slow, less would do it often.
  PAWSIGHT_RETURN_IF_ERROR(Execute(db, Synchronous(options), path));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t vacuum_mode, QueryInteger(db, "PRAGMA auto_vacuum"));
  if (vacuum_mode != kIncremental) PAWSIGHT_RETURN_IF_ERROR(Execute(db, "PRAGMA auto_vacuum=INCREMENTAL", path));
  PAWSIGHT_RETURN_IF_ERROR(Execute(db,
                                   "PRAGMA journal_mode=WAL;"
                                   "PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=4000;"
                                   "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16384;"
                                   "PRAGMA trusted_schema=OFF",
                                   path));
  PAWSIGHT_RETURN_IF_ERROR(CheckPages(db));
  if (options.max_bytes > 0) {
    PAWSIGHT_ASSIGN_OR_RETURN(const int64_t page_size, QueryInteger(db, "PRAGMA page_size"));
    const int64_t pages = std::max<int64_t>(1, options.max_bytes / page_size);
    PAWSIGHT_RETURN_IF_ERROR(Execute(db, "PRAGMA max_page_count=" + std::to_string(pages), path));
  }
  PAWSIGHT_RETURN_IF_ERROR(Migrate(db, path, Migrations()));
  PAWSIGHT_RETURN_IF_ERROR(AllowShrinking(db, path));
  return Execute(db, "PRAGMA foreign_keys=ON", path);  // after the schema's steps, which may be in between
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(const std::string& path, const ConnectionOptions& options) {
  sqlite3* db = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (options.create ? SQLITE_OPEN_CREATE : 0);
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  std::unique_ptr<Connection> connection(new Connection(db));
  if (code != SQLITE_OK) return SqliteStatus(db, code, path);
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, static_cast<int>(options.lock_wait.count()));
  PAWSIGHT_RETURN_IF_ERROR(options.write ? PrepareToWrite(db, path, options) : PrepareToRead(db, path, options));
  return connection;
}

Connection::~Connection() {
  prepared_.clear();
  sqlite3_close(db_);
}

Result<Statement> Connection::Prepare(const char* sql) {
  auto found = prepared_.find(sql);
  if (found == prepared_.end()) {
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return SqliteStatus(db_, code, std::string("events: prepare: ") + sql);
    found = prepared_.emplace(sql, Statement::Own(db_, statement)).first;
  }
  return found->second.Lend();
}

int64_t Connection::NumChanged() const { return sqlite3_changes64(db_); }

Result<std::string> Connection::StoreName() {
  PAWSIGHT_ASSIGN_OR_RETURN(Statement name, Prepare("SELECT name FROM store"));
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, name.Step());
  if (!row) return DataLoss("events: the store has lost its name", "corrupt");
  return name.Text(0);
}

Status Connection::CheckFile() const {
  int moved = 0;
  const int code = sqlite3_file_control(db_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (code == SQLITE_OK && moved == 0) return Ok();
  return Unavailable("events: the file was deleted or replaced while it was open; put it back or start anew",
                     "file_gone");
}

}  // namespace pawsight::events
