// gateway/testing.h: for tests: a frame of one brightness, a source of given frames.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "gateway/source.h"

namespace pawsight::gateway::testing {

/// A frame of one brightness with a square in a corner, so that the change gate sees differences.
inline frames::Image Plain(uint8_t level, int width = 160, int height = 120) {
  frames::Image image(width, height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const uint8_t value = x < width / 2 ? level : 40;
      for (int c = 0; c < 3; ++c) image.pixel(x, y)[c] = value;
    }
  }
  return image;
}

/// Each Run is one of the given functions, in turn; OK after the last.
class ScriptedSource : public Source {
 public:
  using Script = std::function<Status(std::stop_token, const OnFrame&)>;
  ScriptedSource(bool live, std::vector<Script> scripts) : live_(live), scripts_(std::move(scripts)) {}
  Status Run(std::stop_token stop, const OnFrame& on_frame) override {
    return num_runs < scripts_.size() ? scripts_[num_runs++](stop, on_frame) : Ok();
  }
  bool live() const override { return live_; }

  size_t num_runs = 0;

 private:
  bool live_;
  std::vector<Script> scripts_;
};

}  // namespace pawsight::gateway::testing
