#include "gateway/api/registry.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"
#include "gateway/api/problem.h"
#include "notify/receiver_config.h"

namespace pawsight::gateway {
namespace {

/// All rows of a kind, page by page.
template <typename Row>
Result<std::vector<Row>> All(const events::Store& store, const std::string& owner) {
  std::vector<Row> all;
  events::Page page;
  page.limit = events::kMaxListed;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(std::vector<Row> rows, store.List<Row>(owner, page));
    const bool last = rows.size() < static_cast<size_t>(page.limit);
    if (!rows.empty()) page.after = rows.back().id;
    std::move(rows.begin(), rows.end(), std::back_inserter(all));
    if (last) return all;
  }
}

/// Errors: UnknownName, of the first of `names` that is not known.
Status CheckNames(const std::string& field, const std::string& kind, const std::vector<std::string>& names,
                  const std::set<std::string>& known) {
  for (size_t i = 0; i < names.size(); ++i) {
    if (!known.contains(names[i])) return UnknownName(field + "[" + std::to_string(i) + "]", kind);
  }
  return Ok();
}

CameraSetup SetupOf(const events::Camera& camera) {
  const CameraTuning tuning = TuningOf(camera);
  return {camera.id, LabelsFromTexts(camera.labels), tuning.gate,
          std::chrono::milliseconds(static_cast<int64_t>(tuning.refresh_s * 1000))};
}

/// An alert that the store holds open, as it fired.
AlertNotice NoticeOf(const events::Alert& alert) {
  AlertNotice notice;
  notice.id = alert.id;
  notice.owner = alert.owner;
  notice.camera = alert.camera;
  notice.rule = alert.rule;
  notice.change = AlertChange::kFired;
  notice.time = alert.fired;
  notice.since = alert.fired;
  const Result<Json> detail = Json::Parse(alert.document);
  if (!detail.ok()) return notice;
  if (const auto text = detail->GetString("question"); text.ok()) notice.question = *text;
  if (const auto text = detail->GetString("expect"); text.ok()) notice.expected = *text != "no";
  if (const auto number = detail->GetNumber("threshold"); number.ok()) notice.threshold = *number;
  if (const auto number = detail->GetNumber("p_yes"); number.ok()) notice.p_yes = *number;
  notice.severity = SeverityOf(alert.severity).value_or(notice.severity);
  return notice;
}

/// A rule that was stored and cannot be read any more is left out, and said.
void AddRule(const events::Rule& row, std::vector<rules::Rule>* into) {
  const Result<Json> document = Json::Parse(row.document);
  Result<rules::Rule> rule = document.ok() ? rules::ParseRule(*document) : Result<rules::Rule>(document.status());
  if (!rule.ok()) {
    LogError("rule_unreadable", {{"rule", row.id}, {"reason", rule.status().message()}});
    return;
  }
  rule->id = row.id;
  rule->enabled = row.enabled;
  into->push_back(*std::move(rule));
}

}  // namespace

std::vector<std::string> LabelsToTexts(const rules::Labels& labels) {
  std::vector<std::string> texts;
  for (const auto& [key, value] : labels) texts.push_back(key + "=" + value);
  return texts;
}

rules::Labels LabelsFromTexts(const std::vector<std::string>& texts) {
  rules::Labels labels;
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals != std::string::npos) labels[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return labels;
}

CameraTuning TuningOf(const events::Camera& camera) {
  CameraTuning tuning;
  const Result<Json> document = Json::Parse(camera.document);
  if (!document.ok()) return tuning;
  if (const Result<bool> gate = document->GetBool("gate"); gate.ok()) tuning.gate = *gate;
  if (const Result<double> refresh = document->GetNumber("refresh_s"); refresh.ok()) tuning.refresh_s = *refresh;
  if (const Result<double> fps = document->GetNumber("fps"); fps.ok()) tuning.fps = *fps;
  return tuning;
}

Registry::Registry(events::Store& store, FramePath& path) : store_(store), path_(path), thread_([this] { Run(); }) {}

Registry::~Registry() { Stop(); }

void Registry::Stop() {
  {
    MutexLock lock(mu_);
    ending_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

Status Registry::Load() {
  events::Page page;
  page.limit = events::kMaxListed;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Owner> owners, store_.ListOwners(page));
    for (const events::Owner& owner : owners) {
      const Status brought = BringOver(owner.id);
      if (brought.code() == StatusCode::kUnavailable || brought.code() == StatusCode::kDataLoss) return brought;
      if (brought.ok()) PAWSIGHT_RETURN_IF_ERROR(RestoreStates(owner.id));
    }
    if (owners.size() < static_cast<size_t>(page.limit)) return Ok();
    page.after = owners.back().id;
  }
}

Status Registry::RestoreStates(const std::string& owner) {
  std::string camera, rule;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::AlertState> states,
                              store_.ListAlertStates(owner, camera, rule));
    std::vector<RestoredState> restored;
    for (const events::AlertState& state : states) {
      if (state.document.empty()) continue;  // forgotten
      restored.push_back({owner, state.camera, state.rule, state.document});
    }
    path_.RestoreStates(restored);
    if (states.size() < static_cast<size_t>(events::kMaxListed)) break;
    camera = states.back().camera;
    rule = states.back().rule;
  }
  return EndOrphans(owner);
}

Status Registry::EndOrphans(const std::string& owner) {
  events::Page page;
  page.limit = events::kMaxListed;
  while (true) {
    PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Alert> alerts,
                              store_.ListAlerts(owner, {.open_only = true}, page));
    std::vector<AlertNotice> open;
    for (const events::Alert& alert : alerts) open.push_back(NoticeOf(alert));
    path_.EndOrphans(open);
    if (alerts.size() < static_cast<size_t>(page.limit)) return Ok();
    page.after = alerts.back().id;
  }
}

void Registry::Refresh(const std::string& owner, std::function<void(Status)> done) {
  {
    MutexLock lock(mu_);
    if (!ending_) {
      std::vector<std::function<void(Status)>>& waiting = waiting_[owner];
      if (done) waiting.push_back(std::move(done));
      done = nullptr;
    }
    changed_.NotifyAll();  // under the lock: once it is taken, `this` may go
  }
  if (done) done(Unavailable("the gateway is stopping", "stopping"));
}

void Registry::Run() {
  while (true) {
    std::string owner;
    std::vector<std::function<void(Status)>> waiting;
    bool ending = false;
    {
      MutexLock lock(mu_);
      while (waiting_.empty() && !ending_) changed_.Wait(mu_);
      if (waiting_.empty()) return;
      ending = ending_;
      owner = waiting_.begin()->first;
      waiting = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
    }
    const Status brought = ending ? Unavailable("the gateway is stopping", "stopping") : BringOver(owner);
    for (const std::function<void(Status)>& done : waiting) done(brought);
  }
}

Status Registry::BringOver(const std::string& owner) {
  const Result<events::Owner> row = store_.GetOwner(owner);
  if (row.status().code() == StatusCode::kNotFound) {
    path_.RemoveOwner(owner);
    Replace(owner, {}, {});
    if (listener_) listener_({owner, {}, {}, {}});
    return Ok();
  }
  if (!row.ok()) return row.status();
  PAWSIGHT_ASSIGN_OR_RETURN(Kept kept, Read(owner));
  Replace(owner, kept.cameras, kept.receivers);
  Brought brought{owner, std::move(kept.cameras), kept.setup.rules, std::move(kept.receivers)};
  const Status set = path_.SetOwner(owner, std::move(kept.setup));
  if (!set.ok()) LogError("owner_setup_refused", {{"owner", owner}, {"reason", set.message()}});
  if (set.ok() && listener_) listener_(brought);
  return set;
}

Result<Registry::Kept> Registry::Read(const std::string& owner) const {
  Kept kept;
  PAWSIGHT_ASSIGN_OR_RETURN(kept.cameras, All<events::Camera>(store_, owner));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Rule> rule_rows, All<events::Rule>(store_, owner));
  PAWSIGHT_ASSIGN_OR_RETURN(kept.receivers, All<events::Receiver>(store_, owner));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::vector<events::Snooze> snoozes, store_.ListSnoozes(owner));
  for (const events::Camera& camera : kept.cameras) {
    if (camera.enabled) kept.setup.cameras.push_back(SetupOf(camera));
  }
  for (const events::Rule& rule : rule_rows) AddRule(rule, &kept.setup.rules);
  for (const events::Snooze& snooze : snoozes) kept.setup.snoozes.push_back({snooze.rule, snooze.camera, snooze.until});
  for (const events::Receiver& receiver : kept.receivers) {
    if (receiver.active) kept.setup.receivers.push_back(receiver.id);
  }
  return kept;
}

Status Registry::CheckRule(const std::string& owner, const rules::Rule& rule) const {
  PAWSIGHT_ASSIGN_OR_RETURN(Kept kept, Read(owner));
  std::set<std::string> receivers, cameras;
  for (const events::Receiver& receiver : kept.receivers) receivers.insert(receiver.id);
  for (const events::Camera& camera : kept.cameras) cameras.insert(camera.id);
  for (const rules::Rule& other : kept.setup.rules) {
    if (other.id != rule.id) continue;
    receivers.insert(other.receivers.begin(), other.receivers.end());
    cameras.insert(other.cameras.ids.begin(), other.cameras.ids.end());
  }
  PAWSIGHT_RETURN_IF_ERROR(CheckNames("receivers", "receiver", rule.receivers, receivers));
  PAWSIGHT_RETURN_IF_ERROR(CheckNames("cameras", "camera", rule.cameras.ids, cameras));
  std::erase_if(kept.setup.rules, [&](const rules::Rule& other) { return other.id == rule.id; });
  kept.setup.rules.push_back(rule);
  return path_.CheckOwner(owner, std::move(kept.setup));
}

Status Registry::CheckCamera(const events::Camera& camera) const {
  PAWSIGHT_ASSIGN_OR_RETURN(Kept kept, Read(camera.owner));
  std::erase_if(kept.setup.cameras, [&](const CameraSetup& other) { return other.id == camera.id; });
  if (camera.enabled) kept.setup.cameras.push_back(SetupOf(camera));
  return path_.CheckOwner(camera.owner, std::move(kept.setup));
}

void Registry::Replace(const std::string& owner, const std::vector<events::Camera>& cameras,
                       const std::vector<events::Receiver>& receivers) {
  OwnerView view;
  for (const events::Receiver& receiver : receivers) {
    if (!receiver.active) continue;
    view.receivers.push_back(receiver.id);
    const Result<Json> document = Json::Parse(receiver.document);
    if (document.ok() && notify::WantsUpdates(*document)) view.updated.insert(receiver.id);
  }
  MutexLock lock(mu_);
  for (const std::string& camera : owners_[owner].cameras) cameras_.erase(camera);
  for (const events::Camera& camera : cameras) {
    view.cameras.push_back(camera.id);
    cameras_[camera.id] = {owner, camera.device, camera.name, camera.enabled, camera.keep_pictures};
  }
  if (view.cameras.empty() && view.receivers.empty()) {
    owners_.erase(owner);
  } else {
    owners_[owner] = std::move(view);
  }
}

std::optional<Registry::CameraEntry> Registry::FindCamera(const std::string& camera) const {
  MutexLock lock(mu_);
  const auto found = cameras_.find(camera);
  return found == cameras_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> Registry::ReceiversOf(const std::string& owner) const {
  MutexLock lock(mu_);
  const auto found = owners_.find(owner);
  return found == owners_.end() ? std::vector<std::string>() : found->second.receivers;
}

std::vector<std::string> Registry::WantingUpdates(const std::string& owner,
                                                  const std::vector<std::string>& receivers) const {
  std::vector<std::string> wanting;
  MutexLock lock(mu_);
  const auto found = owners_.find(owner);
  if (found == owners_.end()) return wanting;
  for (const std::string& receiver : receivers) {
    if (found->second.updated.contains(receiver)) wanting.push_back(receiver);
  }
  return wanting;
}

size_t Registry::NumCamerasOf(const std::string& owner) const {
  MutexLock lock(mu_);
  const auto found = owners_.find(owner);
  return found == owners_.end() ? 0 : found->second.cameras.size();
}

size_t Registry::num_cameras() const {
  MutexLock lock(mu_);
  return cameras_.size();
}

}  // namespace pawsight::gateway
