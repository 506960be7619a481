#include "rules/alert_update.h"

#include <algorithm>

namespace pawsight::rules {

std::string_view UpdateCauseName(UpdateCause cause) {
  switch (cause) {
    case UpdateCause::kNone:
      return "";
    case UpdateCause::kSurer:
      return "surer";
    case UpdateCause::kStillOn:
      return "still_on";
  }
  CHECK(false);
}

UpdateCause CauseOfUpdate(const Rule& rule, const Told& told, double p, Time now) {
  if (rule.update_every.count() == 0 || now < told.at) return UpdateCause::kNone;
  const std::chrono::nanoseconds passed = now - told.at;
  if (passed >= rule.update_every) return UpdateCause::kStillOn;
  const bool surer = p - told.p >= kUpdateRise && passed >= kUpdateGap;
  return surer ? UpdateCause::kSurer : UpdateCause::kNone;
}

}  // namespace pawsight::rules
