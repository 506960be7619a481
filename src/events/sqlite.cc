#include "events/sqlite.h"

#include <sqlite3.h>

#include <utility>

namespace pawsight::events {

using std::chrono::milliseconds;

Status SqliteStatus(sqlite3* db, int code, std::string_view what) {
  std::string message = std::string(what) + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  if (code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_ROWID) {
    return {StatusCode::kAlreadyExists, message, "exists"};
  }
  if (code == SQLITE_CONSTRAINT_FOREIGNKEY)
    return NotFound(std::string(what) + ": what it names is not there", "not_found");
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return Ok();
    case SQLITE_FULL:
      return ResourceExhausted(message + "; free some space", "disk_full");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Unavailable(message + "; another process holds it", "locked");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return DataLoss(message + "; move the file away to start a new one", "corrupt");
    case SQLITE_IOERR:
      return DataLoss(message, "disk_error");
    case SQLITE_READONLY:
      return Unavailable(message, "read_only");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Unavailable(message);
    default:
      return Internal(message);
  }
}

Status Execute(sqlite3* db, const std::string& sql, std::string_view what) {
  return SqliteStatus(db, sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), what);
}

int64_t Milliseconds(Time time) { return std::chrono::floor<milliseconds>(time.time_since_epoch()).count(); }

Time TimeOf(int64_t count) {
  // A nanosecond clock ends in 2262; what a damaged file says beyond that must not overflow.
  constexpr int64_t kMost = std::chrono::floor<milliseconds>(Time::max().time_since_epoch()).count();
  return Time(milliseconds(count > kMost ? kMost : count < -kMost ? -kMost : count));
}

Result<Statement> Statement::Prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(db, sql, -1, &statement, nullptr);
  if (code != SQLITE_OK) return SqliteStatus(db, code, "events: prepare");
  return Statement(db, statement, true);
}

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)), own_(other.own_) {}

Statement::~Statement() {
  if (own_) {
    sqlite3_finalize(statement_);
  } else if (statement_ != nullptr) {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
}

void Statement::BindInteger(int place, int64_t value) {
  CHECK(sqlite3_bind_int64(statement_, place, value) == SQLITE_OK);
}

void Statement::Bind(int place, std::string_view text) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  CHECK(sqlite3_bind_text64(statement_, place, data, text.size(), nullptr, SQLITE_UTF8) == SQLITE_OK);
}

void Statement::Bind(int place, std::span<const uint8_t> bytes) {
  CHECK(sqlite3_bind_blob64(statement_, place, bytes.data(), bytes.size(), nullptr) == SQLITE_OK);
}

void Statement::Bind(int place, const std::optional<Time>& time) {
  if (time.has_value()) {
    BindInteger(place, Milliseconds(*time));
  } else {
    CHECK(sqlite3_bind_null(statement_, place) == SQLITE_OK);
  }
}

void Statement::Bind(int place, OrNull value) {
  if (value.text.empty()) {
    CHECK(sqlite3_bind_null(statement_, place) == SQLITE_OK);
  } else {
    Bind(place, value.text);
  }
}

Result<bool> Statement::Step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteStatus(db_, code, "events");
}

int64_t Statement::Integer(int column) const { return sqlite3_column_int64(statement_, column); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? "" : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

std::vector<uint8_t> Statement::Bytes(int column) const {
  const auto* bytes = static_cast<const uint8_t*>(sqlite3_column_blob(statement_, column));
  if (bytes == nullptr) return {};
  return {bytes, bytes + sqlite3_column_bytes(statement_, column)};
}

std::optional<Time> Statement::OptionalTime(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return TimeAt(column);
}

Result<int64_t> QueryInteger(sqlite3* db, const char* sql) {
  PAWSIGHT_ASSIGN_OR_RETURN(Statement statement, Statement::Prepare(db, sql));
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return DataLoss(std::string("events: no value for ") + sql, "corrupt");
  return statement.Integer(0);
}

}  // namespace pawsight::events
