// tools/gateway_target.h: a gateway as what a load is sent to: an owner of its own with cameras and a rule a question,
// made by the API and erased again, and frames posted to the cameras. Nobody else's rules look at them, and its own
// never alert, so a load wakes nobody. Not here: measuring (tools/load_run.h). Thread-safe, but Remove.
//
// Two paths. As cameras and pages use it: a frame is posted, 202 comes at once, and what became of it comes on the
// owner's live stream (GET /v1/live), which one thread reads; a frame that the change gate holds back is "gated". Or
// with ?wait=answers: that asks about every frame, changed or not, and the answer is the response. Frames are sent by
// the owner's own token: `device-rate` limits devices, of which there are none here.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "client/http_client.h"
#include "client/io_thread.h"
#include "tools/awaited_frames.h"
#include "tools/live_stream.h"
#include "tools/load_frames.h"
#include "tools/load_run.h"
#include "tools/run_mark.h"

namespace pawsight::tools {

/// What listens at an address.
enum class ServerKind {
  kInference,  // it speaks the Open Inference Protocol
  kGateway,
};
/// Asks it. Errors: kFailedPrecondition, it is neither; else no answer came, and why.
Result<ServerKind> AskKind(client::HttpClient& server);
/// What follows from the statuses of GET /v2/health/live and, where that is not found, of GET /v1/me. Pure.
Result<ServerKind> KindOf(int live_status, int me_status);

/// One call, waited for: the body of a 200 to 299, or what the response's error says. Errors: as
/// client::HttpClient::Exchange's; the status as a code.
Result<std::string> Fetch(client::HttpClient& server, client::HttpClient::Request request);

/// How a posted frame ended: by the gateway's reason. Refused is what was not asked because there was too much. Pure.
CallOutcome FrameOutcome(const net::ReceivedResponse& response);

/// Cameras that have no frame under way, the one that was free longest first: of a camera the newest frame wins, so two
/// at once would be the load's fault. When all are busy they are taken in turns all the same: that is too much offered,
/// and the gateway says what becomes of it. Thread-safe.
class FreeCameras {
 public:
  explicit FreeCameras(size_t count) { Add(count); }
  void Add(size_t count) EXCLUDES(mu_);
  struct Turn {
    size_t camera = 0;
    int64_t number = 0;  // of the camera: 0, 1...
  };
  /// With at least one camera.
  Turn Take() EXCLUDES(mu_);
  void GiveBack(size_t camera) EXCLUDES(mu_);

 private:
  struct Camera {
    int under_way = 0;
    int64_t turns = 0;
  };
  Mutex mu_;
  std::vector<Camera> cameras_ GUARDED_BY(mu_);
  std::deque<size_t> free_ GUARDED_BY(mu_);
  size_t turn_ GUARDED_BY(mu_) = 0;
};

/// Which of `count` pictures a camera's frame shows: another one than its frame before, whatever the numbers of cameras
/// and of pictures are, or the change gate would hold it back; of drawn frames from another room. Pure.
int64_t PictureOf(const FreeCameras::Turn& turn, int64_t count);

struct GatewayTargetOptions {
  std::string url;
  std::string token;  // an admin's
  int cameras = 64;   // 1..10000
  bool wait = false;  // by ?wait=answers
  std::vector<std::string> questions;
  RunMark mark;                                 // this run's: its owner's name
  std::vector<std::string> runs_that_are_over;  // that are known of
};

class GatewayTarget {
 public:
  /// Makes the owner and what is its own, and erases the owners of runs that are over (tools/run_mark.h), of which
  /// leftovers() tells. `frames` and `io` outlive it. Errors: kPermissionDenied or kUnauthenticated,
  /// the token is no admin's. kInvalidArgument, a question the gateway does not take. kCancelled, `stop`
  /// was requested. Those of LiveStream::Begin and of Fetch. Cost: a call and a commit a camera,
  /// one after the other.
  static Result<std::unique_ptr<GatewayTarget>> Make(const GatewayTargetOptions& options, const LoadFrames& frames,
                                                     client::IoThread& io, std::stop_token stop);
  /// Removes, whatever comes of it.
  ~GatewayTarget();
  GatewayTarget(const GatewayTarget&) = delete;
  GatewayTarget& operator=(const GatewayTarget&) = delete;

  /// Posts frames and tells how they ended. It outlives what this returns, and every frame that was sent. What the live
  /// stream does not tell of before its deadline has failed, "not_told"; what it should have told of when it breaks,
  /// "stream_broken": it is begun anew.
  SendFrame Sender();
  /// Makes cameras until there are `count`, 1..10000; not while frames are under way. Errors: kCancelled, `stop` was
  /// requested. Those of Fetch. Cost: as Make's.
  Status HaveCameras(int count, const std::stop_token& stop);
  size_t num_cameras() const { return cameras_.size(); }
  /// Whether it answers at all. Errors: kUnavailable, with the reason of a connection that failed.
  Status CheckThere();
  /// The gateway's metrics, of all owners. Errors: as Fetch's.
  Result<std::string> Metrics();
  /// How many owners of runs that were killed were there and are erased, or why one may be there still.
  const Result<int>& leftovers() const { return leftovers_; }
  /// Erases the owner and all that is its own. Called again, it does nothing. Errors: as Fetch's; then it is still
  /// there.
  Status Remove();

 private:
  GatewayTarget(std::unique_ptr<client::HttpClient> admin, const LoadFrames& frames)
      : admin_(std::move(admin)), frames_(frames) {}
  /// `token` gets the owner's own.
  Status MakeOwner(const GatewayTargetOptions& options, client::IoThread& io, const std::stop_token& stop,
                   std::string* token);
  Status MakeRules(const std::vector<std::string>& questions);
  /// Looks through all owners, at most kMaxPages of a thousand. Errors: those of Fetch. kCancelled, kResourceExhausted:
  /// some were not looked at.
  Result<int> RemoveLeftovers(const GatewayTargetOptions& options, const std::stop_token& stop);

  const std::unique_ptr<client::HttpClient> admin_;
  const LoadFrames& frames_;
  std::unique_ptr<client::HttpClient> owner_;  // by the owner's token
  std::string owner_id_;                       // "" once it is erased
  Time made_{};                                // when it was, by the gateway's clock
  Result<int> leftovers_ = 0;
  std::vector<std::string> cameras_;
  FreeCameras free_{0};  // of `cameras_`
  bool wait_ = false;
  AwaitedFrames awaited_;
  std::unique_ptr<LiveStream> live_;  // not with `wait`
};

}  // namespace pawsight::tools
