#include "gateway/event_record.h"

#include "events/rows.h"

namespace pawsight::gateway {

void EventRecord::Write(std::vector<RecordEntry> entries, Done done) {
  events::WriteBatch batch;
  std::vector<Kept> written;  // one a write of the batch
  for (const RecordEntry& entry : entries) {
    if (!entry.notice || PlaceOf(*entry.notice).sequence > 0) continue;
    events::Event event = EventOf(*entry.notice);
    event.owner = std::string(events::kLocalOwner);
    event.alert.clear();  // there is no row of it
    event.camera = names_.CameraOf(event.camera);
    event.rule = names_.WordOf(event.rule);
    written.push_back({entry.notice->id, entry.notice->change, entry.notice->time, {}});
    batch.emplace_back(events::AddEvent{std::move(event), {}});
  }
  if (batch.empty()) return next_.Write(std::move(entries), std::move(done));
  store_.Submit(std::move(batch), [this, entries = std::move(entries), done = std::move(done),
                                   written = std::move(written)](const Result<events::Receipt>& receipt) mutable {
    if (!receipt.ok()) return done(receipt.status());
    for (size_t i = 0; i < written.size(); ++i) {
      written[i].place = {receipt->at(i).id, receipt->at(i).number};
      Keep(std::move(written[i]));
    }
    next_.Write(std::move(entries), std::move(done));
  });
}

void EventRecord::Keep(Kept kept) {
  MutexLock lock(mu_);
  ++num_written_;
  newest_.push_back(std::move(kept));
  while (newest_.size() > kKept) newest_.pop_front();
}

EventRecord::Place EventRecord::PlaceOf(const AlertNotice& notice) const {
  MutexLock lock(mu_);
  for (auto kept = newest_.rbegin(); kept != newest_.rend(); ++kept) {
    if (kept->alert == notice.id && kept->change == notice.change && kept->time == notice.time) return kept->place;
  }
  return {};
}

uint64_t EventRecord::num_written() const {
  MutexLock lock(mu_);
  return num_written_;
}

}  // namespace pawsight::gateway
