// gateway/path/mailbox.h: station 1: which cameras there are, the one frame that each may have waiting, and whose turn
// it is. The newest frame wins: one that waits is given back when a newer one comes. Books only: no threads, no clock,
// no bytes touched. Thread-compatible: the path's lock is around it.
#pragma once

#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/path/fair_share.h"
#include "gateway/path/frame_path.h"
#include "gateway/path/frame_time.h"
#include "gateway/path/gate.h"
#include "gateway/path/owner_view.h"
#include "gateway/path/plan.h"
#include "gateway/path/recent_frames.h"

namespace pawsight::gateway {

/// An accepted frame.
struct PendingFrame {
  std::string id;
  Submission submission;
  std::vector<rules::Question> own;
  FramePath::Done done;
  FrameTime time;
  Time received{};
  std::chrono::nanoseconds arrived{0};  // monotonic
};

struct CameraCounts {
  uint64_t arrived = 0, replaced = 0, asked = 0, alerts = 0;
  std::map<std::string, uint64_t> refused;  // by reason
};

/// One camera. Members up to `turn` are under the path's lock; `turn` belongs to whoever has the camera's turn
/// (`busy`), and to the lock's holder while nobody has it.
struct Camera {
  Camera(std::string camera_id, std::string camera_owner) : id(std::move(camera_id)), owner(std::move(camera_owner)) {}

  const std::string id, owner;
  std::shared_ptr<const OwnerView> view;  // what the next frame begins with
  bool removed = false;
  bool came_back = false;  // removed and there again before a turn could tell of it: that is the next one's first thing
  bool queued = false;     // in the fair share
  bool busy = false;       // a turn is going on
  bool reconcile = false;  // wants a turn though no frame waits: its rules changed
  bool has_states = false;
  std::unique_ptr<PendingFrame> waiting;
  ClockView clock;
  bool clock_is_wrong = false;  // by more than kLateAfter
  std::unique_ptr<RecentFrames> recent;
  std::shared_ptr<const std::vector<std::pair<std::string, rules::AlertPhase>>> phases;  // after the last turn
  CameraCounts counts;
  std::optional<NewestFrame> newest;
  std::list<Camera*>::iterator newest_at;  // with `newest`: its place among those kept
  std::vector<RuleState> restored;         // to be taken over by the next turn

  struct InTurn {
    std::shared_ptr<const OwnerView> view;  // that `rules` are of
    std::vector<size_t> rules;              // indices into the view's, of those that look through this camera
    std::vector<RuleState> states;          // the first rules.size() are theirs, in their order; others sleep
    std::unique_ptr<Gate> gate;             // null until there is something to compare with, and after a long idle
    Time gate_used{};
    Time newest{};  // of the frames judged
  } turn;
};

class Mailbox {
 public:
  explicit Mailbox(const FramePathOptions& options) : options_(options), share_(kQuantum) {}

  /// Errors: as FramePath::SetOwner's; nothing is changed then.
  Status CheckOwner(const OwnerView& view) const;
  /// Puts the snapshot in place. Cameras whose states the edit touches are given back and want a turn (Requeue); for
  /// all others the snapshot is changed where it lies, so that none holds an old one. Cameras that are no more leave
  /// the books at once: those with states or a frame are given back too, marked removed. One that is there again before
  /// its last turn has ended is the same one, so that a camera has one turn at a time; but whenever it comes back, it
  /// begins anew as one that never was: counts, clock, sequence numbers, gate and states. Linear in the owner's
  /// cameras.
  std::vector<std::shared_ptr<Camera>> SetOwner(std::shared_ptr<const OwnerView> view);

  /// Null when there is none, or it is another owner's.
  std::shared_ptr<Camera> Find(const std::string& owner, const std::string& camera) const;
  std::shared_ptr<const OwnerView> FindOwner(const std::string& owner) const;

  /// Whether a frame of so many bytes may wait: OK, or kResourceExhausted `owner_full`, `path_full`.
  Status Admits(const Camera& camera, size_t bytes) const;
  /// The frame waits; gives back the one that does not: an older one that waited, or `frame` itself when the one that
  /// waits was taken later. Null: none.
  std::unique_ptr<PendingFrame> Put(const std::shared_ptr<Camera>& camera, std::unique_ptr<PendingFrame> frame);
  /// Keeps the frame as the camera's newest, within max_kept_bytes of all.
  void Keep(Camera& camera, const PendingFrame& frame);

  struct Taken {
    std::shared_ptr<Camera> camera;       // now busy
    std::unique_ptr<PendingFrame> frame;  // null: only to reconcile
    std::shared_ptr<const OwnerView> view;
    bool came_back = false;
  };
  /// The next camera in turn; nullopt when none wants one.
  std::optional<Taken> Take();
  bool HasTurn() const { return share_.size() > 0; }
  size_t num_in_line() const { return share_.size(); }
  /// The camera's turn is over; it is queued again when something came meanwhile.
  void Finish(const std::shared_ptr<Camera>& camera);
  /// Puts the camera in line when it wants a turn and has none.
  void Requeue(const std::shared_ptr<Camera>& camera);
  /// The bytes of a frame that ended.
  void Release(const std::string& owner, size_t bytes);
  /// Takes the waiting frame away from a camera.
  std::unique_ptr<PendingFrame> Withdraw(Camera& camera);

  const std::unordered_map<std::string, std::shared_ptr<Camera>>& cameras() const { return cameras_; }
  size_t num_owners() const { return owners_.size(); }
  size_t num_frames() const { return num_frames_; }
  size_t num_bytes() const { return bytes_; }
  size_t num_kept_bytes() const { return kept_bytes_; }

 private:
  /// A frame of the largest inquiry, so a round serves each owner at least once.
  static constexpr int64_t kQuantum = kImageCost + static_cast<int64_t>(kMaxInquiryQuestions);
  static int64_t CostOf(const Camera& camera);
  void Unkeep(Camera& camera);
  /// The camera's next turn begins with the snapshot.
  static void Renew(Camera& camera, const std::shared_ptr<const OwnerView>& view);
  /// The camera of this id that an owner has from now on: one that is leaving, or a new one.
  std::shared_ptr<Camera> Join(const std::string& id, const std::string& owner);

  const FramePathOptions options_;
  std::unordered_map<std::string, std::shared_ptr<Camera>> cameras_;
  std::unordered_map<std::string, std::shared_ptr<Camera>> leaving_;  // removed, with a turn to come or to end
  struct Owner {
    std::shared_ptr<const OwnerView> view;
    size_t bytes = 0;
  };
  std::unordered_map<std::string, Owner> owners_;
  FairShare<std::shared_ptr<Camera>> share_;
  std::list<Camera*> kept_;  // those with a newest frame, the longest kept first
  size_t num_frames_ = 0;    // waiting and on their way
  size_t bytes_ = 0;         // theirs
  size_t kept_bytes_ = 0;
};

}  // namespace pawsight::gateway
