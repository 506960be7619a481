#include "events/sqlite.h"

#include <sqlite3.h>

#include <utility>

namespace pawsight::events {

Status SqliteStatus(sqlite3* db, int code, std::string_view what) {
  std::string message = std::string(what) + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(code));
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
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
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

Result<Statement> Statement::Prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(db, sql, -1, &statement, nullptr);
  if (code != SQLITE_OK) return SqliteStatus(db, code, "events: prepare");
  return Statement(db, statement);
}

Statement::Statement(Statement&& other) noexcept
    : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)) {}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::Bind(int place, int64_t value) { CHECK(sqlite3_bind_int64(statement_, place, value) == SQLITE_OK); }

void Statement::Bind(int place, std::string_view text) {
  CHECK(sqlite3_bind_text64(statement_, place, text.data(), text.size(), nullptr, SQLITE_UTF8) == SQLITE_OK);
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

Result<int64_t> QueryInteger(sqlite3* db, const char* sql) {
  PAWSIGHT_ASSIGN_OR_RETURN(Statement statement, Statement::Prepare(db, sql));
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return DataLoss(std::string("events: no value for ") + sql, "corrupt");
  return statement.Integer(0);
}

}  // namespace pawsight::events
