#include "gateway/camera_watch.h"

#include <future>
#include <utility>

#include "base/log.h"
#include "frames/encode.h"

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;

constexpr int kJpegQuality = 90;  // of pixels that a source decoded
constexpr Persistence kPersistence{
    .always = false, .first_pause = milliseconds(500), .longest_pause = milliseconds(30'000)};

}  // namespace

std::shared_ptr<const FrameResult> CameraWatch::Offer(Frame frame, FramePath::Done done) {
  Submission submission;
  submission.owner = owner_;
  submission.camera = camera_;
  submission.sequence = ++number_;
  Status trouble;
  if (frame.encoded.empty() && frame.image.width > 0) {
    Result<std::vector<uint8_t>> jpeg = frames::EncodeJpeg(frame.image, kJpegQuality);
    trouble = jpeg.status();
    if (jpeg.ok()) frame.encoded = std::move(*jpeg);
  }
  submission.encoded = std::make_shared<const std::vector<uint8_t>>(std::move(frame.encoded));
  if (trouble.ok()) trouble = path_.Submit(std::move(submission), std::move(done)).status;
  if (trouble.ok()) return nullptr;
  const auto refused = std::make_shared<FrameResult>();
  refused->owner = owner_;
  refused->camera = camera_;
  refused->sequence = number_;
  refused->time = refused->received = clock_.Now();
  refused->trouble = std::move(trouble);
  told_.OnFrame(refused);
  return refused;
}

std::shared_ptr<const FrameResult> CameraWatch::Take(Frame frame) {
  clock_.SetNow(frame.time);
  const auto told = std::make_shared<std::promise<std::shared_ptr<const FrameResult>>>();
  std::future<std::shared_ptr<const FrameResult>> result = told->get_future();
  const auto refused = Offer(std::move(frame), [told](const auto& came) { told->set_value(came); });
  return refused != nullptr ? refused : result.get();
}

Status CameraWatch::Run(Source& source, std::stop_token stop) {
  const auto on_frame = [&](Frame frame) {
    if (source.live()) {
      (void)Offer(std::move(frame), {});  // a refusal was told
    } else {
      (void)Take(std::move(frame));  // the observers have it
    }
    return !stop.stop_requested();
  };
  return KeepRunning(source, kPersistence, stop, on_frame, [](const Status& why, int in_a_row) {
    if (in_a_row == 1) LogWarning("source.lost", {{"reason", why.ToString()}});
  });
}

}  // namespace pawsight::gateway
