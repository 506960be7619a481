#include "gateway/api/live.h"

#include <utility>

#include "events/ids.h"

namespace pawsight::gateway {
namespace {

constexpr net::BroadcastOptions kLimits{.max_subscribers = 1024, .max_buffered_bytes = 256U << 10U};

/// Owner and camera are ids, so no topic is the beginning of another owner's.
std::string TopicOf(const std::string& owner, const std::string& camera) { return owner + "/" + camera + "/"; }

}  // namespace

/// Turns what the path tells into messages, when somebody reads.
class LiveApi::Teller : public Watcher {
 public:
  explicit Teller(std::shared_ptr<net::Broadcast> broadcast) : broadcast_(std::move(broadcast)) {}
  void OnFrame(const std::shared_ptr<const FrameResult>& result) override {
    if (broadcast_->NumSubscribers() == 0) return;
    broadcast_->Publish("frame", ResultToJson(*result).Dump(), TopicOf(result->owner, result->camera));
  }
  void OnAlert(const AlertNotice& notice) override {
    if (broadcast_->NumSubscribers() == 0) return;
    broadcast_->Publish("alert", NoticeToJson(notice).Dump(), TopicOf(notice.owner, notice.camera));
  }

 private:
  const std::shared_ptr<net::Broadcast> broadcast_;
};

LiveApi::LiveApi(const ApiContext& context, FramePath& path)
    : path_(path), broadcast_(std::make_shared<net::Broadcast>(kLimits)) {
  const Result<uint64_t> watching = path_.observers().Subscribe("", std::make_shared<Teller>(broadcast_));
  CHECK(watching.ok());  // the first
  watching_ = *watching;
  context.router.AddStream("/v1/live", *broadcast_, [](const Call& call) -> Result<net::Broadcast::Interest> {
    const std::string camera(call.request->Query("camera"));
    if (camera.empty()) return net::Broadcast::Interest{call.owner + "/", call.who.credential};
    if (!events::IsId("cam_", camera)) return NotFound("no such camera", "camera_unknown");
    return net::Broadcast::Interest{TopicOf(call.owner, camera), call.who.credential};
  });
}

LiveApi::~LiveApi() { path_.observers().Unsubscribe(watching_); }

}  // namespace pawsight::gateway
