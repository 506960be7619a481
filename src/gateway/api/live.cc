#include "gateway/api/live.h"

#include <algorithm>
#include <thread>
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

/// Turns what the path tells into messages, when somebody reads. Ends the streams of expired credentials: before each
/// message, so that none gets one, and on a thread that waits for the next to expire.
class LiveApi::Teller : public Watcher {
 public:
  explicit Teller(const Clock& clock) : clock_(clock), thread_([this] { Run(); }) {}
  ~Teller() override { Stop(); }
  /// Ends the thread; streams end with messages only from then on.
  void Stop() EXCLUDES(mu_) {
    {
      MutexLock lock(mu_);
      ending_ = true;
    }
    changed_.NotifyAll();
    if (thread_.joinable()) thread_.join();
  }
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
    PAWSIGHT_RETURN_IF_ERROR(expiry_.Note(who.credential, *who.expires));
    changed_.NotifyAll();
    return Ok();
  }
  /// Errors: kUnauthenticated, it has expired.
  Status CheckValid(const std::optional<Time>& expires) const {
    if (!expires || clock_.Now() < *expires) return Ok();
    return {StatusCode::kUnauthenticated, "the token has expired", "token_wrong"};
  }
  const std::shared_ptr<net::Broadcast>& broadcast() const { return broadcast_; }

 private:
  /// Wall time may be set, so it is looked at so often.
  static constexpr std::chrono::minutes kLook{1};

  void Run() EXCLUDES(mu_) {
    for (std::optional<std::vector<std::string>> expired; (expired = AwaitExpired());) {
      for (const std::string& credential : *expired) broadcast_->End(credential);
    }
  }
  /// Waits until some have expired; nothing when it is to end.
  std::optional<std::vector<std::string>> AwaitExpired() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    while (!ending_) {
      std::vector<std::string> expired = expiry_.TakeExpired(clock_.Now());
      if (!expired.empty()) return expired;
      const std::optional<Time> next = expiry_.Next();
      const auto left = next ? std::min<std::chrono::nanoseconds>(*next - clock_.Now(), kLook) : kLook;
      clock_.WaitUntil(mu_, changed_, clock_.Monotonic() + std::max<std::chrono::nanoseconds>(left, kLeast));
    }
    return std::nullopt;
  }
  static constexpr std::chrono::milliseconds kLeast{1};
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
  CondVar changed_;
  bool ending_ GUARDED_BY(mu_) = false;
  StreamExpiry expiry_ GUARDED_BY(mu_);
  std::thread thread_;
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
    // It may expire, and its streams be ended, before this one is among them.
    const auto admit = [teller, expires = call.who.expires] { return teller->CheckValid(expires); };
    return net::Broadcast::Interest{camera.empty() ? call.owner + "/" : TopicOf(call.owner, camera),
                                    call.who.credential, admit};
  };
  context.router.AddStream("/v1/live", *broadcast_, interest);
}

LiveApi::~LiveApi() {
  path_.observers().Unsubscribe(watching_);
  teller_->Stop();  // here and not on a thread that still holds it
}

}  // namespace pawsight::gateway
