// gateway/api/registry.h: brings what the store keeps of an owner (cameras, rules, snoozes, receivers) to the path of
// its frames, at start and after each change, and knows which camera is whose without a read of the store. A change is
// in force when Refresh says so. One thread; changes of one owner that come together are brought over together.
// Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "events/store.h"
#include "gateway/path/frame_path.h"

namespace pawsight::gateway {

/// A camera's labels as the store keeps them: "room=kitchen".
std::vector<std::string> LabelsToTexts(const rules::Labels& labels);
rules::Labels LabelsFromTexts(const std::vector<std::string>& texts);

/// What the store's document of a camera holds: {"gate": true, "refresh_s": 60, "fps": 1}, each optional.
struct CameraTuning {
  bool gate = true;
  double refresh_s = 60;
  double fps = 1;  // of a source that is pulled
};
CameraTuning TuningOf(const events::Camera& camera);

class Registry {
 public:
  struct CameraEntry {
    std::string owner, device, name;
    bool enabled = true;
    bool keep_pictures = false;
  };
  /// What an owner has; everything empty when it is gone.
  struct Brought {
    std::string owner;
    std::vector<events::Camera> cameras;
    std::vector<rules::Rule> rules;
    std::vector<events::Receiver> receivers;
  };
  /// Told of every owner that was brought over; on the registry's thread, or Load's.
  using Listener = std::function<void(const Brought& brought)>;

  /// Both must outlive it. Starts its thread.
  Registry(events::Store& store, FramePath& path);
  /// Stop.
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;
  /// Ends its thread; what waits, and what still comes, is answered with kUnavailable. Store, path and listener may go
  /// then, and what it knows can still be asked. More than once does no harm.
  void Stop() EXCLUDES(mu_);
  /// Before Load.
  void SetListener(Listener listener) { listener_ = std::move(listener); }

  /// Every owner, then the states of their alerts. At start, before the first frame. Errors: the store's reads. An
  /// owner that the path does not take is logged and left out.
  Status Load();

  /// Brings the owner over; `done` is called on the registry's thread (or at once when it ends), with why the path does
  /// not take it, in which case the old setup stays in force. Never blocks.
  void Refresh(const std::string& owner, std::function<void(Status)> done = {}) EXCLUDES(mu_);

  /// Whether the path would take the owner with this change to what the store has: a rule more or another, a camera
  /// more or another. So that nothing is committed that the path then refuses. Errors: FramePath::CheckOwner's; the
  /// store's; of a rule UnknownName, it names a receiver or a camera that its owner has not. One that was
  /// removed since the rule named it stays, so that what a GET shows may be sent back.
  Status CheckRule(const std::string& owner, const rules::Rule& rule) const;
  Status CheckCamera(const events::Camera& camera) const;

  std::optional<CameraEntry> FindCamera(const std::string& camera) const EXCLUDES(mu_);
  /// Ids of the owner's active receivers.
  std::vector<std::string> ReceiversOf(const std::string& owner) const EXCLUDES(mu_);
  /// Those of `receivers` that want to be told of updates (notify::WantsUpdates).
  std::vector<std::string> WantingUpdates(const std::string& owner, const std::vector<std::string>& receivers) const
      EXCLUDES(mu_);
  size_t NumCamerasOf(const std::string& owner) const EXCLUDES(mu_);
  size_t num_cameras() const EXCLUDES(mu_);

 private:
  struct OwnerView {
    std::vector<std::string> cameras;
    std::vector<std::string> receivers;  // the active ones
    std::set<std::string> updated;       // of them, those that want updates
  };
  void Run() EXCLUDES(mu_);
  Status BringOver(const std::string& owner) EXCLUDES(mu_);
  /// What the store has of an owner that is there.
  struct Kept {
    std::vector<events::Camera> cameras;
    std::vector<events::Receiver> receivers;
    OwnerSetup setup;
  };
  Result<Kept> Read(const std::string& owner) const;
  Status RestoreStates(const std::string& owner);
  Status EndOrphans(const std::string& owner);
  void Replace(const std::string& owner, const std::vector<events::Camera>& cameras,
               const std::vector<events::Receiver>& receivers) EXCLUDES(mu_);

  events::Store& store_;
  FramePath& path_;
  Listener listener_;
  mutable Mutex mu_;
  CondVar changed_;
  bool ending_ GUARDED_BY(mu_) = false;
  std::map<std::string, std::vector<std::function<void(Status)>>> waiting_ GUARDED_BY(mu_);
  std::unordered_map<std::string, CameraEntry> cameras_ GUARDED_BY(mu_);
  std::unordered_map<std::string, OwnerView> owners_ GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace pawsight::gateway
