// Rows that people make and change, and Apply itself. Alerts, events and deliveries are in apply_alerts.cc.
#include "events/apply.h"

#include <utility>

#include "base/json.h"

namespace pawsight::events {
namespace {

Written One() { return {.number = 1}; }

Status NoSuch(std::string_view what) { return NotFound(std::string(what) + ": there is no such row", "not_found"); }

/// 1 for a statement that touched its row, else kNotFound.
Result<Written> OneOf(const Result<int64_t>& touched, std::string_view what) {
  if (!touched.ok()) return touched.status();
  if (*touched == 0) return NoSuch(what);
  return One();
}

std::string LabelsText(const std::vector<std::string>& labels) {
  Json list(Json::Array{});
  for (const std::string& label : labels) list.Append(label);
  return list.Dump();
}

constexpr const char* kDeviceVersion = "SELECT version FROM devices WHERE owner = ?1 AND id = ?2";
constexpr const char* kCameraVersion = "SELECT version FROM cameras WHERE owner = ?1 AND id = ?2";
constexpr const char* kRuleVersion = "SELECT version FROM rules WHERE owner = ?1 AND id = ?2";
constexpr const char* kReceiverVersion = "SELECT version FROM receivers WHERE owner = ?1 AND id = ?2";

}  // namespace

Result<Receipt> Applier::Apply(const WriteBatch& batch, Time now, Consequences& consequences) {
  now_ = now;
  consequences_ = &consequences;
  Receipt receipt;
  receipt.reserve(batch.size());
  std::string_view checked;
  for (const Write& write : batch) {
    const std::string_view owner = OwnerOf(write);
    const bool known = owner.empty() || owner == checked;
    checked = owner;
    const Status erasing = known ? Ok() : CheckNotErasing(owner);
    Result<Written> written =
        erasing.ok() ? std::visit([this](const auto& one) { return Do(one); }, write) : Result<Written>(erasing);
    if (!written.ok()) {
      return batch.size() == 1 ? written.status()
                               : Annotate(written.status(), "write " + std::to_string(receipt.size() + 1));
    }
    receipt.push_back(std::move(*written));
  }
  return receipt;
}

Status Applier::CheckNotErasing(std::string_view owner) {
  PAWSIGHT_ASSIGN_OR_RETURN(const bool erasing,
                            connection_.Any("SELECT 1 FROM removals WHERE owner = ?1 AND kind = 0 AND id = ''", owner));
  return erasing ? NoSuch(owner) : Ok();
}

Status Applier::WhyUntouched(const char* version_sql, const std::string& owner, const std::string& id,
                             int64_t version) {
  PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection_.Prepare(version_sql));
  select.BindAll(owner, id);
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, select.Step());
  if (!row) return NoSuch(id);
  return {StatusCode::kAborted,
          id + ": has version " + std::to_string(select.Integer(0)) + " now, not " + std::to_string(version),
          "conflict"};
}

Result<Written> Applier::Changed(const Result<int64_t>& touched, const char* version_sql, const std::string& owner,
                                 const std::string& id, int64_t version) {
  if (!touched.ok()) return touched.status();
  if (*touched == 0) return WhyUntouched(version_sql, owner, id, version);
  return Written{.number = version + 1};
}

Status Applier::ForEach(std::initializer_list<const char*> statements, const std::string& owner,
                        const std::string& id) {
  for (const char* sql : statements) PAWSIGHT_RETURN_IF_ERROR(connection_.Change(sql, owner, id).status());
  return Ok();
}

Result<Written> Applier::Do(const Put<Owner>& put) {
  const Owner& row = put.row;
  if (row.version == 0) {
    return OneOf(connection_.Change("INSERT INTO owners (id, name, document, version, created_ms)"
                                    " VALUES (?1, ?2, ?3, 1, ?4)",
                                    row.id, row.name, row.document, now_),
                 row.id);
  }
  // An owner has no owner; ?1 and ?2 are both its id so that WhyUntouched serves here too.
  return Changed(connection_.Change("UPDATE owners SET name = ?1, document = ?2, version = version + 1"
                                    " WHERE id = ?3 AND version = ?4",
                                    row.name, row.document, row.id, row.version),
                 "SELECT version FROM owners WHERE id = ?1 AND id = ?2", row.id, row.id, row.version);
}

Result<Written> Applier::Do(const Put<Credential>& put) {
  const Credential& row = put.row;
  return OneOf(
      connection_.Change("INSERT INTO credentials (id, owner, role, device, name, hash, created_ms, expires_ms,"
                         " revoked_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                         row.id, OrNull{row.owner}, static_cast<int>(row.role), OrNull{row.device}, row.name,
                         std::span<const uint8_t>(row.hash), now_, row.expires, row.revoked),
      row.id);
}

Result<Written> Applier::Do(const Put<Device>& put) {
  const Device& row = put.row;
  if (row.version == 0) {
    return OneOf(connection_.Change("INSERT INTO devices (owner, id, name, version, created_ms)"
                                    " VALUES (?1, ?2, ?3, 1, ?4)",
                                    row.owner, row.id, row.name, now_),
                 row.id);
  }
  return Changed(connection_.Change("UPDATE devices SET name = ?3, version = version + 1"
                                    " WHERE owner = ?1 AND id = ?2 AND version = ?4",
                                    row.owner, row.id, row.name, row.version),
                 kDeviceVersion, row.owner, row.id, row.version);
}

Result<Written> Applier::Do(const Put<Camera>& put) {
  const Camera& row = put.row;
  const std::string labels = LabelsText(row.labels);
  if (row.version == 0) {
    return OneOf(connection_.Change("INSERT INTO cameras (owner, id, device, name, labels, source, zone, enabled,"
                                    " keep_pictures, document, version, created_ms)"
                                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, ?11)",
                                    row.owner, row.id, OrNull{row.device}, row.name, labels, row.source, row.zone,
                                    row.enabled, row.keep_pictures, row.document, now_),
                 row.id);
  }
  return Changed(connection_.Change("UPDATE cameras SET device = ?3, name = ?4, labels = ?5, source = ?6, zone = ?7,"
                                    " enabled = ?8, keep_pictures = ?9, document = ?10, version = version + 1"
                                    " WHERE owner = ?1 AND id = ?2 AND version = ?11",
                                    row.owner, row.id, OrNull{row.device}, row.name, labels, row.source, row.zone,
                                    row.enabled, row.keep_pictures, row.document, row.version),
                 kCameraVersion, row.owner, row.id, row.version);
}

Result<Written> Applier::Do(const Put<Rule>& put) {
  const Rule& row = put.row;
  if (row.version == 0) {
    return OneOf(connection_.Change("INSERT INTO rules (owner, id, document, enabled, version, created_ms, updated_ms)"
                                    " VALUES (?1, ?2, ?3, ?4, 1, ?5, ?5)",
                                    row.owner, row.id, row.document, row.enabled, now_),
                 row.id);
  }
  return Changed(connection_.Change("UPDATE rules SET document = ?3, enabled = ?4, updated_ms = ?5,"
                                    " version = version + 1 WHERE owner = ?1 AND id = ?2 AND version = ?6",
                                    row.owner, row.id, row.document, row.enabled, now_, row.version),
                 kRuleVersion, row.owner, row.id, row.version);
}

Result<Written> Applier::Do(const Put<Receiver>& put) {
  const Receiver& row = put.row;
  if (row.version == 0) {
    return OneOf(connection_.Change("INSERT INTO receivers (owner, id, kind, name, document, secret, active, reason,"
                                    " version, created_ms, updated_ms)"
                                    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?9)",
                                    row.owner, row.id, row.kind, row.name, row.document, row.secret.value_or(""),
                                    row.active, row.reason, now_),
                 row.id);
  }
  PAWSIGHT_ASSIGN_OR_RETURN(
      Written written,
      Changed(connection_.Change("UPDATE receivers SET kind = ?3, name = ?4, document = ?5,"
                                 " secret = CASE ?6 WHEN 1 THEN ?7 ELSE secret END, active = ?8, reason = ?9,"
                                 " updated_ms = ?10, version = version + 1"
                                 " WHERE owner = ?1 AND id = ?2 AND version = ?11",
                                 row.owner, row.id, row.kind, row.name, row.document, row.secret.has_value(),
                                 row.secret.value_or(""), row.active, row.reason, now_, row.version),
              kReceiverVersion, row.owner, row.id, row.version));
  if (row.active) consequences_->pending.emplace(row.owner, row.id);  // what waited may go now
  return written;
}

Result<Written> Applier::Do(const Put<Snooze>& put) {
  const Snooze& row = put.row;
  return OneOf(connection_.Change("INSERT INTO snoozes (owner, camera, rule, until_ms, who, created_ms)"
                                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (owner, camera, rule) DO UPDATE SET"
                                  " until_ms = excluded.until_ms, who = excluded.who, created_ms = excluded.created_ms",
                                  row.owner, row.camera, row.rule, row.until, row.who, now_),
               row.owner);
}

Result<Written> Applier::Do(const Put<Setting>& put) {
  const Setting& row = put.row;
  PAWSIGHT_ASSIGN_OR_RETURN(Statement select,
                            connection_.Prepare("SELECT version, document FROM settings WHERE name = ?1"));
  select.BindAll(row.name);
  PAWSIGHT_ASSIGN_OR_RETURN(const bool there, select.Step());
  const int64_t version = there ? select.Integer(0) : 0;
  const AuditEntry entry{.who = row.who,
                         .action = "settings.put",
                         .object = row.name,
                         .before = there ? select.Text(1) : "",
                         .after = row.document};
  if (version != row.version) {
    if (!there) return NoSuch(row.name);
    if (row.version == 0) return Status(StatusCode::kAlreadyExists, row.name + ": is there already", "exists");
    return Status(StatusCode::kAborted, row.name + ": has version " + std::to_string(version) + " now", "conflict");
  }
  PAWSIGHT_RETURN_IF_ERROR(
      connection_
          .Change("INSERT INTO settings (name, document, version, who, updated_ms) VALUES (?1, ?2, ?3, ?4, ?5)"
                  " ON CONFLICT (name) DO UPDATE SET document = excluded.document, version = excluded.version,"
                  " who = excluded.who, updated_ms = excluded.updated_ms",
                  row.name, row.document, version + 1, row.who, now_)
          .status());
  PAWSIGHT_RETURN_IF_ERROR(AddAudit(entry));
  return Written{.number = version + 1};
}

Result<Written> Applier::Do(const Delete<Device>& remove) {
  const Result<int64_t> there = connection_.Change(
      "UPDATE devices SET version = version WHERE owner = ?1 AND id = ?2 AND (?3 = 0 OR version = ?3)", remove.owner,
      remove.id, remove.version);
  PAWSIGHT_RETURN_IF_ERROR(Changed(there, kDeviceVersion, remove.owner, remove.id, remove.version).status());
  PAWSIGHT_RETURN_IF_ERROR(
      ForEach({"UPDATE cameras SET device = NULL, version = version + 1 WHERE owner = ?1 AND device = ?2",
               "DELETE FROM devices WHERE owner = ?1 AND id = ?2"},
              remove.owner, remove.id));
  return One();
}

Result<Written> Applier::Do(const Delete<Camera>& remove) {
  const Result<int64_t> deleted =
      connection_.Change("DELETE FROM cameras WHERE owner = ?1 AND id = ?2 AND (?3 = 0 OR version = ?3)", remove.owner,
                         remove.id, remove.version);
  PAWSIGHT_RETURN_IF_ERROR(Changed(deleted, kCameraVersion, remove.owner, remove.id, remove.version).status());
  PAWSIGHT_RETURN_IF_ERROR(ForEach({"DELETE FROM snoozes WHERE owner = ?1 AND camera = ?2",
                                    "INSERT OR IGNORE INTO removals (owner, kind, id) VALUES (?1, 1, ?2)"},
                                   remove.owner, remove.id));
  consequences_->removals = true;
  return One();
}

Result<Written> Applier::Do(const Delete<Rule>& remove) {
  const Result<int64_t> deleted =
      connection_.Change("DELETE FROM rules WHERE owner = ?1 AND id = ?2 AND (?3 = 0 OR version = ?3)", remove.owner,
                         remove.id, remove.version);
  PAWSIGHT_RETURN_IF_ERROR(Changed(deleted, kRuleVersion, remove.owner, remove.id, remove.version).status());
  PAWSIGHT_RETURN_IF_ERROR(ForEach({"DELETE FROM snoozes WHERE owner = ?1 AND rule = ?2"}, remove.owner, remove.id));
  return One();
}

Result<Written> Applier::Do(const Delete<Receiver>& remove) {
  const Result<int64_t> deleted =
      connection_.Change("DELETE FROM receivers WHERE owner = ?1 AND id = ?2 AND (?3 = 0 OR version = ?3)",
                         remove.owner, remove.id, remove.version);
  PAWSIGHT_RETURN_IF_ERROR(Changed(deleted, kReceiverVersion, remove.owner, remove.id, remove.version).status());
  PAWSIGHT_RETURN_IF_ERROR(
      ForEach({"INSERT OR IGNORE INTO removals (owner, kind, id) VALUES (?1, 2, ?2)"}, remove.owner, remove.id));
  consequences_->removals = true;
  return One();
}

Result<Written> Applier::Do(const Delete<Credential>& remove) {
  return OneOf(
      connection_.Change("DELETE FROM credentials WHERE owner IS ?1 AND id = ?2", OrNull{remove.owner}, remove.id),
      remove.id);
}

Result<Written> Applier::Do(const Delete<Picture>& remove) {
  return OneOf(connection_.Change("DELETE FROM pictures WHERE owner = ?1 AND id = ?2", remove.owner, remove.id),
               remove.id);
}

Result<Written> Applier::Do(const Need<Receiver>& need) {
  PAWSIGHT_ASSIGN_OR_RETURN(
      const bool there, connection_.Any("SELECT 1 FROM receivers WHERE owner = ?1 AND id = ?2", need.owner, need.id));
  if (!there) return NotFound(need.id + ": there is no such receiver", "needed");
  return Written{};
}

Result<Written> Applier::Do(const DeleteSnooze& remove) {
  return OneOf(connection_.Change("DELETE FROM snoozes WHERE owner = ?1 AND camera = ?2 AND rule = ?3", remove.owner,
                                  remove.camera, remove.rule),
               "snooze");
}

Result<Written> Applier::Do(const Revoke& revoke) {
  return OneOf(connection_.Change("UPDATE credentials SET revoked_ms = coalesce(revoked_ms, ?3)"
                                  " WHERE owner IS ?1 AND id = ?2",
                                  OrNull{revoke.owner}, revoke.id, now_),
               revoke.id);
}

Result<Written> Applier::Do(const ReplaceSecret& replace) {
  consequences_->fold_log = true;
  return OneOf(connection_.Change("UPDATE receivers SET secret = ?3 WHERE owner = ?1 AND id = ?2", replace.owner,
                                  replace.id, replace.secret),
               replace.id);
}

Status Applier::AddAudit(const AuditEntry& entry) {
  return connection_
      .Change(
          "INSERT INTO audit (time_ms, owner, who, action, object, before, after)"
          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
          now_, OrNull{entry.owner}, entry.who, entry.action, entry.object, entry.before, entry.after)
      .status();
}

Result<Written> Applier::Do(const Audit& audit) {
  PAWSIGHT_RETURN_IF_ERROR(AddAudit(audit.entry));
  return One();
}

Result<Written> Applier::Do(const EraseOwner& erase) {
  PAWSIGHT_ASSIGN_OR_RETURN(const bool there, connection_.Any("SELECT 1 FROM owners WHERE id = ?1", erase.owner));
  if (!there) return NoSuch(erase.owner);
  for (const char* sql : {"DELETE FROM credentials WHERE owner = ?1", "DELETE FROM receivers WHERE owner = ?1",
                          "DELETE FROM cameras WHERE owner = ?1", "DELETE FROM devices WHERE owner = ?1",
                          "DELETE FROM rules WHERE owner = ?1", "DELETE FROM snoozes WHERE owner = ?1",
                          "INSERT OR IGNORE INTO removals (owner, kind, id) VALUES (?1, 0, '')"}) {
    PAWSIGHT_RETURN_IF_ERROR(connection_.Change(sql, erase.owner).status());
  }
  consequences_->removals = true;
  return One();
}

}  // namespace pawsight::events
