// gateway/report.h: what came of one frame of a camera that is watched by whoever started the program, for its
// terminal and its page: the path's result, with the frame's number and the events' places in the store. Values.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/json.h"
#include "gateway/path/frame_result.h"
#include "rules/rule.h"

namespace pawsight::gateway {

struct FrameReport {
  uint64_t number = 0;  // of the camera's frames: 1, 2, 3...; one that is missing was dropped
  /// Its outcomes are those of the rules that look through the camera; none when the bytes are no image.
  std::shared_ptr<const FrameResult> result;
  std::vector<int64_t> sequences;  // one a change: its event's in the store; 0 when it is not there
};

/// Told after the frame is through, in the order of the frames, by one thread at a time; must be quick. (Of bytes that
/// are no image it is told by the thread that brought them, at once.)
class ReportObserver {
 public:
  virtual ~ReportObserver() = default;
  virtual void OnFrame(const std::vector<rules::Rule>& rules, const FrameReport& report) = 0;
};

/// {"type":"frame","camera","time","frame","asked","look_ms","ask_ms","trouble"?,
///  "rules":[{"rule","p_yes","verdict","reason","phase"}]}
Json FrameToJson(const FrameReport& report);
/// {"type":"alert.fired","id","sequence","time","camera","rule","question","expect","severity","alert","frame","p_yes",
///  "threshold","since" or "fired_at","recorded"}: "alert" counts the rule's.
Json AlertToJson(const FrameReport& report, size_t change_idx);

}  // namespace pawsight::gateway
