#include "gateway/path/mailbox.h"

#include <algorithm>

#include "gateway/path/reconcile.h"

namespace pawsight::gateway {
namespace {

size_t BytesOf(const PendingFrame& frame) { return frame.submission.encoded->size(); }

}  // namespace

Status Mailbox::CheckOwner(const OwnerView& view) const {
  size_t fresh = 0;
  for (const CameraSetup& camera : view.setup.cameras) {
    const auto known = cameras_.find(camera.id);
    if (known == cameras_.end()) {
      ++fresh;
    } else if (known->second->owner != view.owner) {
      return Status(StatusCode::kAlreadyExists, "cameras: an id is another owner's", "camera_taken");
    }
  }
  if (cameras_.size() + fresh > options_.max_cameras) return ResourceExhausted("cameras: too many", "too_many_cameras");
  return Ok();
}

void Mailbox::Renew(Camera& camera, const std::shared_ptr<const OwnerView>& view) {
  camera.view = view;
  if (camera.busy || camera.came_back || !camera.restored.empty()) {
    camera.reconcile = true;
    return;
  }
  Camera::InTurn& turn = camera.turn;  // nobody has the turn, so it is the lock's holder's
  camera.reconcile = !turn.states.empty() && IsConcerned(turn, *view, camera.id);
  if (camera.reconcile) return;
  turn.rules = turn.states.empty() ? std::vector<size_t>() : view->RulesOf(camera.id);
  turn.view = turn.states.empty() ? nullptr : view;  // null: its next frame begins anew
}

std::shared_ptr<Camera> Mailbox::Join(const std::string& id, const std::string& owner) {
  const auto at = leaving_.find(id);
  if (at == leaving_.end() || at->second->owner != owner) return std::make_shared<Camera>(id, owner);
  std::shared_ptr<Camera> camera = std::move(at->second);
  leaving_.erase(at);
  camera->removed = false;
  camera->came_back = true;
  camera->counts = {};
  camera->clock = {};
  camera->recent.reset();
  camera->phases.reset();
  return camera;
}

std::vector<std::shared_ptr<Camera>> Mailbox::SetOwner(std::shared_ptr<const OwnerView> view) {
  std::vector<std::shared_ptr<Camera>> touched;
  Owner& owner = owners_[view->owner];
  const std::shared_ptr<const OwnerView> before = std::exchange(owner.view, view);
  if (before != nullptr) {
    for (const CameraSetup& old : before->setup.cameras) {
      if (view->camera_idx.contains(old.id)) continue;
      const auto at = cameras_.find(old.id);
      std::shared_ptr<Camera> camera = std::move(at->second);
      cameras_.erase(at);
      Unkeep(*camera);
      camera->removed = true;
      camera->reconcile = camera->has_states || camera->busy || !camera->restored.empty();
      camera->view = view;
      if (camera->reconcile) leaving_[old.id] = camera;
      touched.push_back(std::move(camera));
    }
  }
  for (const CameraSetup& setup : view->setup.cameras) {
    std::shared_ptr<Camera>& camera = cameras_[setup.id];
    if (camera == nullptr) camera = Join(setup.id, view->owner);
    Renew(*camera, view);
    if (camera->reconcile) touched.push_back(camera);
  }
  if (view->setup.cameras.empty() && view->setup.rules.empty() && owner.bytes == 0) owners_.erase(view->owner);
  return touched;
}

std::shared_ptr<Camera> Mailbox::Find(const std::string& owner, const std::string& camera) const {
  const auto at = cameras_.find(camera);
  return at == cameras_.end() || at->second->owner != owner ? nullptr : at->second;
}

std::shared_ptr<const OwnerView> Mailbox::FindOwner(const std::string& owner) const {
  const auto at = owners_.find(owner);
  return at == owners_.end() ? nullptr : at->second.view;
}

Status Mailbox::Admits(const Camera& camera, size_t bytes) const {
  const size_t freed = camera.waiting == nullptr ? 0 : BytesOf(*camera.waiting);
  const auto owner = owners_.find(camera.owner);
  const size_t of_owner = owner == owners_.end() ? 0 : owner->second.bytes;
  if (of_owner - freed + bytes > options_.max_owner_bytes) {
    return ResourceExhausted("frame: too many of this owner's wait; come back", "owner_full");
  }
  if (bytes_ - freed + bytes > options_.max_waiting_bytes) {
    return ResourceExhausted("frame: too many wait; come back", "path_full");
  }
  return Ok();
}

std::unique_ptr<PendingFrame> Mailbox::Put(const std::shared_ptr<Camera>& camera, std::unique_ptr<PendingFrame> frame) {
  bytes_ += BytesOf(*frame);
  owners_[camera->owner].bytes += BytesOf(*frame);
  ++num_frames_;
  if (camera->waiting != nullptr && frame->time.time < camera->waiting->time.time) return frame;
  std::unique_ptr<PendingFrame> older = std::exchange(camera->waiting, std::move(frame));
  Requeue(camera);
  return older;
}

void Mailbox::Unkeep(Camera& camera) {
  if (!camera.newest) return;
  kept_bytes_ -= camera.newest->encoded->size();
  kept_.erase(camera.newest_at);
  camera.newest.reset();
}

void Mailbox::Keep(Camera& camera, const PendingFrame& frame) {
  if (camera.newest && frame.time.time < camera.newest->time) return;
  Unkeep(camera);
  const size_t bytes = BytesOf(frame);
  if (bytes > options_.max_kept_bytes) return;
  while (kept_bytes_ + bytes > options_.max_kept_bytes) Unkeep(*kept_.front());
  camera.newest = NewestFrame{frame.id, frame.time.time, frame.submission.encoded};
  camera.newest_at = kept_.insert(kept_.end(), &camera);
  kept_bytes_ += bytes;
}

int64_t Mailbox::CostOf(const Camera& camera) {
  const size_t rules = std::min(camera.turn.rules.size(), kMaxInquiryQuestions);
  return kImageCost + static_cast<int64_t>(rules);
}

void Mailbox::Requeue(const std::shared_ptr<Camera>& camera) {
  if (camera->queued || camera->busy || (camera->waiting == nullptr && !camera->reconcile)) return;
  camera->queued = true;
  share_.Push(camera->owner, camera, CostOf(*camera));
}

std::optional<Mailbox::Taken> Mailbox::Take() {
  while (std::optional<std::shared_ptr<Camera>> next = share_.Pop()) {
    Camera& camera = **next;
    camera.queued = false;
    if (camera.waiting == nullptr && !camera.reconcile) continue;  // its frame was withdrawn
    camera.busy = true;
    camera.reconcile = false;
    const bool came_back = std::exchange(camera.came_back, false);
    return Taken{std::move(*next), std::move(camera.waiting), camera.view, came_back};
  }
  return std::nullopt;
}

void Mailbox::Finish(const std::shared_ptr<Camera>& camera) {
  camera->busy = false;
  Requeue(camera);
  if (!camera->removed || camera->queued) return;
  const auto at = leaving_.find(camera->id);
  if (at != leaving_.end() && at->second == camera) leaving_.erase(at);
}

std::unique_ptr<PendingFrame> Mailbox::Withdraw(Camera& camera) { return std::move(camera.waiting); }

void Mailbox::Release(const std::string& owner, size_t bytes) {
  --num_frames_;
  bytes_ -= bytes;
  const auto at = owners_.find(owner);
  CHECK(at != owners_.end() && at->second.bytes >= bytes);
  at->second.bytes -= bytes;
  const OwnerSetup& setup = at->second.view->setup;
  if (at->second.bytes == 0 && setup.cameras.empty() && setup.rules.empty()) owners_.erase(at);
}

}  // namespace pawsight::gateway
