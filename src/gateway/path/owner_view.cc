#include "gateway/path/owner_view.h"

#include <map>
#include <numeric>
#include <utility>

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;

Status CheckIds(const OwnerView& view) {
  if (view.owner.empty()) return InvalidArgument("owner: empty");
  if (view.camera_idx.size() != view.setup.cameras.size()) return InvalidArgument("cameras: an id is there twice");
  if (view.rule_idx.size() != view.setup.rules.size()) return InvalidArgument("rules: an id is there twice");
  if (view.camera_idx.contains("")) return InvalidArgument("cameras: an id is empty");
  if (view.setup.rules.size() > kMaxOwnerRules) return InvalidArgument("rules: more than 1024");
  if (view.setup.snoozes.size() > kMaxSnoozes) return InvalidArgument("snoozes: more than 1024");
  for (const CameraSetup& camera : view.setup.cameras) {
    if (camera.refresh < milliseconds(100) || camera.refresh > std::chrono::hours(24)) {
      return InvalidArgument("cameras: refresh: want 0.1 s to 1 day");
    }
  }
  return Ok();
}

using Label = std::pair<std::string_view, std::string_view>;
using CamerasByLabel = std::map<Label, std::vector<size_t>>;

/// Finds the rules that look through each camera.
class Matching {
 public:
  Matching(const std::vector<CameraSetup>& cameras, const std::unordered_map<std::string_view, size_t>& camera_idx,
           const std::vector<rules::Rule>& rules)
      : cameras_(cameras), camera_idx_(camera_idx), rules_(rules), everywhere_(cameras.size()) {
    std::iota(everywhere_.begin(), everywhere_.end(), size_t{0});
    found_.rules.resize(cameras.size());
  }

  Result<Looking> Run() {
    for (size_t rule = 0; rule < rules_.size(); ++rule) {
      if (rules_[rule].enabled) PAWSIGHT_RETURN_IF_ERROR(Match(rule));
    }
    return std::move(found_);
  }

 private:
  Status Match(size_t rule) {
    const rules::CameraSelector& selector = rules_[rule].cameras;
    if (selector.ids.empty()) {
      for (const size_t camera : Candidates(selector)) PAWSIGHT_RETURN_IF_ERROR(Hold(rule, camera));
      return Ok();
    }
    for (const std::string& id : selector.ids) {
      const auto camera = camera_idx_.find(id);
      if (camera != camera_idx_.end()) PAWSIGHT_RETURN_IF_ERROR(Hold(rule, camera->second));
    }
    return Ok();
  }

  /// A rule against a camera that its ids let through.
  Status Hold(size_t rule, size_t camera) {
    ++found_.num_compared;
    std::vector<size_t>& looking = found_.rules[camera];
    if (!looking.empty() && looking.back() == rule) return Ok();  // the id is there twice
    const CameraSetup& setup = cameras_[camera];
    const rules::CameraSelector& selector = rules_[rule].cameras;
    if (!selector.labels.empty() && !selector.Selects(setup.id, setup.labels)) return Ok();
    if (looking.size() >= rules::kMaxRules) {
      return InvalidArgument("rules: more than 64 look through camera " + setup.id, "too_many_rules");
    }
    looking.push_back(rule);
    return Ok();
  }

  /// The cameras that have the rarest of its labels; all when it wants none.
  const std::vector<size_t>& Candidates(const rules::CameraSelector& selector) {
    static const std::vector<size_t> nobody;
    const std::vector<size_t>* fewest = &everywhere_;
    for (const auto& [key, value] : selector.labels) {
      const auto found = ByLabel().find({key, value});
      const std::vector<size_t>& having = found == ByLabel().end() ? nobody : found->second;
      if (having.size() < fewest->size()) fewest = &having;
    }
    return *fewest;
  }

  const CamerasByLabel& ByLabel() {
    if (std::exchange(labelled_, true)) return by_label_;
    for (const size_t camera : everywhere_) {
      for (const auto& [key, value] : cameras_[camera].labels) by_label_[{key, value}].push_back(camera);
    }
    return by_label_;
  }

  const std::vector<CameraSetup>& cameras_;
  const std::unordered_map<std::string_view, size_t>& camera_idx_;
  const std::vector<rules::Rule>& rules_;
  std::vector<size_t> everywhere_;
  bool labelled_ = false;    // by_label_ was made
  CamerasByLabel by_label_;  // views into the cameras
  Looking found_;
};

}  // namespace

Result<Looking> FindLooking(const std::vector<CameraSetup>& cameras,
                            const std::unordered_map<std::string_view, size_t>& camera_idx,
                            const std::vector<rules::Rule>& rules) {
  return Matching(cameras, camera_idx, rules).Run();
}

const std::vector<size_t>& OwnerView::RulesOf(std::string_view camera) const {
  static const std::vector<size_t> none;
  const auto known = camera_idx.find(camera);
  return known == camera_idx.end() ? none : looking.rules[known->second];
}

Result<std::shared_ptr<const OwnerView>> OwnerView::Make(const std::string& owner, OwnerSetup setup,
                                                         rules::Zones& zones) {
  const auto view = std::make_shared<OwnerView>();
  view->owner = owner;
  view->setup = std::move(setup);
  for (size_t i = 0; i < view->setup.rules.size(); ++i) {
    const rules::Rule& rule = view->setup.rules[i];
    view->rule_idx.emplace(rule.id, i);
    view->meanings.push_back(rules::Meaning(rule));
    view->zones.emplace_back();
    if (!rule.schedule) continue;
    Result<std::shared_ptr<const rules::TimeZone>> zone = zones.Find(rule.schedule->zone);
    if (!zone.ok()) return Annotate(zone.status(), "rule " + rule.id + ": schedule.zone");
    view->zones.back() = std::move(*zone);
  }
  for (size_t i = 0; i < view->setup.cameras.size(); ++i) view->camera_idx.emplace(view->setup.cameras[i].id, i);
  for (const Snooze& snooze : view->setup.snoozes) view->snoozes.push_back({snooze.rule, snooze.camera, snooze.until});
  PAWSIGHT_RETURN_IF_ERROR(CheckIds(*view));
  PAWSIGHT_ASSIGN_OR_RETURN(view->looking, FindLooking(view->setup.cameras, view->camera_idx, view->setup.rules));
  return std::shared_ptr<const OwnerView>(view);
}

}  // namespace pawsight::gateway
