// gateway/terminal.h: alerts and answers as lines, for a person or, with json, one JSON object a line for a program.
// Used by the path's thread only.
#pragma once

#include <cstdio>
#include <string>

#include "gateway/report.h"

namespace pawsight::gateway {

struct TerminalOptions {
  bool json = false;
  bool answers = true;  // a line for each frame asked about, not only for alerts
};

class Terminal : public PathObserver {
 public:
  /// `out` must outlive the terminal; each frame's lines are flushed.
  Terminal(std::FILE* out, std::string camera, const TerminalOptions& options)
      : out_(out), camera_(std::move(camera)), options_(options) {}

  void OnFrame(const std::vector<rules::Rule>& rules, const FrameReport& report) override;

  /// The lines of one frame, for a person: "08:15:30  frame 12  Is the dog on the couch? yes 0.93 pending".
  static std::string Lines(const std::vector<rules::Rule>& rules, const FrameReport& report, bool answers);

 private:
  std::FILE* out_;
  const std::string camera_;
  const TerminalOptions options_;
};

}  // namespace pawsight::gateway
