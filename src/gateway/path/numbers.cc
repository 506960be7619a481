#include "gateway/path/numbers.h"

namespace pawsight::gateway {
namespace {

constexpr double kSeconds = 1e-9;

uint64_t Load(const PathNumbers::Count& count) { return count.load(std::memory_order_relaxed); }

}  // namespace

void PathNumbers::WriteTo(MetricsWriter& out) const {
  out.Counter("frames_accepted_total", "Frames taken at the door.", Load(arrived));
  out.Metric("frames_refused_total", "counter", "Frames refused at the door by reason.");
  for (size_t i = 0; i < refused.size(); ++i) {
    out.Sample(static_cast<double>(Load(refused[i])), MetricLabel("reason", kRefusalNames[i]));
  }
  out.Counter("frames_replaced_total", "Frames that a newer one of their camera replaced.", Load(replaced));
  out.Counter("frames_late_total", "Frames taken too late to alert.", Load(late));
  out.Counter("frames_expired_total", "Frames that waited past their deadline.", Load(expired));
  out.Counter("gate_looks_total", "Frames that the change gate looked at.", Load(looks));
  out.Counter("gate_skipped_total", "Frames asked about without a look.", Load(looks_skipped));
  out.Counter("gate_held_back_total", "Frames of a change that goes on, neither looked at nor asked about.",
              Load(held_back));
  out.Counter("gate_unchanged_total", "Frames not asked about, because nothing had changed.", Load(unchanged));
  out.Counter("frames_undecodable_total", "Frames whose bytes are no image.", Load(undecodable));
  out.Counter("frames_asked_total", "Frames given to a backend.", Load(asked));
  out.Counter("questions_asked_total", "Questions given to a backend.", Load(questions));
  out.Metric("replies_total", "counter", "Frames given to a backend by what came of them.");
  out.Sample(static_cast<double>(Load(answered)), MetricLabel("outcome", "answered"));
  out.Sample(static_cast<double>(Load(unanswered)), MetricLabel("outcome", "unanswered"));
  out.Sample(static_cast<double>(Load(shed)), MetricLabel("outcome", "shed"));
  out.Metric("alerts_total", "counter", "Alert changes.");
  out.Sample(static_cast<double>(Load(fired)), MetricLabel("change", "fired"));
  out.Sample(static_cast<double>(Load(updated)), MetricLabel("change", "updated"));
  out.Sample(static_cast<double>(Load(resolved)), MetricLabel("change", "resolved"));
  out.Counter("alerts_not_recorded_total", "Alert changes told before they could be recorded.", Load(not_recorded));
  out.Counter("states_unreadable_total", "Stored alert states that could not be taken over.", Load(states_unreadable));
  out.Counter("reconciles_total", "Turns of cameras that took over an edit of their owner's.", Load(reconciled));
  out.Metric("stage_seconds", "histogram", "How long frames took at each station.");
  out.Histogram(waited.View(), kSeconds, MetricLabel("stage", "mailbox"));
  out.Histogram(looked.View(), kSeconds, MetricLabel("stage", "gate"));
  out.Histogram(answering.View(), kSeconds, MetricLabel("stage", "backend"));
  out.Histogram(recording.View(), kSeconds, MetricLabel("stage", "record"));
  out.Histogram(total.View(), kSeconds, MetricLabel("stage", "total"));
}

}  // namespace pawsight::gateway
