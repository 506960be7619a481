// events/connection.h: one connection to the store's file, set up, with the statements it has prepared. For this
// folder's .cc files. Thread-compatible.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>

#include "base/status.h"
#include "events/sqlite.h"

namespace pawsight::events {

struct ConnectionOptions {
  bool write = false;   // else nothing can be written through it
  bool create = false;  // a writing one: makes the file when it is not there
  std::chrono::milliseconds lock_wait{5000};
  bool durable = true;    // a writing one waits for the disk
  int64_t max_bytes = 0;  // of a writing one: the file grows no larger; 0: no limit
};

class Connection {
 public:
  /// A writing one checks the file and brings its schema up to date; a reading one wants it so already. Errors as
  /// Store::Open's.
  static Result<std::unique_ptr<Connection>> Open(const std::string& path, const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  sqlite3* db() const { return db_; }

  /// Prepared once and kept. `sql` must stay where it is: it is known by its address. One use at a time.
  Result<Statement> Prepare(const char* sql);

  /// Runs a statement that gives no rows; how many rows it changed, those of cascades left out.
  template <typename... Values>
  Result<int64_t> Change(const char* sql, const Values&... values) {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
    statement.BindAll(values...);
    PAWSIGHT_RETURN_IF_ERROR(statement.Step().status());
    return NumChanged();
  }
  /// Whether a query has a row.
  template <typename... Values>
  Result<bool> Any(const char* sql, const Values&... values) {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement statement, Prepare(sql));
    statement.BindAll(values...);
    return statement.Step();
  }

  /// What the store was named at its making.
  Result<std::string> StoreName();

  /// OK, or kUnavailable `file_gone`: the file was deleted or another stands in its place, so what is written now would
  /// be lost. Cost: one stat.
  Status CheckFile() const;

 private:
  explicit Connection(sqlite3* db) : db_(db) {}
  int64_t NumChanged() const;

  sqlite3* const db_;
  std::unordered_map<const char*, Statement> prepared_;
};

}  // namespace pawsight::events
