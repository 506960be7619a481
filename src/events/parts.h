// events/parts.h: what a Store is made of, for the .cc files that its functions are spread over.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "events/connection.h"
#include "events/store.h"
#include "events/writer.h"

namespace pawsight::events {

/// Connections for reading. Who finds none free waits for one: a read takes a millisecond or so. Thread-safe.
class Readers {
 public:
  static Result<std::unique_ptr<Readers>> Open(const std::string& path, const StoreOptions& options);

  /// Calls `read` with a connection of its own; gives what it gives.
  template <typename Read>
  auto With(Read&& read) EXCLUDES(mu_) {
    Lease lease(*this);
    return read(*lease.connection);
  }

 private:
  struct Lease {
    explicit Lease(Readers& readers) : of(readers), connection(readers.Take()) {}
    ~Lease() { of.Return(std::move(connection)); }
    Readers& of;
    std::unique_ptr<Connection> connection;
  };
  std::unique_ptr<Connection> Take() EXCLUDES(mu_);
  void Return(std::unique_ptr<Connection> connection) EXCLUDES(mu_);

  Mutex mu_;
  CondVar returned_;
  std::vector<std::unique_ptr<Connection>> free_ GUARDED_BY(mu_);
};

struct Store::Parts {
  std::string name;
  SystemClock system_clock;  // unless the options bring one
  const Clock* clock = nullptr;
  std::unique_ptr<Readers> readers;
  std::unique_ptr<Writer> writer;
};

/// The rows that are left of a query with its values bound, each made by `make(statement)`, a Row or a Result of one.
template <typename Row, typename Make>
Result<std::vector<Row>> CollectRows(Statement& select, Make&& make) {
  std::vector<Row> rows;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return rows;
    if constexpr (std::is_same_v<decltype(make(select)), Row>) {
      rows.push_back(make(select));
    } else {
      PAWSIGHT_ASSIGN_OR_RETURN(Row made, make(select));
      rows.push_back(std::move(made));
    }
  }
}

/// The one row of such a query; kNotFound `not_found` when there is none.
template <typename Row, typename Make>
Result<Row> OneRow(Statement& select, std::string_view what, Make&& make) {
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return NotFound(std::string(what) + ": there is no such row", "not_found");
  return make(select);
}

inline Result<int> CheckLimit(int limit) {
  if (limit < 1) return InvalidArgument("limit: want 1 or more");
  return std::min(limit, kMaxListed);
}

}  // namespace pawsight::events
