// server/execute.h: runs a batch on an engine: frames together, then questions together, equal ones once; when a call
// fails for all, one by one, so that a bad frame or question fails nobody else. Not here: which parts (server/queue.h).
// Thread-safe: functions without state; what they read of frames and requests no longer changes.
#pragma once

#include <span>
#include <vector>

#include "server/queue.h"

namespace pawsight::server {

/// A result for each frame, in their order.
std::vector<Result<FrameHandle>> LookAt(Engine& engine, std::span<const FramePtr> frames);

struct Asked {
  std::vector<Result<std::vector<engine::Answer>>> answers;  // one a part
  size_t num_computed = 0;                                   // questions that the engine was asked
};

/// Answers the parts that are wanted and whose frames were encoded; the others get kCancelled. Questions that may share
/// a call are those whose options are the same.
Asked AskAll(Engine& engine, std::span<const Part> parts, const std::vector<bool>& wanted);

}  // namespace pawsight::server
