#include "gateway/event_record.h"

#include <optional>

#include "events/rows.h"

namespace pawsight::gateway {

void EventRecord::Write(std::vector<RecordEntry> entries, Done done) {
  events::WriteBatch batch;
  std::vector<std::optional<size_t>> places;  // in the batch, of each entry
  for (const RecordEntry& entry : entries) {
    places.emplace_back();
    if (!entry.notice) continue;
    places.back() = batch.size();
    events::Event event = EventOf(*entry.notice);
    event.owner = std::string(events::kLocalOwner);
    event.alert.clear();  // there is no row of it
    batch.emplace_back(events::AddEvent{std::move(event), {}});
  }
  if (batch.empty()) return done(std::vector<std::string>(entries.size()));
  store_.Submit(std::move(batch), [this, done = std::move(done), places](const Result<events::Receipt>& receipt) {
    if (!receipt.ok()) return done(receipt.status());
    {
      MutexLock lock(mu_);
      num_written_ += receipt->size();
      for (const events::Written& written : *receipt) newest_.emplace_back(written.id, written.number);
      while (newest_.size() > kKept) newest_.pop_front();
    }
    std::vector<std::string> ids;
    for (const std::optional<size_t> place : places) ids.push_back(place ? receipt->at(*place).id : std::string());
    done(std::move(ids));
  });
}

int64_t EventRecord::SequenceOf(const std::string& event) const {
  MutexLock lock(mu_);
  for (const auto& [id, sequence] : newest_) {
    if (id == event) return sequence;
  }
  return 0;
}

uint64_t EventRecord::num_written() const {
  MutexLock lock(mu_);
  return num_written_;
}

}  // namespace pawsight::gateway
