#include "gateway/path/record.h"

namespace pawsight::gateway {

events::Event EventOf(const AlertNotice& notice) {
  events::Event event;
  event.owner = notice.owner;
  event.time = notice.time;
  event.type = AlertChangeName(notice.change);
  event.camera = notice.camera;
  event.rule = notice.rule;
  event.alert = notice.id;
  event.detail = Json(Json::Object{{"question", notice.question},
                                   {"expect", notice.expected ? "yes" : "no"},
                                   {"severity", SeverityName(notice.severity)},
                                   {"threshold", notice.threshold},
                                   {"number", notice.number}});
  if (notice.p_yes) event.detail.Set("p_yes", *notice.p_yes);
  if (!notice.frame.empty()) event.detail.Set("frame", notice.frame);
  if (!notice.cause.empty()) event.detail.Set("cause", notice.cause);
  event.detail.Set(notice.change == AlertChange::kFired ? "since" : "fired_at", FormatTime(notice.since));
  return event;
}

}  // namespace pawsight::gateway
