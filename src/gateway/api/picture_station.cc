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

bool PictureStation::Offer(Frame frame, Done& done) {
  MutexLock lock(mu_);
  if (ending_ || waiting_.size() >= kMaxWaiting || waiting_bytes_ + frame->size() > kMaxWaitingBytes) {
    ++counts_.refused;
    return false;
  }
  waiting_bytes_ += frame->size();
  waiting_.push_back({std::move(frame), std::move(done)});
  changed_.NotifyOne();
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
      while (waiting_.empty() && !ending_) changed_.Wait(mu_);
      if (waiting_.empty()) return;
      job = std::move(waiting_.front());
      waiting_.pop_front();
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
