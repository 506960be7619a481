// events/sqlite.h: SQLite's C calls with our Status and an owner for a prepared statement. For this folder's .cc files.
// Thread-compatible.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace pawsight::events {

/// The Status of a result code, with the connection's message. `what` says which step failed.
/// FULL -> kResourceExhausted `disk_full`; BUSY, LOCKED -> kUnavailable `locked`; CORRUPT, NOTADB, IOERR -> kDataLoss
/// (`corrupt`, `disk_error`); CANTOPEN, READONLY, PERM, AUTH -> kUnavailable; else kInternal.
Status SqliteStatus(sqlite3* db, int code, std::string_view what);

/// Runs statements without values. Errors as SqliteStatus.
Status Execute(sqlite3* db, const std::string& sql, std::string_view what);

/// A prepared statement. Values are bound, never pasted.
class Statement {
 public:
  static Result<Statement> Prepare(sqlite3* db, const char* sql);
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// Places count from 1. The text must live until the last Step.
  void Bind(int place, int64_t value);
  void Bind(int place, std::string_view text);
  /// True when there is a row, false at the end. Errors as SqliteStatus.
  Result<bool> Step();
  /// Columns count from 0.
  int64_t Integer(int column) const;
  std::string Text(int column) const;

 private:
  Statement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
  sqlite3* db_;
  sqlite3_stmt* statement_;
};

/// The one integer of a query such as "PRAGMA user_version".
Result<int64_t> QueryInteger(sqlite3* db, const char* sql);

}  // namespace pawsight::events
