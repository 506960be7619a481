// gateway/report.h: what came of one frame, told to those who watch: the terminal, the live page, a test. Values.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "events/event.h"
#include "gateway/frame.h"
#include "rules/alert.h"
#include "rules/rule.h"
#include "rules/verdict.h"

namespace pawsight::gateway {

/// What a frame meant to one rule.
struct RuleOutcome {
  std::optional<double> p_yes;            // absent when the frame was not asked or not answered
  std::optional<rules::Verdict> verdict;  // likewise
  rules::Reason reason = rules::Reason::kUnchanged;
  rules::AlertPhase phase = rules::AlertPhase::kInactive;  // after the frame
};

/// An alert opened or ended.
struct AlertChange {
  size_t rule_idx = 0;
  bool fired = false;   // else resolved
  uint64_t number = 0;  // of the rule's alerts: 1, 2...
  events::Event event;  // as stored, or as it waits to be
  Status recorded;      // OK once it is on disk
};

struct FrameReport {
  std::shared_ptr<const Frame> frame;
  bool asked = false;
  Status trouble;                     // why it was not decoded or not answered
  std::chrono::nanoseconds look{0};   // deciding whether to ask, and decoding
  std::chrono::nanoseconds ask{0};    // the backend's time
  std::vector<RuleOutcome> outcomes;  // one a rule, in the order of the rules
  std::vector<AlertChange> changes;
};

/// Told by the path's thread after the frame is through; must be quick.
class PathObserver {
 public:
  virtual ~PathObserver() = default;
  virtual void OnFrame(const std::vector<rules::Rule>& rules, const FrameReport& report) = 0;
};

/// {"type":"frame","camera","time","frame","asked","look_ms","ask_ms","trouble"?,
///  "rules":[{"rule","p_yes","verdict","reason","phase"}]}
Json FrameToJson(const std::string& camera, const std::vector<rules::Rule>& rules, const FrameReport& report);
/// {"type":"alert.fired","id","sequence","time","camera","rule",...detail, "recorded"}
Json AlertToJson(const AlertChange& change);

}  // namespace pawsight::gateway
