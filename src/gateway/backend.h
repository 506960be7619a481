// gateway/backend.h: what answers questions about a frame. The gateway knows no engine: an app hands it a backend that
// runs inside the process, a later one speaks to workers. Not here: choosing one (gateway/backend_pool.h).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"
#include "frames/image.h"

namespace pawsight::gateway {

struct Answer {
  std::string question;         // as asked
  std::string text;             // "yes", "no"
  double p_yes = 0;             // 0..1
  std::optional<double> score;  // what the backend thinks of its answer, in its own measure
};

class Backend {
 public:
  virtual ~Backend() = default;

  /// One answer a question, in their order. Blocks until they are there.
  /// Errors: kInvalidArgument, a question it cannot take. kResourceExhausted, full: ask less. kUnavailable,
  /// kDeadlineExceeded, it cannot be reached or is too late. Called by one thread at a time.
  virtual Result<std::vector<Answer>> Ask(const frames::Image& image, std::span<const std::string> questions) = 0;

  /// For people: "pawsight-mini on this CPU".
  virtual std::string name() const = 0;
};

}  // namespace pawsight::gateway
