// Alerts, events, their deliveries and pictures: what frames write.
#include "events/apply.h"
#include "events/ids.h"

namespace pawsight::events {

std::string EventId(const std::string& store_name, int64_t sequence, int64_t recorded_ms) {
  // The low bits must differ between stores, and between what was lost with a disk and what was recorded after a copy
  // was put back: both have the same sequence. FNV-1a, then SplitMix64's finish.
  uint64_t mixed = 0xCBF29CE484222325ULL ^ static_cast<uint64_t>(recorded_ms);
  for (const char c : store_name) mixed = (mixed ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
  mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBULL;
  return MakeId("evt_", static_cast<uint64_t>(sequence), mixed ^ (mixed >> 31U));
}

Result<Written> Applier::Do(const Put<AlertState>& put) {
  const AlertState& row = put.row;
  PAWSIGHT_ASSIGN_OR_RETURN(
      const int64_t touched,
      connection_.Change("INSERT INTO alert_states (owner, camera, rule, document, updated_ms)"
                         " SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM cameras WHERE owner = ?1 AND id = ?2)"
                         " AND EXISTS (SELECT 1 FROM rules WHERE owner = ?1 AND id = ?3)"
                         " ON CONFLICT (owner, camera, rule) DO UPDATE SET document = excluded.document,"
                         " updated_ms = excluded.updated_ms",
                         row.owner, row.camera, row.rule, row.document, now_));
  return Written{.number = touched};
}

/// Members of the document before that the newer does not name stay, when both are JSON: what the firing said.
Result<Written> Applier::Do(const Put<Alert>& put) {
  const Alert& row = put.row;
  PAWSIGHT_ASSIGN_OR_RETURN(
      const int64_t touched,
      connection_.Change(
          "INSERT INTO alerts (owner, id, camera, rule, severity, fired_ms, resolved_ms, document,"
          " updated_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (owner, id) DO UPDATE SET"
          " severity = excluded.severity, resolved_ms = excluded.resolved_ms,"
          " document = CASE WHEN json_valid(document) AND json_valid(excluded.document)"
          " THEN json_patch(document, excluded.document) ELSE excluded.document END,"
          " updated_ms = excluded.updated_ms",
          row.owner, row.id, row.camera, row.rule, row.severity, row.fired, row.resolved, row.document, now_));
  return Written{.number = touched};
}

Result<Written> Applier::Do(const Put<Picture>& put) {
  const Picture& row = put.row;
  PAWSIGHT_ASSIGN_OR_RETURN(
      const int64_t touched,
      connection_.Change("INSERT INTO pictures (owner, id, camera, content_type, created_ms, expires_ms, bytes)"
                         " SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7"
                         " FROM cameras WHERE owner = ?1 AND id = ?3 AND keep_pictures = 1",
                         row.owner, row.id, row.camera, row.content_type, now_, row.expires,
                         std::span<const uint8_t>(row.bytes)));
  return Written{.number = touched};
}

Result<Written> Applier::Do(const AddEvent& add) {
  const Event& event = add.event;
  const std::string_view owner = event.owner.empty() ? kLocalOwner : std::string_view(event.owner);
  const std::string detail = event.detail.is_null() ? "{}" : event.detail.Dump();
  PAWSIGHT_ASSIGN_OR_RETURN(
      Statement insert,
      connection_.Prepare("INSERT INTO events (time_ms, type, camera, rule, detail, owner, alert, recorded_ms)"
                          " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING sequence"));
  insert.BindAll(event.time, event.type, event.camera, event.rule, detail, owner, event.alert, now_);
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, insert.Step());
  CHECK(row);
  const int64_t sequence = insert.Integer(0);
  PAWSIGHT_RETURN_IF_ERROR(insert.Step().status());  // the references are checked at the end
  for (size_t i = 0; i < add.receivers.size(); ++i) {
    const std::string& receiver = add.receivers[i];
    bool again = false;
    for (size_t k = 0; k < i; ++k) again = again || add.receivers[k] == receiver;
    if (again) continue;
    PAWSIGHT_ASSIGN_OR_RETURN(
        const int64_t touched,
        connection_.Change("INSERT INTO outbox (owner, receiver, event, state, attempts, next_ms, error, created_ms)"
                           " SELECT owner, id, ?3, 0, 0, ?4, '', ?4"
                           " FROM receivers WHERE owner = ?1 AND id = ?2 AND active = 1",
                           owner, receiver, sequence, now_));
    if (touched != 0) consequences_->pending.emplace(owner, receiver);
  }
  return Written{.number = sequence, .id = EventId(store_name_, sequence, Milliseconds(now_))};
}

Result<Written> Applier::Do(const Delivered& delivered) {
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t touched, connection_.Change("UPDATE outbox SET state = 1, finished_ms = ?3"
                                                                      " WHERE id = ?2 AND owner = ?1 AND state = 0",
                                                                      delivered.owner, delivered.id, now_));
  return Written{.number = touched};
}

Result<Written> Applier::Do(const DeliveryFailed& failed) {
  const std::string_view error = std::string_view(failed.error).substr(0, kMaxNameBytes);
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t touched,
                            connection_.Change("UPDATE outbox SET attempts = attempts + 1, error = ?3, next_ms = ?4"
                                               " WHERE id = ?2 AND owner = ?1 AND state = 0",
                                               failed.owner, failed.id, error, failed.next));
  return Written{.number = touched};
}

Result<Written> Applier::Do(const DeliveryDead& dead) {
  const std::string_view error = std::string_view(dead.error).substr(0, kMaxNameBytes);
  PAWSIGHT_ASSIGN_OR_RETURN(
      const int64_t touched,
      connection_.Change("UPDATE outbox SET state = 2, attempts = attempts + 1, error = ?3, finished_ms = ?4"
                         " WHERE id = ?2 AND owner = ?1 AND state = 0",
                         dead.owner, dead.id, error, now_));
  return Written{.number = touched};
}

Result<Written> Applier::Do(const RetryDelivery& retry) {
  PAWSIGHT_ASSIGN_OR_RETURN(
      Statement update,
      connection_.Prepare("UPDATE outbox SET state = 0, attempts = 0, next_ms = ?3, finished_ms = NULL"
                          " WHERE id = ?2 AND owner = ?1 AND state = 2 RETURNING receiver"));
  update.BindAll(retry.owner, retry.id, now_);
  PAWSIGHT_ASSIGN_OR_RETURN(const bool row, update.Step());
  if (!row) return NotFound("delivery " + std::to_string(retry.id) + ": no such dead one", "not_found");
  consequences_->pending.emplace(retry.owner, update.Text(0));
  PAWSIGHT_RETURN_IF_ERROR(update.Step().status());
  return Written{.number = 1};
}

Result<Written> Applier::Do(const SetReceiverActive& set) {
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t touched,
                            connection_.Change("UPDATE receivers SET active = ?3, reason = ?4, updated_ms = ?5,"
                                               " version = version + 1 WHERE owner = ?1 AND id = ?2",
                                               set.owner, set.id, set.active, set.reason, now_));
  if (touched == 0) return NotFound(set.id + ": there is no such row", "not_found");
  if (set.active) consequences_->pending.emplace(set.owner, set.id);
  return Written{.number = touched};
}

}  // namespace pawsight::events
