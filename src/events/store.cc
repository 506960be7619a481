#include "events/store.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "events/schema.h"
#include "events/sqlite.h"

namespace pawsight::events {
namespace {

using std::chrono::milliseconds;

/// A file up to this large is checked page by page when opened; that takes about 0.1 s at most.
constexpr int64_t kCheckedBytes = 16LL << 20;

constexpr const char* kColumns = "sequence, time_ms, type, camera, rule, detail";

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

Status Prepare(sqlite3* db, const std::string& path, const StoreOptions& options) {
  sqlite3_extended_result_codes(db, 1);
  sqlite3_busy_timeout(db, static_cast<int>(options.lock_wait.count()));
  PAWSIGHT_RETURN_IF_ERROR(
      Execute(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA trusted_schema=OFF", path));
  PAWSIGHT_RETURN_IF_ERROR(CheckPages(db));
  if (options.max_bytes > 0) {
    PAWSIGHT_ASSIGN_OR_RETURN(const int64_t page_size, QueryInteger(db, "PRAGMA page_size"));
    const int64_t pages = std::max<int64_t>(1, options.max_bytes / page_size);
    PAWSIGHT_RETURN_IF_ERROR(Execute(db, "PRAGMA max_page_count=" + std::to_string(pages), path));
  }
  return Migrate(db, path, Migrations());
}

std::string EventId(const std::string& prefix, int64_t sequence) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%012lld", static_cast<long long>(sequence));
  return prefix + digits;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const std::string& path, const StoreOptions& options) {
  sqlite3* db = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Store> store(new Store(db, path));
  if (code != SQLITE_OK) return SqliteStatus(db, code, path);
  if (Status status = Prepare(db, path, options); !status.ok()) return status;
  PAWSIGHT_ASSIGN_OR_RETURN(Statement name, Statement::Prepare(db, "SELECT name FROM store"));
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, name.Step());
  if (!row) return DataLoss("events: the store has lost its name", "corrupt");
  store->id_prefix_ = "evt-" + name.Text(0) + "-";
  return store;
}

Store::~Store() {
  MutexLock lock(mu_);
  sqlite3_close(db_);
}

Status Store::Usable() const { return broken_.ok() ? Ok() : broken_; }

Status Store::Failed(Status status) {
  if (status.code() == StatusCode::kDataLoss) broken_ = status;
  return status;
}

Result<int64_t> Store::Insert(const Event& event, const std::string& detail) {
  PAWSIGHT_ASSIGN_OR_RETURN(
      Statement insert,
      Statement::Prepare(db_, "INSERT INTO events (time_ms, type, camera, rule, detail) VALUES (?1, ?2, ?3, ?4, ?5)"));
  insert.Bind(1, std::chrono::duration_cast<milliseconds>(event.time.time_since_epoch()).count());
  insert.Bind(2, event.type);
  insert.Bind(3, event.camera);
  insert.Bind(4, event.rule);
  insert.Bind(5, detail);
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, insert.Step());  // commits: no transaction is open
  CHECK(!row);
  return sqlite3_last_insert_rowid(db_);
}

Result<Event> Store::Append(const Event& event) {
  if (event.type.empty()) return InvalidArgument("event.type: empty");
  const std::string detail = event.detail.is_null() ? "{}" : event.detail.Dump();
  if (detail.size() > kMaxDetailBytes) return InvalidArgument("event.detail: more than 64 KiB");
  MutexLock lock(mu_);
  PAWSIGHT_RETURN_IF_ERROR(Usable());
  Result<int64_t> sequence = Insert(event, detail);
  if (!sequence.ok()) return Failed(sequence.status());
  Event stored = event;
  stored.sequence = *sequence;
  stored.id = EventId(id_prefix_, *sequence);
  return stored;
}

Result<std::vector<Event>> Store::Select(const char* sql, int64_t after, int limit) {
  PAWSIGHT_ASSIGN_OR_RETURN(Statement select, Statement::Prepare(db_, sql));
  select.Bind(1, after);
  select.Bind(2, static_cast<int64_t>(std::min(limit, kMaxListed)));
  std::vector<Event> events;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return events;
    Event event;
    event.sequence = select.Integer(0);
    event.id = EventId(id_prefix_, event.sequence);
    event.time = Time(milliseconds(select.Integer(1)));
    event.type = select.Text(2);
    event.camera = select.Text(3);
    event.rule = select.Text(4);
    Result<Json> detail = Json::Parse(select.Text(5));
    if (!detail.ok()) return DataLoss("events: detail of " + event.id + " is damaged", "corrupt");
    event.detail = std::move(*detail);
    events.push_back(std::move(event));
  }
}

Result<std::vector<Event>> Store::List(int64_t after, int limit) {
  if (limit < 1) return InvalidArgument("limit: want 1 or more");
  MutexLock lock(mu_);
  PAWSIGHT_RETURN_IF_ERROR(Usable());
  static const std::string sql =
      std::string("SELECT ") + kColumns + " FROM events WHERE sequence > ?1 ORDER BY sequence LIMIT ?2";
  return Select(sql.c_str(), after, limit);
}

Result<std::vector<Event>> Store::ListNewest(int limit) {
  if (limit < 1) return InvalidArgument("limit: want 1 or more");
  MutexLock lock(mu_);
  PAWSIGHT_RETURN_IF_ERROR(Usable());
  static const std::string sql =
      std::string("SELECT ") + kColumns + " FROM events WHERE sequence > ?1 ORDER BY sequence DESC LIMIT ?2";
  Result<std::vector<Event>> events = Select(sql.c_str(), 0, limit);
  if (events.ok()) std::reverse(events->begin(), events->end());
  return events;
}

}  // namespace pawsight::events
