#include "tools/arrivals.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/check.h"
#include "base/rng.h"

namespace pawsight::tools {
namespace {

using std::chrono::nanoseconds;

constexpr std::array<std::string_view, 5> kNames{"constant", "poisson", "burst", "motion", "replay"};
constexpr int kBurst = 10;             // frames at once
constexpr double kBoutFrames = 12;     // of one camera, a second apart, mean
constexpr double kQuietSeconds = 240;  // between bouts of one camera, mean

double Exponential(Rng& rng) { return -std::log(1 - rng.Uniform()); }
nanoseconds FromSeconds(double seconds) { return nanoseconds(static_cast<int64_t>(seconds * 1e9)); }

/// `clump` at each event of a Poisson process; in seconds.
void Poisson(Rng& rng, double per_second, double length, int clump, std::vector<double>* times) {
  for (double t = Exponential(rng) * clump / per_second; t < length; t += Exponential(rng) * clump / per_second) {
    times->insert(times->end(), static_cast<size_t>(clump), t);
  }
}

/// As many cameras as it takes for the rate; each begins somewhere in its quiet or its bout.
void Motion(Rng& rng, double per_second, double length, std::vector<double>* times) {
  const double a_camera = kBoutFrames / (kBoutFrames + kQuietSeconds);
  const int cameras = std::max(1, static_cast<int>(std::ceil(per_second / a_camera)));
  const double stretch = cameras * a_camera / per_second;  // 1 but for few cameras
  for (int camera = 0; camera < cameras; ++camera) {
    Rng own = rng.Fork(static_cast<uint64_t>(camera));
    double t = -own.Uniform() * (kQuietSeconds + kBoutFrames);
    while (t < length / stretch) {
      const double frames = std::max(1.0, std::round(kBoutFrames * Exponential(own)));
      for (double at = 0; at < frames; ++at) {
        const double due = (t + at) * stretch;
        if (due >= 0 && due < length) times->push_back(due);
      }
      t += frames + kQuietSeconds * Exponential(own);
    }
  }
}

}  // namespace

std::string_view ArrivalName(ArrivalKind kind) { return kNames[static_cast<size_t>(kind)]; }

Result<ArrivalKind> ParseArrival(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return InvalidArgument("want constant, poisson, burst, motion or replay");
  return static_cast<ArrivalKind>(found - kNames.begin());
}

Result<std::vector<nanoseconds>> Arrivals(ArrivalKind kind, double per_second, nanoseconds length, uint64_t seed) {
  CHECK(kind != ArrivalKind::kReplay && per_second > 0);
  const double seconds = static_cast<double>(length.count()) * 1e-9;
  if (per_second * seconds > static_cast<double>(kMaxArrivals) / 2) return InvalidArgument("too many frames");
  Rng rng(seed);
  std::vector<double> times;
  switch (kind) {
    case ArrivalKind::kConstant:
      for (int64_t i = 0; static_cast<double>(i) / per_second < seconds; ++i) {
        times.push_back(static_cast<double>(i) / per_second);
      }
      break;
    case ArrivalKind::kPoisson:
      Poisson(rng, per_second, seconds, 1, &times);
      break;
    case ArrivalKind::kBurst:
      Poisson(rng, per_second, seconds, kBurst, &times);
      break;
    case ArrivalKind::kMotion:
      Motion(rng, per_second, seconds, &times);
      break;
    case ArrivalKind::kReplay:
      break;
  }
  std::ranges::sort(times);
  std::vector<nanoseconds> due(times.size());
  std::ranges::transform(times, due.begin(), FromSeconds);
  return due;
}

Result<std::vector<nanoseconds>> ReplayArrivals(std::string_view text, nanoseconds length) {
  std::vector<nanoseconds> due;
  for (int line = 1; !text.empty(); ++line) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.ends_with('\r')) word.remove_suffix(1);
    if (word.empty()) continue;
    double seconds = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), seconds);
    const bool whole = error == std::errc() && rest == word.data() + word.size();
    const std::string where = "line " + std::to_string(line) + ": ";
    if (!whole || !(seconds >= 0) || seconds > 1e9) return InvalidArgument(where + "want a number of seconds");
    const nanoseconds at = FromSeconds(seconds);
    if (!due.empty() && at < due.back()) return InvalidArgument(where + "earlier than the line before");
    if (at >= length) break;
    if (due.size() == kMaxArrivals) return InvalidArgument(where + "too many frames");
    due.push_back(at);
  }
  return due;
}

}  // namespace pawsight::tools
