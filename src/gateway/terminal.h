// gateway/terminal.h: alerts and answers as lines, for a person or, with json, one JSON object a line for a program.
// Thread-safe: a frame's lines are written together.
#pragma once

#include <cstdio>
#include <string>

#include "gateway/report.h"

namespace pawsight::gateway {

struct TerminalOptions {
  bool json = false;
  bool answers = true;  // a line for each frame asked about, not only for alerts
};

class Terminal : public ReportObserver {
 public:
  /// `out` must outlive the terminal; each frame's lines are flushed.
  Terminal(std::FILE* out, const TerminalOptions& options) : out_(out), options_(options) {}

  void OnFrame(const std::vector<rules::Rule>& rules, const FrameReport& report) override;

  /// The lines of one frame, for a person: "08:15:30  frame 12  Is the dog on the couch? yes 0.93 pending".
  static std::string Lines(const std::vector<rules::Rule>& rules, const FrameReport& report, bool answers);

 private:
  std::FILE* const out_;
  const TerminalOptions options_;
};

}  // namespace pawsight::gateway
