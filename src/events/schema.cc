#include "events/schema.h"

#include <array>

#include "base/files.h"
#include "events/sqlite.h"

namespace pawsight::events {
namespace {

constexpr std::array<const char*, 1> kSteps = {
    // 1: events, and a random name for the store that makes their ids its own.
    R"(CREATE TABLE store (name TEXT NOT NULL) STRICT;
       INSERT INTO store VALUES (lower(hex(randomblob(8))));
       CREATE TABLE events (
         sequence INTEGER PRIMARY KEY AUTOINCREMENT,
         time_ms INTEGER NOT NULL,
         type TEXT NOT NULL,
         camera TEXT NOT NULL,
         rule TEXT NOT NULL,
         detail TEXT NOT NULL
       ) STRICT;
       CREATE INDEX events_by_time ON events (time_ms);)",
};

Status Backup(sqlite3* db, const std::string& path, int64_t version) {
  const std::string backup = path + ".schema-" + std::to_string(version) + ".bak";
  if (FileExists(backup)) return Ok();  // an earlier attempt got this far; its copy is the older one, keep it
  PAWSIGHT_ASSIGN_OR_RETURN(Statement copy, Statement::Prepare(db, "VACUUM INTO ?1"));
  copy.Bind(1, backup);
  Result<bool> done = copy.Step();
  return done.ok() ? Ok() : Annotate(done.status(), "events: copy before the schema changes");
}

/// Step number `version` + 1, unless another process has taken it meanwhile.
Status TakeStep(sqlite3* db, const char* step, int64_t version) {
  PAWSIGHT_RETURN_IF_ERROR(Execute(db, "BEGIN IMMEDIATE", "events: schema"));
  const Result<int64_t> now = QueryInteger(db, "PRAGMA user_version");
  Status status = now.ok() ? Ok() : now.status();
  if (status.ok() && *now == version) {
    status = Execute(db, std::string(step) + "PRAGMA user_version=" + std::to_string(version + 1), "events: schema");
  }
  if (status.ok()) status = Execute(db, "COMMIT", "events: schema");
  if (!status.ok()) (void)Execute(db, "ROLLBACK", "events: schema");  // the first error is the one to tell
  return status;
}

}  // namespace

std::span<const char* const> Migrations() { return kSteps; }

Status Migrate(sqlite3* db, const std::string& path, std::span<const char* const> steps) {
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t version, QueryInteger(db, "PRAGMA user_version"));
  const auto known = static_cast<int64_t>(steps.size());
  if (version > known) {
    return FailedPrecondition("events: " + path + " has schema " + std::to_string(version) +
                                  ", this program knows up to " + std::to_string(known) + "; use the newer program",
                              "schema_newer");
  }
  if (version < 0) return DataLoss("events: schema number below 0", "corrupt");
  if (version > 0 && version < known) PAWSIGHT_RETURN_IF_ERROR(Backup(db, path, version));
  for (int64_t step = version; step < known; ++step) {
    PAWSIGHT_RETURN_IF_ERROR(TakeStep(db, steps[static_cast<size_t>(step)], step));
  }
  return Ok();
}

}  // namespace pawsight::events
