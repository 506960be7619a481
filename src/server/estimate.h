// server/estimate.h: how long a batch takes, learnt from those that ran: so much a batch, so much a frame, so much a
// question; exponentially forgotten, so a machine that gets slower is noticed within some thirty batches.
// Values; thread-compatible.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

#include "server/work.h"

namespace pawsight::server {

/// y = fixed + slope * x by least squares over what was added, older ones weighing less. Neither is ever negative.
class LineFit {
 public:
  void Add(double x, double y) {
    for (double* sum : {&weight_, &x_, &y_, &xx_, &xy_}) *sum *= kKeep;
    weight_ += 1;
    x_ += x;
    y_ += y;
    xx_ += x * x;
    xy_ += x * y;
  }
  bool known() const { return weight_ > 0; }
  /// Whether what was added differed enough in x to tell the two apart; else all of y is said to be slope.
  bool knows_fixed() const { return weight_ >= 4 && Variance() > 0.01 * MeanX() * MeanX(); }
  double slope() const {
    if (!known() || MeanX() <= 0) return 0;
    if (!knows_fixed()) return MeanY() / MeanX();
    return std::clamp(RawSlope(), 0.0, MeanY() / MeanX());
  }
  double fixed() const { return known() ? std::max(0.0, MeanY() - slope() * MeanX()) : 0; }

 private:
  static constexpr double kKeep = 0.97;
  double MeanX() const { return x_ / weight_; }
  double MeanY() const { return y_ / weight_; }
  double Variance() const { return xx_ / weight_ - MeanX() * MeanX(); }
  double RawSlope() const { return (xy_ / weight_ - MeanX() * MeanY()) / Variance(); }

  double weight_ = 0;
  double x_ = 0;
  double y_ = 0;
  double xx_ = 0;
  double xy_ = 0;
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
  LineFit encode;         // frames encoded -> seconds
  LineFit ask;            // questions computed -> seconds
  Smoothed decode;        // seconds a frame
  Smoothed interval;      // seconds between frames that arrive
  Smoothed questions;     // of a frame

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
