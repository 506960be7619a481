// server/estimate.h: how long a batch takes, learnt from those that ran: so much a batch, so much a frame, so much a
// question; exponentially forgotten, so a machine that gets slower is noticed within some thirty batches.
// Values; thread-compatible.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

#include "server/work.h"

namespace pawsight::server {

/// y = fixed + slope * x by least squares over what was added, older ones weighing less; neither is ever negative. What
/// is fixed can only be told from x that differ: while they do not, the last known proportion of the two is kept and
/// only their size follows what is added; before any was known, all of y is said to be slope.
class LineFit {
 public:
  void Add(double x, double y) {
    for (double* sum : {&weight_, &x_, &y_, &xx_, &xy_}) *sum *= kKeep;
    weight_ += 1;
    x_ += x;
    y_ += y;
    xx_ += x * x;
    xy_ += x * y;
    const double mean_x = x_ / weight_;
    const double mean_y = y_ / weight_;
    if (mean_x <= 0) return;
    const double variance = xx_ / weight_ - mean_x * mean_x;
    if (weight_ >= 8 && variance > 0.04 * mean_x * mean_x) {
      slope_ = std::clamp((xy_ / weight_ - mean_x * mean_y) / variance, 0.0, mean_y / mean_x);
      fixed_ = std::max(0.0, mean_y - slope_ * mean_x);
      knows_fixed_ = true;
      return;
    }
    if (const double said = fixed_ + slope_ * mean_x; knows_fixed_ && said > 0) {
      slope_ *= mean_y / said;
      fixed_ *= mean_y / said;
    } else {
      slope_ = mean_y / mean_x;
    }
  }
  bool known() const { return weight_ > 0; }
  bool knows_fixed() const { return knows_fixed_; }
  double slope() const { return slope_; }
  double fixed() const { return fixed_; }

 private:
  static constexpr double kKeep = 0.97;
  double weight_ = 0;
  double x_ = 0;
  double y_ = 0;
  double xx_ = 0;
  double xy_ = 0;
  double slope_ = 0;
  double fixed_ = 0;
  bool knows_fixed_ = false;
};

/// A mean that forgets.
class Smoothed {
 public:
  void Add(double value) {
    mean_ = known_ ? mean_ + 0.1 * (value - mean_) : value;
    known_ = true;
  }
  bool known() const { return known_; }
  double mean() const { return mean_; }

 private:
  bool known_ = false;
  double mean_ = 0;
};

inline double Seconds(Nanos time) { return std::chrono::duration<double>(time).count(); }
inline Nanos FromSeconds(double seconds) {
  return std::chrono::duration_cast<Nanos>(std::chrono::duration<double>(std::min(seconds, 1e6)));
}

struct ServiceEstimate {
  LineFit encode;      // frames encoded -> seconds
  LineFit ask;         // questions computed -> seconds
  Smoothed decode;     // seconds a frame
  Smoothed interval;   // seconds between frames that arrive
  Smoothed questions;  // of a frame

  bool known() const { return ask.known(); }
  /// What a batch costs once, whatever is in it; 0 when that cannot be told.
  double Fixed() const { return encode.fixed() + ask.fixed(); }
  double PerFrame() const { return encode.slope() + ask.slope() * questions.mean(); }
  /// One batch. 0 while nothing ran yet.
  Nanos Batch(int frames, int64_t num_questions) const {
    return FromSeconds(Fixed() + encode.slope() * frames + ask.slope() * static_cast<double>(num_questions));
  }
  /// The fewest frames whose batch is within a twentieth of the cheapest a frame; where costs are not told apart yet,
  /// the most. More would only make the first of them wait for the last.
  int UsefulBatch(int max_batch) const {
    if (!encode.knows_fixed() && !ask.knows_fixed()) return max_batch;
    const double least = PerFrame() + Fixed() / max_batch;
    if (least <= 0) return max_batch;
    for (int frames = 1; frames < max_batch; ++frames) {
      if (PerFrame() + Fixed() / frames <= 1.05 * least) return frames;
    }
    return max_batch;
  }
};

}  // namespace pawsight::server
