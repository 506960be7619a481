// Reads of what people make: owners, credentials, devices, cameras, rules, receivers, snoozes, settings, the audit.
#include <limits>
#include <utility>

#include "base/json.h"
#include "events/apply.h"
#include "events/ids.h"
#include "events/parts.h"
#include "events/store.h"

namespace pawsight::events {
namespace {

/// How rows of one kind are read: `kFrom` the table, with "owner" and "id"; `kOwner` how the owner is compared.
template <typename Row>
struct Table;

template <>
struct Table<Device> {
  static constexpr const char* kColumns = "owner, id, name, version, created_ms";
  static constexpr const char* kFrom = "devices";
  static constexpr const char* kOwner = "owner = ?1";
  static Device Make(const Statement& row) {
    return {.owner = row.Text(0),
            .id = row.Text(1),
            .name = row.Text(2),
            .version = row.Integer(3),
            .created = row.TimeAt(4)};
  }
};

template <>
struct Table<Credential> {
  static constexpr const char* kColumns = "owner, id, role, device, name, hash, created_ms, expires_ms, revoked_ms";
  static constexpr const char* kFrom = "credentials";
  static constexpr const char* kOwner = "owner IS nullif(?1, '')";
  static Credential Make(const Statement& row) {
    Credential credential{.id = row.Text(1),
                          .owner = row.Text(0),
                          .role = static_cast<Role>(row.Integer(2)),
                          .device = row.Text(3),
                          .name = row.Text(4),
                          .created = row.TimeAt(6),
                          .expires = row.OptionalTime(7),
                          .revoked = row.OptionalTime(8)};
    const std::vector<uint8_t> hash = row.Bytes(5);
    std::copy_n(hash.begin(), std::min(hash.size(), credential.hash.size()), credential.hash.begin());
    return credential;
  }
};

template <>
struct Table<Camera> {
  static constexpr const char* kColumns =
      "owner, id, device, name, labels, source, zone, enabled, keep_pictures, document, version, created_ms";
  static constexpr const char* kFrom = "cameras";
  static constexpr const char* kOwner = "owner = ?1";
  static Result<Camera> Make(const Statement& row) {
    Camera camera{.owner = row.Text(0),
                  .id = row.Text(1),
                  .device = row.Text(2),
                  .name = row.Text(3),
                  .source = row.Text(5),
                  .zone = row.Text(6),
                  .enabled = row.Integer(7) != 0,
                  .keep_pictures = row.Integer(8) != 0,
                  .document = row.Text(9),
                  .version = row.Integer(10),
                  .created = row.TimeAt(11)};
    const Result<Json> labels = Json::Parse(row.Text(4));
    if (!labels.ok() || !labels->is_array())
      return DataLoss("events: labels of " + camera.id + " are damaged", "corrupt");
    for (const Json& label : labels->as_array()) {
      if (label.is_string()) camera.labels.push_back(label.as_string());
    }
    return camera;
  }
};

template <>
struct Table<Rule> {
  static constexpr const char* kColumns = "owner, id, document, enabled, version, created_ms, updated_ms";
  static constexpr const char* kFrom = "rules";
  static constexpr const char* kOwner = "owner = ?1";
  static Rule Make(const Statement& row) {
    return {.owner = row.Text(0),
            .id = row.Text(1),
            .document = row.Text(2),
            .enabled = row.Integer(3) != 0,
            .version = row.Integer(4),
            .created = row.TimeAt(5),
            .updated = row.TimeAt(6)};
  }
};

template <>
struct Table<Receiver> {
  static constexpr const char* kColumns =  // never its secret
      "owner, id, kind, name, document, active, reason, version, created_ms, updated_ms";
  static constexpr const char* kFrom = "receivers";
  static constexpr const char* kOwner = "owner = ?1";
  static Receiver Make(const Statement& row) {
    return {.owner = row.Text(0),
            .id = row.Text(1),
            .kind = row.Text(2),
            .name = row.Text(3),
            .document = row.Text(4),
            .active = row.Integer(5) != 0,
            .reason = row.Text(6),
            .version = row.Integer(7),
            .created = row.TimeAt(8),
            .updated = row.TimeAt(9)};
  }
};

template <typename Row>
const std::string& GetSql() {
  static const std::string sql = std::string("SELECT ") + Table<Row>::kColumns + " FROM " + Table<Row>::kFrom +
                                 " WHERE " + Table<Row>::kOwner + " AND id = ?2";
  return sql;
}

template <typename Row>
const std::string& ListSql(bool newest_first) {
  static const std::string start =
      std::string("SELECT ") + Table<Row>::kColumns + " FROM " + Table<Row>::kFrom + " WHERE " + Table<Row>::kOwner;
  static const std::string forward = start + " AND id > ?2 ORDER BY id LIMIT ?3";
  static const std::string backward = start + " AND id < ?2 ORDER BY id DESC LIMIT ?3";
  return newest_first ? backward : forward;
}

constexpr const char* kCredentialByHash =
    "SELECT owner, id, role, device, name, hash, created_ms, expires_ms, revoked_ms FROM credentials WHERE hash = ?1";

Owner MakeOwner(const Statement& row) {
  return {.id = row.Text(0),
          .name = row.Text(1),
          .document = row.Text(2),
          .version = row.Integer(3),
          .created = row.TimeAt(4)};
}

/// Of the rows whose ids begin so.
constexpr std::pair<const char*, const char*> kOwnerOf[] = {
    {"dev_", "SELECT owner FROM devices WHERE id = ?1"},     {"cam_", "SELECT owner FROM cameras WHERE id = ?1"},
    {"rul_", "SELECT owner FROM rules WHERE id = ?1"},       {"rcv_", "SELECT owner FROM receivers WHERE id = ?1"},
    {"crd_", "SELECT owner FROM credentials WHERE id = ?1"}, {"alr_", "SELECT owner FROM alerts WHERE id = ?1 LIMIT 1"},
};

/// Not those that are being erased.
constexpr const char* kOwnerById =
    "SELECT id, name, document, version, created_ms FROM owners WHERE id = ?1"
    " AND NOT EXISTS (SELECT 1 FROM removals WHERE owner = ?1 AND kind = 0 AND removals.id = '')";
constexpr const char* kOwners =
    "SELECT id, name, document, version, created_ms FROM owners WHERE id > ?1"
    " AND NOT EXISTS (SELECT 1 FROM removals WHERE owner = owners.id AND kind = 0 AND removals.id = '')"
    " ORDER BY id LIMIT ?2";
constexpr const char* kOwnersBackwards =
    "SELECT id, name, document, version, created_ms FROM owners WHERE id < ?1"
    " AND NOT EXISTS (SELECT 1 FROM removals WHERE owner = owners.id AND kind = 0 AND removals.id = '')"
    " ORDER BY id DESC LIMIT ?2";

}  // namespace

template <typename Row>
Result<Row> Store::Get(const std::string& owner, const std::string& id) const {
  return parts_->readers->With([&](Connection& connection) -> Result<Row> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare(GetSql<Row>().c_str()));
    select.BindAll(owner, id);
    return OneRow<Row>(select, id, Table<Row>::Make);
  });
}

template <typename Row>
Result<std::vector<Row>> Store::List(const std::string& owner, const Page& page) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(page.limit));
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<Row>> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare(ListSql<Row>(page.newest_first).c_str()));
    select.BindAll(owner, page.Bound(), limit);
    return CollectRows<Row>(select, Table<Row>::Make);
  });
}

template Result<Device> Store::Get(const std::string&, const std::string&) const;
template Result<Credential> Store::Get(const std::string&, const std::string&) const;
template Result<Camera> Store::Get(const std::string&, const std::string&) const;
template Result<Rule> Store::Get(const std::string&, const std::string&) const;
template Result<Receiver> Store::Get(const std::string&, const std::string&) const;
template Result<std::vector<Device>> Store::List(const std::string&, const Page&) const;
template Result<std::vector<Credential>> Store::List(const std::string&, const Page&) const;
template Result<std::vector<Camera>> Store::List(const std::string&, const Page&) const;
template Result<std::vector<Rule>> Store::List(const std::string&, const Page&) const;
template Result<std::vector<Receiver>> Store::List(const std::string&, const Page&) const;

std::string_view Page::Bound() const {
  // 0xff is in no UTF-8: greater than every id.
  return newest_first && after.empty() ? std::string_view("\xff") : std::string_view(after);
}

Result<std::string> Store::OwnerOf(const std::string& id) const {
  for (const auto& [prefix, sql] : kOwnerOf) {
    if (!IsId(prefix, id)) continue;
    return parts_->readers->With([&, sql = sql](Connection& connection) -> Result<std::string> {
      PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare(sql));
      select.BindAll(id);
      return OneRow<std::string>(select, id, [](const Statement& row) { return row.Text(0); });
    });
  }
  const std::optional<uint64_t> sequence = HighOfId("evt_", id);
  if (!sequence) return NotFound(id + ": no id of an object", "not_found");
  return parts_->readers->With([&](Connection& connection) -> Result<std::string> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select,
                              connection.Prepare("SELECT owner, recorded_ms FROM events WHERE sequence = ?1"));
    select.BindAll(*sequence);
    return OneRow<std::string>(select, id, [&](const Statement& row) -> Result<std::string> {
      const auto number = static_cast<int64_t>(*sequence);
      if (EventId(parts_->name, number, row.Integer(1)) == id) return row.Text(0);
      return NotFound(id + ": there is no such row", "not_found");  // of another store, or made up
    });
  });
}

Result<Owner> Store::GetOwner(const std::string& id) const {
  return parts_->readers->With([&](Connection& connection) -> Result<Owner> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare(kOwnerById));
    select.BindAll(id);
    return OneRow<Owner>(select, id, MakeOwner);
  });
}

Result<std::vector<Owner>> Store::ListOwners(const Page& page) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(page.limit));
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<Owner>> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare(page.newest_first ? kOwnersBackwards : kOwners));
    select.BindAll(page.Bound(), limit);
    return CollectRows<Owner>(select, MakeOwner);
  });
}

Result<bool> Store::IsErased(const std::string& owner) const {
  return parts_->readers->With([&](Connection& connection) -> Result<bool> {
    PAWSIGHT_ASSIGN_OR_RETURN(const bool there, connection.Any("SELECT 1 FROM owners WHERE id = ?1", owner));
    return !there;  // every row of every table refers to its owner, so none is left
  });
}

Result<Credential> Store::FindCredential(const std::array<uint8_t, 32>& hash) const {
  return parts_->readers->With([&](Connection& connection) -> Result<Credential> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare(kCredentialByHash));
    select.BindAll(std::span<const uint8_t>(hash));
    return OneRow<Credential>(select, "credential", Table<Credential>::Make);
  });
}

Result<std::string> Store::ReceiverSecret(const std::string& owner, const std::string& id) const {
  return parts_->readers->With([&](Connection& connection) -> Result<std::string> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select,
                              connection.Prepare("SELECT secret FROM receivers WHERE owner = ?1 AND id = ?2"));
    select.BindAll(owner, id);
    return OneRow<std::string>(select, id, [](const Statement& row) { return row.Text(0); });
  });
}

Result<std::vector<Snooze>> Store::ListSnoozes(const std::string& owner) const {
  const Time now = parts_->clock->Now();
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<Snooze>> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select,
                              connection.Prepare("SELECT owner, camera, rule, until_ms, who, created_ms FROM snoozes"
                                                 " WHERE owner = ?1 AND until_ms > ?2 ORDER BY camera, rule LIMIT ?3"));
    select.BindAll(owner, now, kMaxListed);
    return CollectRows<Snooze>(select, [](const Statement& row) {
      return Snooze{.owner = row.Text(0),
                    .camera = row.Text(1),
                    .rule = row.Text(2),
                    .until = row.TimeAt(3),
                    .who = row.Text(4),
                    .created = row.TimeAt(5)};
    });
  });
}

Result<Setting> Store::GetSetting(const std::string& name) const {
  return parts_->readers->With([&](Connection& connection) -> Result<Setting> {
    PAWSIGHT_ASSIGN_OR_RETURN(
        Statement select,
        connection.Prepare("SELECT name, document, version, who, updated_ms FROM settings WHERE name = ?1"));
    select.BindAll(name);
    return OneRow<Setting>(select, name, [](const Statement& row) {
      return Setting{.name = row.Text(0),
                     .document = row.Text(1),
                     .version = row.Integer(2),
                     .who = row.Text(3),
                     .updated = row.TimeAt(4)};
    });
  });
}

Result<std::vector<AuditEntry>> Store::ListAudit(const std::string& owner, int64_t before, int given) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(given));
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<AuditEntry>> {
    PAWSIGHT_ASSIGN_OR_RETURN(
        Statement select, connection.Prepare("SELECT id, time_ms, owner, who, action, object, before, after FROM audit"
                                             " WHERE owner IS ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3"));
    select.BindAll(OrNull{owner}, before == 0 ? std::numeric_limits<int64_t>::max() : before, limit);
    return CollectRows<AuditEntry>(select, [](const Statement& row) {
      return AuditEntry{.id = row.Integer(0),
                        .time = row.TimeAt(1),
                        .owner = row.Text(2),
                        .who = row.Text(3),
                        .action = row.Text(4),
                        .object = row.Text(5),
                        .before = row.Text(6),
                        .after = row.Text(7)};
    });
  });
}

}  // namespace pawsight::events
