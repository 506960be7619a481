#include "apps/demo_episode.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/json.h"
#include "frames/encode.h"

namespace pawsight {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int kJpegQuality = 85;  // a camera sends JPEG

/// The true alert that is on at `t` for this question, or null.
const scenes::TrueAlert* TruthAt(const scenes::Episode& episode, const std::string& question, milliseconds t) {
  for (const scenes::TrueAlert& alert : episode.alerts) {
    if (alert.question == question && t >= alert.start && t < alert.end) return &alert;
  }
  return nullptr;
}

}  // namespace

std::vector<rules::Rule> EpisodeRules(const scenes::Episode& episode) {
  std::vector<std::string> questions;
  for (const scenes::TrueAlert& alert : episode.alerts) questions.push_back(alert.question);
  questions.insert(questions.end(), episode.quiet.begin(), episode.quiet.end());
  Json all(Json::Array{});
  for (const std::string& question : questions) {
    all.Append(
        Json::Object{{"question", question}, {"threshold", 0.7}, {"for_s", 2}, {"clear_s", 3}, {"cooldown_s", 5}});
  }
  return std::move(rules::ParseRules(all)).value();  // ours: right, or a bug
}

bool EpisodeOutcome::AllTrue() const {
  return missed.empty() &&
         std::all_of(alerts.begin(), alerts.end(), [](const EpisodeAlert& alert) { return alert.is_true; });
}

EpisodeOutcome PlayEpisode(const scenes::Episode& episode, gateway::CameraWatch& watch, double fps, Time start,
                           std::stop_token stop) {
  EpisodeOutcome outcome;
  const scenes::VirtualCamera camera(episode.script, {});
  const SystemClock clock;
  std::vector<const scenes::TrueAlert*> found;
  const nanoseconds period(static_cast<int64_t>(1e9 / fps));
  nanoseconds free_at{0};  // when the path is done with the frame before
  for (nanoseconds taken_at{0}; taken_at < episode.script.length && !stop.stop_requested();) {
    gateway::Frame frame;
    frame.time = start + taken_at;
    const scenes::Frame drawn = camera.At(std::chrono::duration_cast<milliseconds>(taken_at));
    frame.encoded = frames::EncodeJpeg(drawn.image, kJpegQuality).value();  // ours is a picture
    const nanoseconds before = clock.Monotonic();
    const std::shared_ptr<const gateway::FrameResult> result = watch.Take(std::move(frame));
    const nanoseconds computing = clock.Monotonic() - before;
    ++outcome.num_frames;
    outcome.longest_frame = std::max(outcome.longest_frame, computing);
    free_at = std::max(taken_at, free_at) + computing;
    for (const gateway::AlertNotice& notice : result->changes) {
      if (notice.change != gateway::AlertChange::kFired) continue;
      EpisodeAlert alert;
      alert.question = notice.question;
      alert.at = std::chrono::duration_cast<milliseconds>(free_at);
      const scenes::TrueAlert* truth = TruthAt(episode, alert.question, alert.at);
      alert.is_true = truth != nullptr && std::find(found.begin(), found.end(), truth) == found.end();
      if (alert.is_true) alert.delay = alert.at - truth->start;
      if (alert.is_true) found.push_back(truth);
      outcome.alerts.push_back(std::move(alert));
    }
    // The next frame: the newest that has come by the time this one is done, or the next to come.
    const nanoseconds next = std::max(taken_at + period, free_at / period * period);
    outcome.num_dropped += static_cast<int>((next - taken_at) / period - 1);
    taken_at = next;
  }
  for (const scenes::TrueAlert& alert : episode.alerts) {
    if (std::find(found.begin(), found.end(), &alert) == found.end()) outcome.missed.push_back(alert.question);
  }
  return outcome;
}

}  // namespace pawsight
