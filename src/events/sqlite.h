// events/sqlite.h: SQLite's C calls with our Status, our types and an owner for a prepared statement. For this folder's
// .cc files. Thread-compatible.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace pawsight::events {

/// The Status of a result code, with the connection's message. `what` says which step failed.
/// FULL -> kResourceExhausted `disk_full`; BUSY, LOCKED -> kUnavailable `locked`; CORRUPT, NOTADB, IOERR -> kDataLoss
/// (`corrupt`, `disk_error`); READONLY -> kUnavailable `read_only`; CANTOPEN, PERM, AUTH -> kUnavailable; a key twice
/// -> kAlreadyExists `exists`; a foreign key -> kNotFound `not_found`; else kInternal.
Status SqliteStatus(sqlite3* db, int code, std::string_view what);

/// Runs statements without values. Errors as SqliteStatus.
Status Execute(sqlite3* db, const std::string& sql, std::string_view what);

/// Unix milliseconds, and back. Kept times are whole milliseconds.
int64_t Milliseconds(Time time);
Time TimeOf(int64_t milliseconds);

/// Bound as NULL when empty: a reference that is not there.
struct OrNull {
  std::string_view text;
};

/// A prepared statement. Values are bound, never pasted.
class Statement {
 public:
  static Result<Statement> Prepare(sqlite3* db, const char* sql);
  /// Takes `statement`.
  static Statement Own(sqlite3* db, sqlite3_stmt* statement) { return {db, statement, true}; }
  /// The same statement for one use, after which it is reset and without values. One at a time.
  Statement Lend() { return {db_, statement_, false}; }
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&&) = delete;
  ~Statement();

  /// Places count from 1. Texts and bytes must live until the last Step.
  void Bind(int place, std::string_view text);
  void Bind(int place, const std::string& text) { Bind(place, std::string_view(text)); }
  void Bind(int place, const char* text) { Bind(place, std::string_view(text)); }
  void Bind(int place, std::span<const uint8_t> bytes);
  void Bind(int place, std::integral auto value) { BindInteger(place, static_cast<int64_t>(value)); }
  void Bind(int place, Time time) { BindInteger(place, Milliseconds(time)); }
  void Bind(int place, const std::optional<Time>& time);
  void Bind(int place, OrNull value);
  /// ?1, ?2, ...
  template <typename... Values>
  void BindAll(const Values&... values) {
    int place = 0;
    (Bind(++place, values), ...);
  }
  /// True when there is a row, false at the end. Errors as SqliteStatus.
  Result<bool> Step();
  /// Columns count from 0. NULL is 0 and empty.
  int64_t Integer(int column) const;
  std::string Text(int column) const;
  std::vector<uint8_t> Bytes(int column) const;
  Time TimeAt(int column) const { return TimeOf(Integer(column)); }
  std::optional<Time> OptionalTime(int column) const;

 private:
  Statement(sqlite3* db, sqlite3_stmt* statement, bool own) : db_(db), statement_(statement), own_(own) {}
  void BindInteger(int place, int64_t value);

  sqlite3* db_;
  sqlite3_stmt* statement_;
  bool own_;
};

/// The one integer of a query such as "PRAGMA user_version".
Result<int64_t> QueryInteger(sqlite3* db, const char* sql);

}  // namespace pawsight::events
