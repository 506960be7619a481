#include "gateway/api/store_record.h"

#include <optional>
#include <utility>

#include "base/check.h"

namespace pawsight::gateway {
namespace {

constexpr size_t kMaxEventReceivers = 64;  // events::AddEvent's

}  // namespace

void StoreRecord::AddNotice(const RecordEntry& entry, events::WriteBatch* batch) const {
  const AlertNotice& notice = *entry.notice;
  const auto camera = registry_->FindCamera(notice.camera);
  events::Event event = EventOf(notice);
  event.owner = entry.owner;
  event.detail.Set("camera_name", camera ? camera->name : std::string());
  events::Alert alert;
  alert.owner = entry.owner;
  alert.id = notice.id;
  alert.camera = notice.camera;
  alert.rule = notice.rule;
  alert.severity = SeverityName(notice.severity);
  alert.fired = notice.change == AlertChange::kFired ? notice.time : notice.since;
  if (notice.change == AlertChange::kResolved) alert.resolved = notice.time;
  alert.document = event.detail.Dump();
  batch->emplace_back(events::Put<events::Alert>{std::move(alert)});
  std::vector<std::string> receivers = notice.change == AlertChange::kUpdated
                                           ? registry_->WantingUpdates(entry.owner, entry.receivers)
                                           : entry.receivers;
  if (receivers.size() > kMaxEventReceivers) receivers.resize(kMaxEventReceivers);
  batch->emplace_back(events::AddEvent{std::move(event), std::move(receivers)});
}

void StoreRecord::Write(std::vector<RecordEntry> entries, Done done) {
  CHECK(registry_ != nullptr);
  events::WriteBatch batch;
  std::vector<std::optional<size_t>> event_writes;  // where in the batch each entry's event is
  for (const RecordEntry& entry : entries) {
    if (entry.state) {
      events::AlertState state;
      state.owner = entry.owner;
      state.camera = entry.camera;
      state.rule = entry.rule;
      state.document = *entry.state;
      batch.emplace_back(events::Put<events::AlertState>{std::move(state)});
    }
    if (entry.notice) AddNotice(entry, &batch);
    event_writes.push_back(entry.notice ? std::optional(batch.size() - 1) : std::nullopt);
  }
  if (batch.empty()) return done(std::vector<std::string>(entries.size()));
  store_.Submit(std::move(batch), [done = std::move(done), event_writes](const Result<events::Receipt>& receipt) {
    if (!receipt.ok()) return done(receipt.status());
    std::vector<std::string> ids;
    for (const std::optional<size_t> at : event_writes) ids.push_back(at ? receipt->at(*at).id : std::string());
    done(std::move(ids));
  });
}

}  // namespace pawsight::gateway
