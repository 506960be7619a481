// gateway/path/record.h: station 12 as the path sees it: an alert's change and the state behind it are written
// together, and nobody is told before they are on disk. An adapter over the store (events) implements it, turning
// `receivers` into rows of the outbox in the same transaction. Not here: SQL, rows.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "events/event.h"
#include "gateway/path/frame_result.h"

namespace pawsight::gateway {

/// One rule on one camera.
struct RecordEntry {
  std::string owner, camera, rule;
  std::optional<std::string> state;    // rules/alert_codec.h; absent: it stays as it is
  std::optional<AlertNotice> notice;   // absent: only the state moved
  std::vector<std::string> receivers;  // with a notice: who is told
  /// Of an alert that fired: the frame's bytes as they came, for a camera whose owner wants its picture kept.
  std::shared_ptr<const std::vector<uint8_t>> picture;
};

/// The event that tells of the change: what a receiver and a reader of events want to know of it
/// (docs/event-store.md, notify/message.h).
events::Event EventOf(const AlertNotice& notice);

class Record {
 public:
  virtual ~Record() = default;

  /// Writes the entries in one transaction; those of one camera in the order of the calls, as long as none is made
  /// between one that has a picture and its `done`. `done` is called exactly once, from any thread, also inside the
  /// call; OK once they are durable. Never blocks for longer than a queue's lock. Errors: kResourceExhausted (disk
  /// full, queue full), kUnavailable (locked), kDataLoss: the path keeps the entries and tries again. kInvalidArgument,
  /// kNotFound, kFailedPrecondition (the rule or camera is gone): it does not.
  using Done = std::function<void(Result<std::vector<std::string>> events)>;
  virtual void Write(std::vector<RecordEntry> entries, Done done) = 0;
};

}  // namespace pawsight::gateway
