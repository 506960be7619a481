// gateway/api/store_record.h: station 12 over the event store: an alert's change, its state, its picture when the owner
// wants it kept, the event and a delivery to each receiver in one transaction. Thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "events/store.h"
#include "gateway/api/registry.h"
#include "gateway/path/record.h"

namespace pawsight::gateway {

/// The id that the picture of an alert has: one an alert.
std::string PictureIdOf(const std::string& alert);

class StoreRecord : public Record {
 public:
  /// `store` must outlive it. Call SetRegistry before the first frame.
  /// `keep_pictures`: of alerts of cameras whose owner wants them kept, so long.
  explicit StoreRecord(events::Store& store, const Clock& clock, std::chrono::hours keep_pictures)
      : store_(store), clock_(clock), keep_pictures_(keep_pictures) {}
  /// Says what a camera is called; must outlive it.
  void SetRegistry(const Registry& registry) { registry_ = &registry; }

  void Write(std::vector<RecordEntry> entries, Done done) override;

 private:
  void AddNotice(const RecordEntry& entry, const std::vector<uint8_t>& picture, events::WriteBatch* batch) const;
  /// The picture of the frame that fired these, when it is to be kept; else empty.
  std::vector<uint8_t> PictureFor(const std::vector<RecordEntry>& entries) const;

  events::Store& store_;
  const Clock& clock_;
  const std::chrono::hours keep_pictures_;
  const Registry* registry_ = nullptr;
};

}  // namespace pawsight::gateway
