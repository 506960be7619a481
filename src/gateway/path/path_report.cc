// What the path tells of itself: an owner's numbers and the scraper's.

#include "gateway/path/path_state.h"

namespace pawsight::gateway {
namespace {

double Seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

Json CameraJson(const Camera& camera) {
  Json::Object refused;
  for (const auto& [reason, count] : camera.counts.refused) refused.emplace_back(reason, count);
  Json::Object phases;
  if (camera.phases != nullptr) {
    for (const auto& [rule, phase] : *camera.phases) phases.emplace_back(rule, rules::AlertPhaseName(phase));
  }
  return Json(Json::Object{{"camera", camera.id},
                           {"accepted", camera.counts.arrived},
                           {"replaced", camera.counts.replaced},
                           {"asked", camera.counts.asked},
                           {"alerts", camera.counts.alerts},
                           {"refused", std::move(refused)},
                           {"waiting", camera.waiting != nullptr},
                           {"newest_frame", camera.newest ? Json(camera.newest->frame) : Json()},
                           {"newest_time", camera.newest ? Json(FormatTime(camera.newest->time)) : Json()},
                           {"clock_behind_s", camera.clock.skew ? Json(Seconds(*camera.clock.skew)) : Json()},
                           {"phases", std::move(phases)}});
}

}  // namespace

Result<Json> FramePath::State::Stats(const std::string& owner) const {
  MutexLock lock(mu);
  const std::shared_ptr<const OwnerView> view = mailbox.FindOwner(owner);
  if (view == nullptr) return NotFound("owner: no such owner", "owner_unknown");
  Json::Array cameras;
  for (const CameraSetup& setup : view->setup.cameras) cameras.push_back(CameraJson(*mailbox.Find(owner, setup.id)));
  return Json(Json::Object{{"cameras", std::move(cameras)}});
}

std::string FramePath::State::Metrics() const {
  MetricsWriter out("pawsight_gateway_");
  numbers.WriteTo(out);
  const WhyLog::Counts reasons = why.Totals();
  out.Metric("outcomes_total", "counter", "Frames x rules by why they made an alert or none.");
  for (const rules::Reason reason : rules::AllReasons()) {
    out.Sample(static_cast<double>(reasons[static_cast<size_t>(reason)]),
               MetricLabel("reason", rules::ReasonName(reason)));
  }
  out.Metric("pool_dollars_total", "counter", "What a pool has cost.");
  const std::vector<CostBook::PoolCost> pools = cost.Pools(clock.Monotonic());
  for (const CostBook::PoolCost& pool : pools) out.Sample(pool.dollars, MetricLabel("pool", pool.pool));
  out.Metric("pool_frames_total", "counter", "Frames that a pool answered.");
  for (const CostBook::PoolCost& pool : pools) {
    out.Sample(static_cast<double>(pool.frames), MetricLabel("pool", pool.pool));
  }
  out.Metric("pool_answers_total", "counter", "Questions that a pool answered.");
  for (const CostBook::PoolCost& pool : pools) {
    out.Sample(static_cast<double>(pool.answers), MetricLabel("pool", pool.pool));
  }
  const RecordQueue::Counts records = record->counts();
  out.Counter("records_total", "Writes to the store that are on disk.", records.written);
  out.Counter("records_given_up_total", "Writes that waited for the store and were given up.", records.given_up);
  out.Counter("records_unfit_total", "Writes that the store did not take.", records.unfit);
  out.Gauge("records_waiting", "Writes that wait for the store to work again.", static_cast<double>(records.waiting));
  out.Gauge("records_in_flight", "Writes at the store.", static_cast<double>(records.in_flight));
  MutexLock lock(mu);
  out.Gauge("cameras", "Cameras there are.", static_cast<double>(mailbox.cameras().size()));
  out.Gauge("cameras_clock_wrong", "Cameras whose clock is wrong by more than a minute.",
            static_cast<double>(num_clocks_wrong));
  out.Gauge("owners", "Owners there are.", static_cast<double>(mailbox.num_owners()));
  out.Gauge("frames_inside", "Frames that wait or are on their way.", static_cast<double>(mailbox.num_frames()));
  out.Gauge("frames_inside_bytes", "Their bytes.", static_cast<double>(mailbox.num_bytes()));
  out.Gauge("frames_inside_limit_bytes", "And how many there may be.", static_cast<double>(options.max_waiting_bytes));
  out.Gauge("frames_kept_bytes", "Bytes of newest frames kept.", static_cast<double>(mailbox.num_kept_bytes()));
  out.Gauge("outstanding", "Frames at the gate or a backend.", outstanding);
  out.Gauge("outstanding_limit", "And how many there may be just now.", window.size());
  out.Gauge("devices_limited", "Devices whose rate is counted.", static_cast<double>(devices.size()));
  out.Gauge("draining", "1: no more frames are taken.", draining ? 1 : 0);
  return out.Take();
}

}  // namespace pawsight::gateway
