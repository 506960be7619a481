// gateway/lines.h: what comes of frames, as lines of `watch` and `demo`: for a person, or with json one JSON object a
// line for a program. Cameras, rules and questions are in words, with their ids beside. Counts what it tells.
// Thread-safe: a frame's lines are written together.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/mutex.h"
#include "gateway/event_record.h"
#include "gateway/names.h"
#include "gateway/path/observers.h"

namespace pawsight::gateway {

struct LinesOptions {
  bool json = false;
  bool answers = true;  // a line for each frame asked about, not only for alerts
};

/// What was seen, for the last line.
struct LineCounts {
  uint64_t num_frames = 0;
  uint64_t num_asked = 0;
  uint64_t num_alerts = 0;
  uint64_t num_dropped = 0;  // frames: a newer one came before their turn
  uint64_t num_changes = 0;  // of alerts: fired, updated, resolved
};

/// {"type":"frame","camera","camera_id","time","frame","asked","look_ms","ask_ms","pool"?,"trouble"?,
///  "rules":[{"rule","rule_id","question","p_yes","verdict","reason","phase"}]}: "frame" counts the camera's, as its
/// sender does.
Json FrameToJson(const FrameResult& result, const Names& names);
/// {"type":"alert.fired"|"alert.updated"|"alert.resolved","id","sequence","time","camera","camera_id","rule","rule_id","question",
///  "expect","severity","alert","alert_id","frame","p_yes","threshold","since" or "fired_at","cause"?,"recorded"}:
/// "alert" counts the rule's; "id" and "sequence" are the event's in the file of events, without one the gateway's and
/// 0; "frame" is null where no frame ended it.
Json AlertToJson(const AlertNotice& notice, std::optional<uint64_t> frame, const Names& names,
                 const EventRecord::Place& place);
/// "08:15:30  frame 12  Is the dog on the couch? yes 0.93 [pending]", and a line an alert; "" when there is nothing to
/// say. With several cameras each line names its own.
std::string FrameText(const FrameResult& result, const Names& names, bool answers);

class Lines : public Watcher {
 public:
  /// `out`, `names` and `kept` (null: no file of events) must outlive it; each frame's lines are flushed.
  Lines(std::FILE* out, const LinesOptions& options, const Names& names, const EventRecord* kept)
      : out_(out), options_(options), names_(names), kept_(kept) {}

  void OnFrame(const std::shared_ptr<const FrameResult>& result) override EXCLUDES(mu_);
  /// Those of frames are told with them; here what an edit ended.
  void OnAlert(const AlertNotice& notice) override EXCLUDES(mu_);
  LineCounts counts() const EXCLUDES(mu_);

 private:
  std::string JsonOf(const AlertNotice& notice, std::optional<uint64_t> frame) const;
  void Write(const std::string& lines) REQUIRES(mu_);

  std::FILE* const out_;
  const LinesOptions options_;
  const Names& names_;
  const EventRecord* const kept_;
  mutable Mutex mu_;
  LineCounts counts_ GUARDED_BY(mu_);
};

}  // namespace pawsight::gateway
