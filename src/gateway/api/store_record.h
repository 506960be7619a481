// gateway/api/store_record.h: station 12 over the event store: an alert's change, its state, the event and a delivery
// to each receiver in one transaction. Thread-safe.
#pragma once

#include "events/store.h"
#include "gateway/api/registry.h"
#include "gateway/path/record.h"

namespace pawsight::gateway {

class StoreRecord : public Record {
 public:
  /// `store` must outlive it. Call SetRegistry before the first frame.
  explicit StoreRecord(events::Store& store) : store_(store) {}
  /// Says what a camera is called; must outlive it.
  void SetRegistry(const Registry& registry) { registry_ = &registry; }

  void Write(std::vector<RecordEntry> entries, Done done) override;

 private:
  void AddNotice(const RecordEntry& entry, events::WriteBatch* batch) const;

  events::Store& store_;
  const Registry* registry_ = nullptr;
};

}  // namespace pawsight::gateway
