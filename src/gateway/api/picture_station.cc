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
}

bool PictureStation::Offer(const std::string& owner, Frame frame, Done& done) {
  std::optional<Job> displaced;
  {
    MutexLock lock(mu_);
    const bool fits = !ending_ && waiting_bytes_ + frame->size() <= kMaxWaitingBytes;
    if (fits && waiting_.size() >= kMaxWaiting) displaced = waiting_.DropFromLongest(waiting_.SizeOf(owner) + 1);
    if (!fits || waiting_.size() >= kMaxWaiting) {
      ++counts_.refused;
      return false;
    }
    if (displaced) {
      ++counts_.refused;
      waiting_bytes_ -= displaced->frame->size();
    }
    waiting_bytes_ += frame->size();
    waiting_.Push(owner, {std::move(frame), std::move(done)}, 1);
    changed_.NotifyOne();
  }
  if (displaced) displaced->done(TooMany());
  return true;
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
