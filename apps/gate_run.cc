#include "apps/gate_run.h"

#include <cstdio>
#include <map>
#include <utility>

#include "base/check.h"
#include "gateway/backend.h"

namespace pawsight {
namespace {

using std::chrono::nanoseconds;

/// A day that is no special one.
constexpr Time kStart{std::chrono::seconds(1'767'225'600)};  // 2026-01-01T00:00:00Z

constexpr double kSlackSeconds = 1.5;  // a frame or so: a repeated verdict may be a frame ahead of an asked one

/// Answers on the caller's thread.
class InlineBackend : public gateway::AsyncBackend {
 public:
  explicit InlineBackend(GateRun::Answer answer) : answer_(std::move(answer)) {}

  void Ask(gateway::Inquiry inquiry, std::function<void(Result<gateway::Reply>)> done) override {
    gateway::Reply reply;
    reply.pool = "truth";
    for (const std::string& question : inquiry.questions) {
      const Result<double> p_yes = answer_(question);
      if (!p_yes.ok()) {
        trouble = p_yes.status();
        return done(p_yes.status());
      }
      reply.answers.push_back({question, *p_yes >= 0.5 ? "yes" : "no", *p_yes, std::nullopt});
    }
    done(std::move(reply));
  }

  Status trouble;

 private:
  const GateRun::Answer answer_;
};

struct Fired {
  tools::AlertSpan span;
  size_t kind_idx = 0;
};

/// One of the two cameras.
struct Watched {
  std::string owner;
  std::vector<Fired> alerts;
  std::map<std::string, size_t> open;  // by rule: index into `alerts`
  std::vector<int64_t> asked;          // by kind

  void Note(const gateway::FrameResult& result, double second, size_t kind_idx) {
    if (result.asked) ++asked[kind_idx];
    for (const gateway::AlertNotice& change : result.changes) {
      if (change.change == gateway::AlertChange::kUpdated) continue;
      if (change.change == gateway::AlertChange::kFired) {
        open[change.rule] = alerts.size();
        alerts.push_back({{change.rule, second, std::nullopt}, kind_idx});
      } else if (const auto at = open.find(change.rule); at != open.end()) {
        alerts[at->second].span.resolved_s = second;
        open.erase(at);
      }
    }
  }
  std::vector<tools::AlertSpan> Spans() const {
    std::vector<tools::AlertSpan> spans;
    for (const Fired& fired : alerts) spans.push_back(fired.span);
    return spans;
  }
};

gateway::FramePathOptions PathOptions() {
  gateway::FramePathOptions options;
  options.gate_threads = 0;
  options.max_kept_bytes = 0;
  options.seed = 1;
  return options;
}

std::string LineOf(const char* what, double shift, const tools::AlertSpan& span) {
  const auto second = static_cast<int64_t>(span.fired_s + shift);
  char text[160];
  std::snprintf(text, sizeof text, "%s %02d:%02d:%02d %s, lasted %.0f s", what, static_cast<int>(second / 3600 % 24),
                static_cast<int>(second / 60 % 60), static_cast<int>(second % 60), span.rule.c_str(),
                span.resolved_s ? *span.resolved_s - span.fired_s : -1);
  return text;
}

}  // namespace

struct GateRun::Impl {
  Impl(double frames_per_s, std::vector<std::string> names, Answer answer)
      : fps(frames_per_s), clock(kStart), backend(std::move(answer)), path(backend, nullptr, clock, PathOptions()) {
    for (std::string& name : names) {
      tools::GateTally tally;
      tally.kind = std::move(name);
      tallies.push_back(std::move(tally));
    }
    every.owner = "every";
    gated.owner = "gated";
    every.asked.resize(tallies.size());
    gated.asked.resize(tallies.size());
  }

  Status Send(Watched& watched, const std::shared_ptr<const std::vector<uint8_t>>& jpeg, size_t kind_idx) {
    gateway::Submission frame;
    frame.owner = watched.owner;
    frame.camera = watched.owner + "-camera";
    frame.encoded = jpeg;
    const double second = static_cast<double>(num_frames) / fps;
    Status trouble = Internal("the frame has not ended");
    const gateway::Submitted submitted =
        path.Submit(std::move(frame), [&](const std::shared_ptr<const gateway::FrameResult>& result) {
          watched.Note(*result, second, kind_idx);
          trouble = result->trouble;
        });
    if (!submitted.status.ok()) return submitted.status;
    while (path.Step()) {
    }
    return trouble;
  }

  const double fps;
  ManualClock clock;
  InlineBackend backend;
  gateway::FramePath path;
  std::vector<tools::GateTally> tallies;  // frames and moving ones
  Watched every, gated;
  int64_t num_frames = 0;
};

GateRun::GateRun(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GateRun::~GateRun() = default;

Result<std::unique_ptr<GateRun>> GateRun::Make(std::vector<rules::Rule> rules, double fps,
                                               std::chrono::milliseconds refresh, std::vector<std::string> kinds,
                                               Answer answer) {
  CHECK(fps > 0);
  std::unique_ptr<GateRun> run(new GateRun(std::make_unique<Impl>(fps, std::move(kinds), std::move(answer))));
  for (const bool gate : {false, true}) {
    gateway::OwnerSetup setup;
    const std::string owner = gate ? run->impl_->gated.owner : run->impl_->every.owner;
    setup.cameras.push_back({owner + "-camera", {}, gate, refresh});
    setup.rules = rules;
    PAWSIGHT_RETURN_IF_ERROR(run->impl_->path.SetOwner(owner, std::move(setup)));
  }
  return run;
}

Status GateRun::Offer(std::shared_ptr<const std::vector<uint8_t>> jpeg, size_t kind_idx, bool moving) {
  tools::GateTally& tally = impl_->tallies[kind_idx];
  ++tally.frames;
  tally.moving += moving ? 1 : 0;
  PAWSIGHT_RETURN_IF_ERROR(impl_->Send(impl_->every, jpeg, kind_idx));
  PAWSIGHT_RETURN_IF_ERROR(impl_->Send(impl_->gated, jpeg, kind_idx));
  ++impl_->num_frames;
  impl_->clock.Advance(nanoseconds(static_cast<int64_t>(1e9 / impl_->fps)));
  if (impl_->num_frames % 100 == 0) impl_->path.Tick();
  return impl_->backend.trouble;
}

std::vector<tools::GateTally> GateRun::Tallies(std::chrono::milliseconds first, std::vector<std::string>* log) const {
  const double shift = static_cast<double>(first.count()) / 1000;
  std::vector<tools::GateTally> tallies = impl_->tallies;
  for (size_t kind = 0; kind < tallies.size(); ++kind) tallies[kind].asked = impl_->gated.asked[kind];
  const tools::Matching matching = tools::MatchAlerts(impl_->every.Spans(), impl_->gated.Spans(), kSlackSeconds);
  for (size_t i = 0; i < matching.alerts.size(); ++i) {
    const tools::MatchedAlert& alert = matching.alerts[i];
    tools::GateTally& tally = tallies[impl_->every.alerts[i].kind_idx];
    ++tally.alerts;
    if (alert.delay_s) {
      ++tally.found;
      tally.delay_s.push_back(*alert.delay_s);
    }
    if (alert.delay_s && *alert.delay_s < 2) continue;
    const std::string late = alert.delay_s ? "late by " + std::to_string(static_cast<int>(*alert.delay_s)) + " s" : "";
    log->push_back(LineOf(alert.delay_s ? late.c_str() : "missed", shift, alert.reference));
  }
  for (const tools::AlertSpan& extra : matching.extra) {
    for (const Fired& fired : impl_->gated.alerts) {
      if (fired.span.rule == extra.rule && fired.span.fired_s == extra.fired_s) ++tallies[fired.kind_idx].extra;
    }
    log->push_back(LineOf("extra", shift, extra));
  }
  return tallies;
}

}  // namespace pawsight
