// gateway/path/frame_path.h: the way of every camera's frames through the gateway, many owners at once and nothing
// waiting for anything: arrive (mailbox), sample (gate), ask (plan), route (an AsyncBackend), judge, alert, record,
// tell. Not here: HTTP and credentials (gateway/api), which endpoint answers (gateway/backends), the database (a
// Record), fetching frames (gateway/path/puller.h).
//
// Thread-safe, all of it. No call blocks for longer than a lock held for microseconds, but Drain, Stop and the
// destructor. Threads: `gate_threads` of its own take cameras in turn; answers come back on the backend's threads and
// are judged there; one thread keeps time. With gate_threads 0 there are none, and Step() and Tick() do the work: a
// test on a virtual clock.
//
// A camera has at most one frame on its way. What comes meanwhile waits in its mailbox, where the newest frame replaces
// the one that waits. Owners take turns by deficit round robin (gateway/path/fair_share.h), so one with a thousand busy
// cameras delays another's one camera by no more than its own turn.
//
// Every frame that was accepted ends exactly once: its callback is called once, and each rule that looks through its
// camera gets exactly one reason (rules/alert.h), counted and kept for `Why`.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"
#include "frames/motion.h"
#include "gateway/backend.h"
#include "gateway/path/frame_result.h"
#include "gateway/path/observers.h"
#include "gateway/path/record.h"
#include "rules/alert_codec.h"
#include "rules/rule.h"

namespace pawsight::gateway {

struct FramePathOptions {
  int gate_threads = 1;                    // 0..64; 0: Step and Tick do the work
  int max_outstanding = 256;               // frames at the backend at once, 1..65536; fewer when it says it is full
  size_t max_cameras = 100'000;            // of all owners
  size_t max_frame_bytes = 8U << 20U;      // of one frame
  size_t max_waiting_bytes = 256U << 20U;  // of frames that wait and are on their way, all cameras
  size_t max_owner_bytes = 128U << 20U;    // of one owner's
  size_t max_kept_bytes = 64U << 20U;      // of newest frames kept for Newest, all cameras; 0 keeps none
  double device_rate = 30;                 // frames a second of one device, 0.01..10000
  double device_burst = 60;                // frames a device may send at once, 1..10000
  std::chrono::milliseconds answer_within{10'000};  // from arrival to the answer; later the frame is shed
  int why_kept = 32;                                // newest outcomes kept of a rule, 1..1000
  frames::ChangeOptions change{};                   // of the gate; a camera's own refresh stands in for its
  uint64_t seed = 0;                                // of ids; 0: from the system's randomness
};

struct CameraSetup {
  std::string id;
  rules::Labels labels;
  bool gate = true;                           // ask only about frames that changed
  std::chrono::milliseconds refresh{60'000};  // and at the latest so long after the last time; 0.1 s to 1 day
};

/// No alert of what it names for a while; an empty name is any.
struct Snooze {
  std::string rule, camera;
  Time until{};
};

/// All that the path knows of an owner; replaced as a whole.
struct OwnerSetup {
  std::vector<CameraSetup> cameras;
  std::vector<rules::Rule> rules;  // at most kMaxOwnerRules, of which at most rules::kMaxRules look through one camera
  std::vector<Snooze> snoozes;     // at most kMaxSnoozes
  std::vector<std::string> receivers;  // ids of all active ones: told of a rule's alerts that names none itself
};
inline constexpr size_t kMaxOwnerRules = 1024;
inline constexpr size_t kMaxSnoozes = 1024;

/// A frame at the door. `owner` and `device` come from the credential, never from the body.
struct Submission {
  std::string owner, camera;
  std::string device;                                   // whose rate is limited; "" limits none
  std::shared_ptr<const std::vector<uint8_t>> encoded;  // JPEG or PNG, as it came; shared, never copied
  std::optional<Time> captured;                         // by the device's clock
  std::optional<Time> sent;            // by the same clock, when it was sent: tells how wrong that clock is
  std::optional<uint64_t> sequence;    // the device's number of it
  std::vector<std::string> questions;  // asked besides the rules', at most kMaxOwnQuestions
  bool must_ask = false;               // also when nothing has changed or no rule is due
};
inline constexpr size_t kMaxOwnQuestions = 16;

/// What Submit says.
struct Submitted {
  /// OK: accepted, `done` will be called. Otherwise nothing will come of it, and `done` is not called. By reason:
  /// kNotFound camera_unknown (also another owner's). kInvalidArgument image_empty, image_type_unsupported (415),
  /// image_too_large (413), stale (422), question_empty, question_too_long, question_not_utf8, too_many_questions.
  /// kAlreadyExists duplicate_frame (409: the same bytes came with this sequence; `frame` is the first one, `result`
  /// its result once there is one), id_conflict (409: other bytes did). kResourceExhausted device_rate (429),
  /// owner_full and path_full (503). kUnavailable draining (503).
  Status status;
  std::string frame;                          // "frm_..."
  std::shared_ptr<const FrameResult> result;  // of a duplicate
  std::chrono::milliseconds retry_after{0};   // of kResourceExhausted
};

/// Newest frame of a camera, for ad-hoc questions and a picture on a page.
struct NewestFrame {
  std::string frame;
  Time time{};
  std::shared_ptr<const std::vector<uint8_t>> encoded;
};

/// A state that the store kept. `text` as the path wrote it.
struct RestoredState {
  std::string owner, camera, rule;
  std::string text;
  std::string alert;  // id of the open alert, where one fires; empty: the one in `text`
};

/// A pool's price, for what a frame and an answer cost.
struct PoolPrice {
  std::string pool;
  double dollars_per_hour = 0;
};

class FramePath {
 public:
  /// Called once a frame that was accepted, from any thread, also inside Submit; must be quick and must not block. A
  /// frame that opened or ended an alert is told of once that is durable.
  using Done = std::function<void(const std::shared_ptr<const FrameResult>& result)>;

  /// `backend`, `record` and `clock` must outlive the path. `record` null: nothing is written, and alerts are told at
  /// once.
  FramePath(AsyncBackend& backend, Record* record, const Clock& clock, const FramePathOptions& options);
  /// Stop.
  ~FramePath();
  FramePath(const FramePath&) = delete;
  FramePath& operator=(const FramePath&) = delete;

  // What there is
  // ------------------------------------------------------------------------------------------------------

  /// Replaces what is known of an owner. A frame that is on its way ends by what it began with; the next one begins
  /// with this. Alerts of rules and cameras that are no more, or are disabled, or ask something else now, are ended and
  /// told. Errors: kInvalidArgument, an id that is empty or twice, too many, an unknown time zone; kAlreadyExists
  /// `camera_taken`, the camera is another owner's; kResourceExhausted, max_cameras. Nothing is changed then.
  /// Cost: linear in the owner's cameras and rules; a turn of each camera whose states the change touches.
  Status SetOwner(const std::string& owner, OwnerSetup setup);
  /// Whether SetOwner would take it, as far as the setup itself says: its errors but `camera_taken` and max_cameras.
  Status CheckOwner(const std::string& owner, OwnerSetup setup);
  /// Frames a second of the last minute that would have been asked about, had there been room: refused or replaced
  /// before their turn, or shed when it came too late. For the autoscale signal. Of those that had their turn some were
  /// not asked about (nothing changed, no rule due); as large a share of these would not have been either.
  double ShedPerSecond() const;
  /// From now on; devices keep what they have saved up, to the new burst.
  void SetDeviceRate(double per_second, double burst);

  /// As SetOwner with nothing in it, and forgets the owner's numbers.
  void RemoveOwner(const std::string& owner);
  /// Puts stored states in place, after SetOwner and before the first frames; unknown cameras and unreadable texts are
  /// logged, counted and left out. Gives how many were taken.
  size_t RestoreStates(const std::vector<RestoredState>& states);
  /// Alerts that the store holds open but no state stands for (their rule or camera was deleted, and the process died
  /// before it could say so) are ended, with cause "orphaned". `open`: as they fired; `number` and `recorded` are not
  /// read. After RestoreStates and before the first frames. Gives how many were ended.
  size_t EndOrphans(const std::vector<AlertNotice>& open);
  void SetPrices(const std::vector<PoolPrice>& prices);

  // Frames
  // -------------------------------------------------------------------------------------------------------------

  /// `done` may be empty.
  Submitted Submit(Submission submission, Done done = {});
  /// nullopt when none is kept, or the camera is not the owner's.
  std::optional<NewestFrame> Newest(const std::string& owner, const std::string& camera) const;

  // What came of them
  // --------------------------------------------------------------------------------------------------

  Observers& observers();
  /// {"rule","counts":{"fired":3,...},"newest":[{"frame","camera","time","reason","p_yes","verdict","phase"}...]},
  /// newest first. Errors: kNotFound `rule_unknown`, also another owner's.
  Result<Json> Why(const std::string& owner, const std::string& rule) const;
  /// {"cameras":[{"camera","arrived","dropped","refused","clock_skew_s","last_frame","phase by rule"...}],...}: an
  /// owner's numbers. Errors: kNotFound `owner_unknown`.
  Result<Json> Stats(const std::string& owner) const;
  /// {"pools":[{"pool","dollars","frames","answers","dollars_per_million_frames","dollars_per_million_answers"}],
  /// "rules":[{"rule","dollars","answers","alerts","dollars_per_alert"}]}: `owner` "" for all pools, else the owner's
  /// rules.
  Json Cost(const std::string& owner) const;
  /// Prometheus text of all stations, pawsight_gateway_*.
  std::string Metrics() const;

  // Ending
  // -------------------------------------------------------------------------------------------------------------

  /// Takes no more frames and waits until none is on its way or waits, and nothing waits for the disk, at most so long.
  /// True when all ended.
  bool Drain(std::chrono::milliseconds at_most);

  /// Takes no more, ends every frame that waits with kUnavailable, and waits for those on their way: the backend owes
  /// each an answer, at the latest by its deadline, and the record its word. From then on no frame's callback is
  /// called. More than once does no harm; by one thread.
  void Stop();

  /// One camera's turn, on the caller's thread; false when no camera has one now.
  bool Step();
  /// What time alone does: sheds what waits past its deadline, tries the disk again, forgets gates and devices long
  /// idle.
  void Tick();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pawsight::gateway
