#include "events/sweep.h"

#include <algorithm>

namespace pawsight::events {
namespace {

constexpr int kSweepPictures = kSweepRows / 10;

/// Tables of an owner's rows, each after those that refer to it. A test compares this list with the schema.
constexpr const char* kOwnedTables[] = {
    "DELETE FROM outbox WHERE rowid IN (SELECT rowid FROM outbox WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM pictures WHERE rowid IN (SELECT rowid FROM pictures WHERE owner = ?1 LIMIT ?2 / 10)",
    "DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM events WHERE rowid IN (SELECT rowid FROM events WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM audit WHERE rowid IN (SELECT rowid FROM audit WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM alert_states WHERE rowid IN (SELECT rowid FROM alert_states WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM snoozes WHERE rowid IN (SELECT rowid FROM snoozes WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM credentials WHERE rowid IN (SELECT rowid FROM credentials WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM receivers WHERE rowid IN (SELECT rowid FROM receivers WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM cameras WHERE rowid IN (SELECT rowid FROM cameras WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM devices WHERE rowid IN (SELECT rowid FROM devices WHERE owner = ?1 LIMIT ?2)",
    "DELETE FROM rules WHERE rowid IN (SELECT rowid FROM rules WHERE owner = ?1 LIMIT ?2)",
};

}  // namespace

Result<int64_t> Sweeper::Step(Time now) {
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t removed, StepRemovals());
  if (removed > 0) return removed;
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t expired, StepExpired(now));
  if (expired > 0) return expired;
  return StepPages();
}

Result<int64_t> Sweeper::StepRemovals() {
  std::string owner;
  std::string id;
  int64_t kind = 0;
  {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select,
                              connection_.Prepare("SELECT owner, kind, id FROM removals ORDER BY rowid LIMIT 1"));
    PAWSIGHT_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return 0;
    owner = select.Text(0);
    kind = select.Integer(1);
    id = select.Text(2);
  }
  if (kind == 0) return StepOwner(owner);
  const char* sql =
      kind == 1
          ? "DELETE FROM pictures WHERE rowid IN (SELECT rowid FROM pictures WHERE owner = ?1 AND camera = ?2 LIMIT ?3)"
          : "DELETE FROM outbox WHERE rowid IN (SELECT rowid FROM outbox WHERE owner = ?1 AND receiver = ?2 LIMIT ?3)";
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t gone,
                            connection_.Change(sql, owner, id, kind == 1 ? kSweepPictures : kSweepRows));
  if (gone > 0) return gone;
  return connection_.Change("DELETE FROM removals WHERE owner = ?1 AND kind = ?2 AND id = ?3", owner, kind, id);
}

Result<int64_t> Sweeper::StepOwner(const std::string& owner) {
  for (const char* sql : kOwnedTables) {
    PAWSIGHT_ASSIGN_OR_RETURN(const int64_t gone, connection_.Change(sql, owner, kSweepRows));
    if (gone > 0) return gone;
  }
  PAWSIGHT_RETURN_IF_ERROR(connection_.Change("DELETE FROM removals WHERE owner = ?1", owner).status());
  erased_ = true;
  // References forbid this while a row of any table is left.
  return connection_.Change("DELETE FROM owners WHERE id = ?1", owner);
}

Result<int64_t> Sweeper::StepExpired(Time now) {
  struct Kind {
    const char* sql;
    std::chrono::hours age;  // 0: for ever
    int rows;
  };
  // Rows in the order of recording need no index on their time: the oldest are looked at. (A clock that stood in the
  // future for a while keeps what is behind it until then.)
  const Kind kinds[] = {
      {"DELETE FROM outbox WHERE rowid IN (SELECT rowid FROM outbox WHERE finished_ms IS NOT NULL AND finished_ms < ?1"
       " ORDER BY finished_ms LIMIT ?2)",
       retention_.deliveries, kSweepRows},
      {"DELETE FROM alerts WHERE rowid IN (SELECT rowid FROM alerts WHERE resolved_ms IS NOT NULL AND updated_ms < ?1"
       " ORDER BY updated_ms LIMIT ?2)",
       retention_.alerts, kSweepRows},
      {"DELETE FROM events WHERE sequence IN (SELECT sequence FROM events ORDER BY sequence LIMIT ?2)"
       " AND recorded_ms < ?1",
       retention_.events, kSweepRows},
      {"DELETE FROM audit WHERE id IN (SELECT id FROM audit ORDER BY id LIMIT ?2) AND time_ms < ?1", retention_.audit,
       kSweepRows},
      {"DELETE FROM pictures WHERE rowid IN (SELECT rowid FROM pictures WHERE expires_ms <= ?1 ORDER BY expires_ms"
       " LIMIT ?2)",
       std::chrono::hours(-1), kSweepPictures},
      {"DELETE FROM snoozes WHERE rowid IN (SELECT rowid FROM snoozes WHERE until_ms <= ?1 ORDER BY until_ms LIMIT ?2)",
       std::chrono::hours(-1), kSweepRows},
  };
  for (const Kind& kind : kinds) {
    if (kind.age.count() == 0) continue;
    const Time before = kind.age.count() < 0 ? now : now - kind.age;
    PAWSIGHT_ASSIGN_OR_RETURN(const int64_t gone, connection_.Change(kind.sql, before, kind.rows));
    if (gone > 0) return gone;
  }
  return 0;
}

Result<int64_t> Sweeper::StepPages() {
  // Some empty pages are kept: a store in its steady state would else shrink and grow for nothing.
  constexpr int64_t kKeptPages = 1024;
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t empty, QueryInteger(connection_.db(), "PRAGMA freelist_count"));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t all, QueryInteger(connection_.db(), "PRAGMA page_count"));
  if (empty < std::max(kKeptPages, all / 4)) return 0;
  PAWSIGHT_RETURN_IF_ERROR(
      Execute(connection_.db(), "PRAGMA incremental_vacuum(" + std::to_string(kSweepRows) + ")", "events: shrink"));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t left, QueryInteger(connection_.db(), "PRAGMA freelist_count"));
  return std::max<int64_t>(0, empty - left);
}

}  // namespace pawsight::events
