// gateway/path/owner_view.h: an owner's setup made ready for the path: checked, its time zones found, and which rules
// look through which camera. A snapshot: nobody changes it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/status.h"
#include "gateway/path/frame_path.h"
#include "gateway/path/plan.h"

namespace pawsight::gateway {

/// Which rules look through which camera.
struct Looking {
  std::vector<std::vector<size_t>> rules;  // one a camera: indices of the enabled rules that select it, ascending
  size_t num_compared = 0;                 // what finding them took: a rule held against a camera counts one
};
/// `camera_idx`: of `cameras`, by id. A rule for cameras by id is held against those alone, a rule for labels against
/// the cameras that have its rarest label. Errors: kInvalidArgument `too_many_rules`, more than rules::kMaxRules look
/// through one camera.
/// Cost: linear in cameras, rules and what is compared.
Result<Looking> FindLooking(const std::vector<CameraSetup>& cameras,
                            const std::unordered_map<std::string_view, size_t>& camera_idx,
                            const std::vector<rules::Rule>& rules);

struct OwnerView {
  std::string owner;
  OwnerSetup setup;
  std::vector<std::shared_ptr<const rules::TimeZone>> zones;  // one a rule; null without a schedule
  std::vector<uint64_t> meanings;                             // one a rule: rules::Meaning
  std::vector<SnoozeView> snoozes;                            // views into `setup`
  std::unordered_map<std::string_view, size_t> rule_idx;      // by id
  std::unordered_map<std::string_view, size_t> camera_idx;
  Looking looking;

  /// Indices of the enabled rules that look through the camera, at most rules::kMaxRules, ascending; none when it is
  /// not there.
  const std::vector<size_t>& RulesOf(std::string_view camera) const;

  /// Errors: FramePath::CheckOwner's.
  /// Cost: linear in cameras, rules and the pairs of them where one looks through the other. A rule for cameras by id
  /// is held against those alone, a rule for labels against the cameras that have its rarest label.
  static Result<std::shared_ptr<const OwnerView>> Make(const std::string& owner, OwnerSetup setup, rules::Zones& zones);
};

}  // namespace pawsight::gateway
