// Reads of what frames wrote: alert states, alerts, events, deliveries, pictures.
#include <limits>

#include "events/ids.h"
#include "events/parts.h"
#include "events/store.h"

namespace pawsight::events {
namespace {

#define PAWSIGHT_ALERT_COLUMNS "owner, id, camera, rule, severity, fired_ms, resolved_ms, document, updated_ms"
#define PAWSIGHT_EVENT_COLUMNS "sequence, recorded_ms, owner, time_ms, type, camera, rule, alert, detail"
#define PAWSIGHT_DELIVERY_COLUMNS                                                                         \
  "events.sequence, events.recorded_ms, outbox.owner, events.time_ms, events.type, events.camera, "       \
  "events.rule, events.alert, events.detail, outbox.id, outbox.receiver, outbox.state, outbox.attempts, " \
  "outbox.next_ms, outbox.error, outbox.created_ms, outbox.finished_ms"                                   \
  " FROM outbox LEFT JOIN events ON events.sequence = outbox.event AND events.owner = outbox.owner"

Alert MakeAlert(const Statement& row) {
  return {.owner = row.Text(0),
          .id = row.Text(1),
          .camera = row.Text(2),
          .rule = row.Text(3),
          .severity = row.Text(4),
          .fired = row.TimeAt(5),
          .resolved = row.OptionalTime(6),
          .document = row.Text(7),
          .updated = row.TimeAt(8)};
}

Result<Event> MakeEvent(const std::string& store_name, const Statement& row) {
  Event event{.sequence = row.Integer(0),
              .id = EventId(store_name, row.Integer(0), row.Integer(1)),
              .owner = row.Text(2),
              .time = row.TimeAt(3),
              .type = row.Text(4),
              .camera = row.Text(5),
              .rule = row.Text(6),
              .alert = row.Text(7)};
  Result<Json> detail = Json::Parse(row.Text(8));
  if (!detail.ok()) return DataLoss("events: detail of " + event.id + " is damaged", "corrupt");
  event.detail = std::move(*detail);
  return event;
}

Result<Delivery> MakeDelivery(const std::string& store_name, const Statement& row) {
  Delivery delivery{.id = row.Integer(9),
                    .owner = row.Text(2),
                    .receiver = row.Text(10),
                    .state = static_cast<DeliveryState>(row.Integer(11)),
                    .attempts = static_cast<int>(row.Integer(12)),
                    .next = row.TimeAt(13),
                    .error = row.Text(14),
                    .created = row.TimeAt(15),
                    .finished = row.OptionalTime(16)};
  if (row.Integer(0) == 0) return delivery;  // retention has removed the event
  PAWSIGHT_ASSIGN_OR_RETURN(delivery.event, MakeEvent(store_name, row));
  return delivery;
}

/// The query for a filter: the narrowest index first, what it does not have is compared row by row.
const char* AlertsSql(const AlertFilter& filter, bool newest_first) {
#define PAWSIGHT_ALERTS(which)                                                                \
  (newest_first ? "SELECT " PAWSIGHT_ALERT_COLUMNS " FROM alerts WHERE owner = ?1 AND " which \
                  " AND id < ?2 ORDER BY id DESC LIMIT ?3"                                    \
                : "SELECT " PAWSIGHT_ALERT_COLUMNS " FROM alerts WHERE owner = ?1 AND " which \
                  " AND id > ?2 ORDER BY id LIMIT ?3")
  if (filter.open_only) {
    return PAWSIGHT_ALERTS("resolved_ms IS NULL AND (?4 = '' OR +camera = ?4) AND (?5 = '' OR +rule = ?5)");
  }
  if (!filter.camera.empty()) return PAWSIGHT_ALERTS("camera = ?4 AND (?5 = '' OR +rule = ?5)");
  if (!filter.rule.empty()) return PAWSIGHT_ALERTS("rule = ?5 AND ?4 = ''");
  return PAWSIGHT_ALERTS("?4 = '' AND ?5 = ''");
#undef PAWSIGHT_ALERTS
}

}  // namespace

template <>
Result<Alert> Store::Get(const std::string& owner, const std::string& id) const {
  return parts_->readers->With([&](Connection& connection) -> Result<Alert> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare("SELECT " PAWSIGHT_ALERT_COLUMNS
                                                                   " FROM alerts WHERE owner = ?1 AND id = ?2"));
    select.BindAll(owner, id);
    return OneRow<Alert>(select, id, MakeAlert);
  });
}

template <>
Result<std::vector<Alert>> Store::List(const std::string& owner, const Page& page) const {
  return ListAlerts(owner, {}, page);
}

Result<std::vector<Alert>> Store::ListAlerts(const std::string& owner, const AlertFilter& filter,
                                             const Page& page) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(page.limit));
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<Alert>> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare(AlertsSql(filter, page.newest_first)));
    select.BindAll(owner, page.Bound(), limit, filter.camera, filter.rule);
    return CollectRows<Alert>(select, MakeAlert);
  });
}

Result<std::vector<AlertState>> Store::ListAlertStates(const std::string& owner, const std::string& after_camera,
                                                       const std::string& after_rule, int given) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(given));
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<AlertState>> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select,
                              connection.Prepare("SELECT owner, camera, rule, document, updated_ms FROM alert_states"
                                                 " WHERE owner = ?1 AND (camera, rule) > (?2, ?3)"
                                                 " ORDER BY camera, rule LIMIT ?4"));
    select.BindAll(owner, after_camera, after_rule, limit);
    return CollectRows<AlertState>(select, [](const Statement& row) {
      return AlertState{.owner = row.Text(0),
                        .camera = row.Text(1),
                        .rule = row.Text(2),
                        .document = row.Text(3),
                        .updated = row.TimeAt(4)};
    });
  });
}

Result<Event> Store::GetEvent(const std::string& owner, const std::string& id) const {
  const std::optional<uint64_t> sequence = HighOfId("evt_", id);
  if (!sequence.has_value()) return NotFound(id + ": no id of an event", "not_found");
  return parts_->readers->With([&](Connection& connection) -> Result<Event> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare("SELECT " PAWSIGHT_EVENT_COLUMNS
                                                                   " FROM events WHERE sequence = ?2 AND owner = ?1"));
    select.BindAll(owner, *sequence);
    PAWSIGHT_ASSIGN_OR_RETURN(
        Event event, OneRow<Event>(select, id, [this](const Statement& row) { return MakeEvent(parts_->name, row); }));
    if (event.id != id) return NotFound(id + ": there is no such row", "not_found");  // of another store, or made up
    return event;
  });
}

Result<std::vector<Event>> Store::ListEvents(const std::string& owner, const EventFilter& filter, int64_t after,
                                             int given) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(given));
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<Event>> {
    PAWSIGHT_ASSIGN_OR_RETURN(
        Statement select,
        connection.Prepare(filter.camera.empty()
                               ? "SELECT " PAWSIGHT_EVENT_COLUMNS " FROM events WHERE owner = ?1 AND sequence > ?2"
                                 " AND ?4 = '' ORDER BY sequence LIMIT ?3"
                               : "SELECT " PAWSIGHT_EVENT_COLUMNS " FROM events WHERE owner = ?1 AND camera = ?4"
                                 " AND sequence > ?2 ORDER BY sequence LIMIT ?3"));
    select.BindAll(owner, after, limit, filter.camera);
    return CollectRows<Event>(select, [this](const Statement& row) { return MakeEvent(parts_->name, row); });
  });
}

Result<std::vector<Event>> Store::ListEventsBackwards(const std::string& owner, const EventFilter& filter,
                                                      int64_t before, int given) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(given));
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<Event>> {
    PAWSIGHT_ASSIGN_OR_RETURN(
        Statement select,
        connection.Prepare(filter.camera.empty()
                               ? "SELECT " PAWSIGHT_EVENT_COLUMNS " FROM events WHERE owner = ?1 AND sequence < ?2"
                                 " AND ?4 = '' ORDER BY sequence DESC LIMIT ?3"
                               : "SELECT " PAWSIGHT_EVENT_COLUMNS " FROM events WHERE owner = ?1 AND camera = ?4"
                                 " AND sequence < ?2 ORDER BY sequence DESC LIMIT ?3"));
    select.BindAll(owner, before == 0 ? std::numeric_limits<int64_t>::max() : before, limit, filter.camera);
    return CollectRows<Event>(select, [this](const Statement& row) { return MakeEvent(parts_->name, row); });
  });
}

Result<std::vector<Event>> Store::List(int64_t after, int limit) const {
  return ListEvents(std::string(kLocalOwner), {}, after, limit);
}

Result<std::vector<Event>> Store::ListNewest(int limit) const {
  Result<std::vector<Event>> events = ListEventsBackwards(std::string(kLocalOwner), {}, 0, limit);
  if (events.ok()) std::reverse(events->begin(), events->end());
  return events;
}

Result<std::vector<PendingReceiver>> Store::ListPendingReceivers(const std::string& after_owner,
                                                                 const std::string& after_receiver, int given) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(given));
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<PendingReceiver>> {
    std::vector<PendingReceiver> found;
    PendingReceiver last{.owner = after_owner, .receiver = after_receiver};
    while (found.size() < static_cast<size_t>(limit)) {
      // From one receiver to the next by the index: the rows of one are not walked through.
      PAWSIGHT_ASSIGN_OR_RETURN(
          Statement next,
          connection.Prepare("SELECT owner, receiver, next_ms FROM outbox WHERE state = 0"
                             " AND (owner, receiver) > (?1, ?2) ORDER BY owner, receiver, next_ms LIMIT 1"));
      next.BindAll(last.owner, last.receiver);
      PAWSIGHT_ASSIGN_OR_RETURN(const bool row, next.Step());
      if (!row) break;
      PendingReceiver one{.owner = next.Text(0), .receiver = next.Text(1), .next = next.TimeAt(2)};
      PAWSIGHT_ASSIGN_OR_RETURN(const bool active,
                                connection.Any("SELECT 1 FROM receivers WHERE owner = ?1 AND id = ?2 AND active = 1",
                                               one.owner, one.receiver));
      last = one;
      if (active) found.push_back(std::move(one));
    }
    return found;
  });
}

Result<std::vector<Delivery>> Store::DueDeliveries(const std::string& owner, const std::string& receiver, Time now,
                                                   int given) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(given));
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<Delivery>> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare("SELECT " PAWSIGHT_DELIVERY_COLUMNS
                                                                   " WHERE outbox.state = 0 AND outbox.owner = ?1"
                                                                   " AND outbox.receiver = ?2 AND outbox.next_ms <= ?3"
                                                                   " ORDER BY outbox.next_ms, outbox.id LIMIT ?4"));
    select.BindAll(owner, receiver, now, limit);
    return CollectRows<Delivery>(select, [this](const Statement& row) { return MakeDelivery(parts_->name, row); });
  });
}

Result<Delivery> Store::GetDelivery(const std::string& owner, int64_t id) const {
  return parts_->readers->With([&](Connection& connection) -> Result<Delivery> {
    PAWSIGHT_ASSIGN_OR_RETURN(Statement select, connection.Prepare("SELECT " PAWSIGHT_DELIVERY_COLUMNS
                                                                   " WHERE outbox.id = ?2 AND outbox.owner = ?1"));
    select.BindAll(owner, id);
    return OneRow<Delivery>(select, "delivery",
                            [this](const Statement& row) { return MakeDelivery(parts_->name, row); });
  });
}

Result<std::vector<Delivery>> Store::ListDeliveries(const std::string& owner, const DeliveryFilter& filter,
                                                    int64_t after, int given) const {
  PAWSIGHT_ASSIGN_OR_RETURN(const int limit, CheckLimit(given));
  if (filter.receiver.empty() && !filter.dead_only) return InvalidArgument("receiver: want one, or only the dead");
  return parts_->readers->With([&](Connection& connection) -> Result<std::vector<Delivery>> {
    PAWSIGHT_ASSIGN_OR_RETURN(
        Statement select,
        connection.Prepare(filter.dead_only
                               ? "SELECT " PAWSIGHT_DELIVERY_COLUMNS " WHERE outbox.state = 2 AND outbox.owner = ?1"
                                 " AND outbox.id > ?2 AND (?4 = '' OR +outbox.receiver = ?4)"
                                 " ORDER BY outbox.id LIMIT ?3"
                               : "SELECT " PAWSIGHT_DELIVERY_COLUMNS " WHERE outbox.owner = ?1"
                                 " AND outbox.receiver = ?4 AND outbox.id > ?2 ORDER BY outbox.id LIMIT ?3"));
    select.BindAll(owner, after, limit, filter.receiver);
    return CollectRows<Delivery>(select, [this](const Statement& row) { return MakeDelivery(parts_->name, row); });
  });
}

template <>
Result<Picture> Store::Get(const std::string& owner, const std::string& id) const {
  const Time now = parts_->clock->Now();
  return parts_->readers->With([&](Connection& connection) -> Result<Picture> {
    // The sweeper may be late; what has expired or lost its camera is not shown meanwhile.
    PAWSIGHT_ASSIGN_OR_RETURN(
        Statement select,
        connection.Prepare("SELECT owner, id, camera, content_type, created_ms, expires_ms, bytes FROM pictures"
                           " WHERE owner = ?1 AND id = ?2 AND expires_ms > ?3"
                           " AND EXISTS (SELECT 1 FROM cameras WHERE owner = ?1 AND cameras.id = pictures.camera)"));
    select.BindAll(owner, id, now);
    return OneRow<Picture>(select, id, [](const Statement& row) {
      return Picture{.owner = row.Text(0),
                     .id = row.Text(1),
                     .camera = row.Text(2),
                     .content_type = row.Text(3),
                     .bytes = row.Bytes(6),
                     .created = row.TimeAt(4),
                     .expires = row.TimeAt(5)};
    });
  });
}

}  // namespace pawsight::events
