// gateway/live_page.h: the page at "/": the newest frame, each question with p_yes over time, the alerts; and the JSON
// and the stream of server-sent events behind it. Everything it keeps is bounded. Routes: / /app.js /app.css /icon.svg;
// /frame.jpg; /events (SSE: "state", then "frame", "alert"); /api/v1/state; /api/v1/events?after=SEQUENCE&limit=N from
// the event store. Thread-safe: the path's threads report frames, the server's thread answers requests.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "events/store.h"
#include "gateway/path/frame_path.h"
#include "gateway/report.h"
#include "net/broadcast.h"
#include "net/http.h"
#include "net/router.h"

namespace pawsight::gateway {

inline constexpr size_t kMaxPagePoints = 600;  // of p_yes, a rule
inline constexpr size_t kMaxPageAlerts = 100;

class LivePage : public ReportObserver {
 public:
  using Picture = std::function<std::optional<NewestFrame>()>;
  /// `store` may be null; it must outlive the page. `source` says where the frames come from, without a password.
  /// `picture` gives the newest frame, from any thread.
  LivePage(std::string camera, std::string source, std::string backend, std::vector<rules::Rule> rules,
           events::Store* store, Picture picture);

  /// Adds the page's routes; the page must outlive the server.
  void AddRoutes(net::Router& router);

  void OnFrame(const std::vector<rules::Rule>& rules, const FrameReport& report) override EXCLUDES(mu_);

  /// {"camera","source","backend","frame","rules":[{...rule,"phase","reason","counts","points":[[unix ms,
  /// p_yes]...]}],"alerts":[...]}
  Json State() const EXCLUDES(mu_);

 private:
  struct Point {
    int64_t time_ms;
    double p_yes;
  };
  struct RuleView {
    std::deque<Point> points;
    rules::AlertPhase phase = rules::AlertPhase::kInactive;
    rules::Reason reason = rules::Reason::kUnchanged;
    std::array<uint64_t, rules::kNumReasons> counts{};
  };

  void Note(const FrameReport& report) EXCLUDES(mu_);
  Json RuleState(size_t rule_idx) const REQUIRES(mu_);
  net::HttpResponse FrameImage() const;
  net::HttpResponse ListEvents(const net::HttpRequest& request);

  const std::string camera_;
  const std::string source_;
  const std::string backend_;
  const std::vector<rules::Rule> rules_;
  events::Store* const store_;
  const Picture picture_;
  net::Broadcast broadcast_;
  mutable Mutex mu_;
  uint64_t number_ GUARDED_BY(mu_) = 0;  // of the last frame; 0: none yet
  Time time_ GUARDED_BY(mu_){};          // when it was taken
  std::vector<RuleView> views_ GUARDED_BY(mu_);
  std::deque<Json> alerts_ GUARDED_BY(mu_);  // newest first
};

}  // namespace pawsight::gateway
