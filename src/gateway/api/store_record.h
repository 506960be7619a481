// gateway/api/store_record.h: station 12 over the event store: an alert's change, its state, its picture when the owner
// wants it kept, the event and a delivery to each receiver in one transaction. Thread-safe.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/clock.h"
#include "events/store.h"
#include "gateway/api/picture_station.h"
#include "gateway/api/registry.h"
#include "gateway/path/record.h"

namespace pawsight::gateway {

/// The id that the picture of an alert has: one an alert.
std::string PictureIdOf(const std::string& alert);

class StoreRecord : public Record {
 public:
  /// `store` must outlive it, or be closed after Stop. Call SetRegistry before the first frame.
  /// `keep_pictures`: of alerts of cameras whose owner wants them kept, so long. `make`: of a frame's bytes; null:
  /// PictureOf.
  StoreRecord(events::Store& store, const Clock& clock, std::chrono::hours keep_pictures,
              PictureStation::Make make = nullptr);
  /// Says what a camera is called; must outlive it.
  void SetRegistry(const Registry& registry) { registry_ = &registry; }

  /// An alert whose picture is kept is written once the picture has been made, without one when it cannot be, or too
  /// many wait (gateway/api/picture_station.h). A camera's next change comes after its last was written, so their order
  /// stays.
  void Write(std::vector<RecordEntry> entries, Done done) override;

  /// Writes what waits for a picture; what comes then is written without one. After the path has ended, before the
  /// store.
  void Stop() { pictures_.Stop(); }

  PictureStation::Counts pictures() const { return pictures_.counts(); }

 private:
  void Submit(const std::vector<RecordEntry>& entries, const std::vector<uint8_t>& picture, Done done);
  void AddNotice(const RecordEntry& entry, const std::vector<uint8_t>& picture, events::WriteBatch* batch) const;
  /// The frame that fired these, when its picture is to be kept; else null.
  PictureStation::Frame FrameToKeep(const std::vector<RecordEntry>& entries) const;

  events::Store& store_;
  const Clock& clock_;
  const std::chrono::hours keep_pictures_;
  const Registry* registry_ = nullptr;
  PictureStation pictures_;  // last: its thread writes
};

}  // namespace pawsight::gateway
