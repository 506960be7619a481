#include "gateway/path/gate.h"

namespace pawsight::gateway {
namespace {

/// Enough for the gate's grid; a 1080p JPEG is decoded at an eighth.
constexpr int kWidth = 160;
constexpr int kHeight = 120;

}  // namespace

Result<bool> Gate::Look(std::span<const uint8_t> encoded, Time time, bool wanted) {
  PAWSIGHT_ASSIGN_OR_RETURN(const frames::Light light, frames::DecodeLight(encoded, {}, kWidth, kHeight, &quick_));
  const frames::Change change = gate_.Look(light, time.time_since_epoch());
  pace_.OnLook(change.reason == frames::ChangeReason::kChanged, time);
  if (wanted && !change.worth_asking()) gate_.Asked(time.time_since_epoch());
  return wanted || change.worth_asking();
}

}  // namespace pawsight::gateway
