// server/engine.h: what answers, as the batcher sees it: bytes to numbers, numbers to a handle, handles and questions
// to answers; a prompt or a text to compare is a question too, its mode says which.
// server/vqa_engine.h is the real one. Thread-safe: decoders and runners call at the same time.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "engine/vqa.h"

namespace pawsight::server {

/// A frame that was looked at, wherever the engine keeps it. Immutable; any number of questions share it.
using FrameHandle = std::shared_ptr<const void>;

/// A question about a frame.
struct FrameQuestion {
  FrameHandle frame;
  std::string question;
};

class Engine {
 public:
  virtual ~Engine() = default;

  /// Decodes, resizes and normalises; the numbers that Look takes. Runs beside inference, on a thread of its own.
  /// Errors: kInvalidArgument, the image's fault.
  virtual Result<std::vector<float>> Preprocess(std::span<const uint8_t> image) = 0;

  /// A handle for each of `frames`, 1..64 of them. Errors: one for all; the caller tries them one by one.
  virtual Result<std::vector<FrameHandle>> Look(std::span<const std::span<const float>> frames) = 0;

  /// An answer for each, all in one batch, 1..engine::kMaxQuestions of them, no two the same.
  /// Errors: one for all; the caller tries them frame by frame.
  virtual Result<std::vector<engine::Answer>> Ask(std::span<const FrameQuestion> questions,
                                                  const engine::AskOptions& options) = 0;

  /// Whether a question can be asked at all in this mode, before it waits. Errors: kInvalidArgument. Quick.
  virtual Status Check(const std::string& question, engine::Mode mode) const = 0;

  /// Whether it has what the mode needs. The same for its life.
  virtual bool Can(engine::Mode mode) const { return engine::HeadOf(mode) == engine::Head::kVqa; }
};

}  // namespace pawsight::server
