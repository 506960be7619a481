#include "gateway/api/live.h"

#include <utility>

#include "base/mutex.h"
#include "events/ids.h"
#include "gateway/api/stream_expiry.h"

namespace pawsight::gateway {
namespace {

constexpr net::BroadcastOptions kLimits{.max_subscribers = 1024, .max_buffered_bytes = 256U << 10U};

/// Owner and camera are ids, so no topic is the beginning of another owner's.
std::string TopicOf(const std::string& owner, const std::string& camera) { return owner + "/" + camera + "/"; }

}  // namespace

/// Turns what the path tells into messages, when somebody reads. Ends the streams of expired credentials first.
class LiveApi::Teller : public Watcher {
 public:
  explicit Teller(const Clock& clock) : clock_(clock) {}
  void OnFrame(const std::shared_ptr<const FrameResult>& result) override {
    if (!HasReaders()) return;
    broadcast_->Publish("frame", ResultToJson(*result).Dump(), TopicOf(result->owner, result->camera));
  }
  void OnAlert(const AlertNotice& notice) override {
    if (!HasReaders()) return;
    broadcast_->Publish("alert", NoticeToJson(notice).Dump(), TopicOf(notice.owner, notice.camera));
  }
  /// Errors: StreamExpiry::Note's.
  Status Expect(const Principal& who) EXCLUDES(mu_) {
    if (!who.expires) return Ok();
    MutexLock lock(mu_);
    return expiry_.Note(who.credential, *who.expires);
  }
  const std::shared_ptr<net::Broadcast>& broadcast() const { return broadcast_; }

 private:
  bool HasReaders() EXCLUDES(mu_) {
    if (broadcast_->NumSubscribers() == 0) return false;
    std::vector<std::string> expired;
    {
      MutexLock lock(mu_);
      expired = expiry_.TakeExpired(clock_.Now());
    }
    for (const std::string& credential : expired) broadcast_->End(credential);
    return true;
  }

  const Clock& clock_;
  const std::shared_ptr<net::Broadcast> broadcast_ = std::make_shared<net::Broadcast>(kLimits);
  Mutex mu_;
  StreamExpiry expiry_ GUARDED_BY(mu_);
};

LiveApi::LiveApi(const ApiContext& context, FramePath& path)
    : path_(path), teller_(std::make_shared<Teller>(context.clock)), broadcast_(teller_->broadcast()) {
  const Result<uint64_t> watching = path_.observers().Subscribe("", teller_);
  CHECK(watching.ok());  // the first
  watching_ = *watching;
  const auto interest = [teller = teller_](const Call& call) -> Result<net::Broadcast::Interest> {
    const std::string camera(call.request->Query("camera"));
    if (!camera.empty() && !events::IsId("cam_", camera)) return NotFound("no such camera", "camera_unknown");
    PAWSIGHT_RETURN_IF_ERROR(teller->Expect(call.who));
    return net::Broadcast::Interest{camera.empty() ? call.owner + "/" : TopicOf(call.owner, camera),
                                    call.who.credential};
  };
  context.router.AddStream("/v1/live", *broadcast_, interest);
}

LiveApi::~LiveApi() { path_.observers().Unsubscribe(watching_); }

}  // namespace pawsight::gateway
