#include "events/schema.h"

#include <array>

#include "base/files.h"
#include "events/sqlite.h"

namespace pawsight::events {
namespace {

constexpr std::array<const char*, 3> kSteps = {
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

    // 2: owners and everything of theirs. Every table but `store` and `settings` has an owner; references are of
    // (owner, id), so they cannot leave it. What may be many rows (events, alerts, deliveries, pictures) refers to
    // owners only: it is removed in small steps (events/sweep.cc), not by a cascade. Events of schema 1 become this
    // machine's.
    R"(CREATE TABLE owners (
         id TEXT PRIMARY KEY, name TEXT NOT NULL, document TEXT NOT NULL, version INTEGER NOT NULL,
         created_ms INTEGER NOT NULL
       ) STRICT;
       INSERT INTO owners VALUES ('own_00000000000000000000', 'this machine', '', 1, 0);

       CREATE TABLE devices (
         owner TEXT NOT NULL REFERENCES owners, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
         version INTEGER NOT NULL, created_ms INTEGER NOT NULL,
         PRIMARY KEY (owner, id)
       ) STRICT;

       CREATE TABLE credentials (
         id TEXT PRIMARY KEY, owner TEXT REFERENCES owners, role INTEGER NOT NULL, device TEXT, name TEXT NOT NULL,
         hash BLOB NOT NULL UNIQUE, created_ms INTEGER NOT NULL, expires_ms INTEGER, revoked_ms INTEGER,
         CHECK (length(hash) = 32 AND (role = 0) = (owner IS NULL) AND (role = 3) = (device IS NOT NULL)),
         FOREIGN KEY (owner, device) REFERENCES devices (owner, id) ON DELETE CASCADE
       ) STRICT;
       CREATE INDEX credentials_by_owner ON credentials (owner, id);
       CREATE INDEX credentials_by_device ON credentials (owner, device);

       CREATE TABLE cameras (
         owner TEXT NOT NULL REFERENCES owners, id TEXT NOT NULL UNIQUE, device TEXT, name TEXT NOT NULL,
         labels TEXT NOT NULL, source TEXT NOT NULL, zone TEXT NOT NULL, enabled INTEGER NOT NULL,
         keep_pictures INTEGER NOT NULL, document TEXT NOT NULL, version INTEGER NOT NULL, created_ms INTEGER NOT NULL,
         PRIMARY KEY (owner, id),
         FOREIGN KEY (owner, device) REFERENCES devices (owner, id)
       ) STRICT;
       CREATE INDEX cameras_by_device ON cameras (owner, device);

       CREATE TABLE rules (
         owner TEXT NOT NULL REFERENCES owners, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL,
         enabled INTEGER NOT NULL, version INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
         PRIMARY KEY (owner, id)
       ) STRICT;

       CREATE TABLE receivers (
         owner TEXT NOT NULL REFERENCES owners, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL,
         document TEXT NOT NULL, secret TEXT NOT NULL, active INTEGER NOT NULL, reason TEXT NOT NULL,
         version INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
         PRIMARY KEY (owner, id)
       ) STRICT;

       CREATE TABLE snoozes (
         owner TEXT NOT NULL REFERENCES owners, camera TEXT NOT NULL, rule TEXT NOT NULL, until_ms INTEGER NOT NULL,
         who TEXT NOT NULL, created_ms INTEGER NOT NULL,
         PRIMARY KEY (owner, camera, rule)
       ) STRICT;
       CREATE INDEX snoozes_by_rule ON snoozes (owner, rule);
       CREATE INDEX snoozes_by_end ON snoozes (until_ms);

       CREATE TABLE alert_states (
         owner TEXT NOT NULL REFERENCES owners, camera TEXT NOT NULL, rule TEXT NOT NULL, document TEXT NOT NULL,
         updated_ms INTEGER NOT NULL,
         PRIMARY KEY (owner, camera, rule),
         FOREIGN KEY (owner, camera) REFERENCES cameras (owner, id) ON DELETE CASCADE,
         FOREIGN KEY (owner, rule) REFERENCES rules (owner, id) ON DELETE CASCADE
       ) STRICT;
       CREATE INDEX alert_states_by_rule ON alert_states (owner, rule);

       CREATE TABLE alerts (
         owner TEXT NOT NULL REFERENCES owners, id TEXT NOT NULL, camera TEXT NOT NULL, rule TEXT NOT NULL,
         severity TEXT NOT NULL, fired_ms INTEGER NOT NULL, resolved_ms INTEGER, document TEXT NOT NULL,
         updated_ms INTEGER NOT NULL,
         PRIMARY KEY (owner, id)
       ) STRICT;
       CREATE INDEX alerts_by_camera ON alerts (owner, camera, id);
       CREATE INDEX alerts_by_rule ON alerts (owner, rule, id);
       CREATE INDEX alerts_open ON alerts (owner, id) WHERE resolved_ms IS NULL;
       CREATE INDEX alerts_resolved ON alerts (updated_ms) WHERE resolved_ms IS NOT NULL;

       ALTER TABLE events ADD COLUMN owner TEXT NOT NULL DEFAULT 'own_00000000000000000000' REFERENCES owners;
       ALTER TABLE events ADD COLUMN alert TEXT NOT NULL DEFAULT '';
       ALTER TABLE events ADD COLUMN recorded_ms INTEGER NOT NULL DEFAULT 0;
       UPDATE events SET recorded_ms = time_ms;
       DROP INDEX events_by_time;
       CREATE INDEX events_by_owner ON events (owner);
       CREATE INDEX events_by_camera ON events (owner, camera);

       CREATE TABLE outbox (
         id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL REFERENCES owners, receiver TEXT NOT NULL,
         event INTEGER NOT NULL, state INTEGER NOT NULL CHECK (state IN (0, 1, 2)), attempts INTEGER NOT NULL,
         next_ms INTEGER NOT NULL, error TEXT NOT NULL, created_ms INTEGER NOT NULL, finished_ms INTEGER
       ) STRICT;
       CREATE INDEX outbox_by_receiver ON outbox (owner, receiver);
       CREATE INDEX outbox_pending ON outbox (owner, receiver, next_ms) WHERE state = 0;
       CREATE INDEX outbox_dead ON outbox (owner) WHERE state = 2;
       CREATE INDEX outbox_finished ON outbox (finished_ms) WHERE finished_ms IS NOT NULL;

       CREATE TABLE settings (
         name TEXT PRIMARY KEY, document TEXT NOT NULL, version INTEGER NOT NULL, who TEXT NOT NULL,
         updated_ms INTEGER NOT NULL
       ) STRICT;

       CREATE TABLE audit (
         id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, owner TEXT REFERENCES owners,
         who TEXT NOT NULL, action TEXT NOT NULL, object TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL
       ) STRICT;
       CREATE INDEX audit_by_owner ON audit (owner);

       CREATE TABLE pictures (
         owner TEXT NOT NULL REFERENCES owners, id TEXT NOT NULL, camera TEXT NOT NULL, content_type TEXT NOT NULL,
         created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, bytes BLOB NOT NULL,
         PRIMARY KEY (owner, id)
       ) STRICT;
       CREATE INDEX pictures_by_camera ON pictures (owner, camera);
       CREATE INDEX pictures_by_end ON pictures (expires_ms);

       CREATE TABLE removals (
         owner TEXT NOT NULL REFERENCES owners, kind INTEGER NOT NULL CHECK (kind IN (0, 1, 2)), id TEXT NOT NULL,
         PRIMARY KEY (owner, kind, id)
       ) STRICT;)",

    // 3: whose an alert is, found by its id alone. Also the mark of documents that an older program would misread: it
    // would send a sealed secret as if it were one, and leave out rules with updates or several windows.
    R"(CREATE INDEX alerts_by_id ON alerts (id);)",
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
