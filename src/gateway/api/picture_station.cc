#include "gateway/api/picture_station.h"

#include <optional>
#include <utility>

namespace pawsight::gateway {

PictureStation::PictureStation(Make make) : make_(std::move(make)), thread_([this] { Run(); }) {}

void PictureStation::Stop() {
  {
    MutexLock lock(mu_);
    ending_ = true;
    changed_.NotifyAll();
  }
  if (thread_.joinable()) thread_.join();
  MutexLock lock(mu_);
  while (telling_ > 0) changed_.Wait(mu_);
}

Status PictureStation::Offer(const std::string& owner, Frame frame, Done& done) {
  std::optional<Job> displaced;
  {
    MutexLock lock(mu_);
    const size_t bytes = frame->size();
    Status taken;
    if (ending_) taken = Unavailable("the gateway is stopping", "draining");
    if (bytes > kMaxWaitingBytes) taken = ResourceExhausted("the frame is too large to be kept", "image_too_large");
    if (taken.ok() && waiting_bytes_ + bytes > kMaxWaitingBytes) taken = TooMany();
    if (taken.ok() && waiting_.size() >= kMaxWaiting) {
      displaced = waiting_.DropFromLongest(waiting_.SizeOf(owner) + 1);
      if (!displaced) taken = TooMany();
    }
    if (!taken.ok() || displaced) ++counts_.refused;
    if (!taken.ok()) return taken;
    if (displaced) {
      waiting_bytes_ -= displaced->frame->size();
      ++telling_;
    }
    waiting_bytes_ += bytes;
    waiting_.Push(owner, {std::move(frame), std::move(done)}, 1);
    changed_.NotifyOne();
  }
  if (displaced) {
    displaced->done(TooMany());
    MutexLock lock(mu_);
    --telling_;
    changed_.NotifyAll();
  }
  return Ok();
}

PictureStation::Counts PictureStation::counts() const {
  MutexLock lock(mu_);
  Counts counts = counts_;
  counts.waiting = waiting_.size();
  return counts;
}

void PictureStation::Run() {
  while (true) {
    std::optional<Job> job;
    {
      MutexLock lock(mu_);
      while (waiting_.size() == 0 && !ending_) changed_.Wait(mu_);
      job = waiting_.Pop();
      if (!job) return;
      waiting_bytes_ -= job->frame->size();
    }
    Result<std::vector<uint8_t>> picture = make_(*job->frame);
    {
      MutexLock lock(mu_);
      picture.ok() ? ++counts_.made : ++counts_.unfit;
    }
    job->done(std::move(picture));
  }
}

}  // namespace pawsight::gateway
