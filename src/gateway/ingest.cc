#include "gateway/ingest.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gateway/back_off.h"

namespace pawsight::gateway {

using std::chrono::milliseconds;

Ingest::Ingest(Source& source, const IngestOptions& options)
    : source_(source), options_(options), thread_([this](std::stop_token stop) { Run(stop); }) {}

Ingest::~Ingest() {
  thread_.request_stop();
  WakeAll();
  thread_.join();
}

void Ingest::WakeAll() {
  MutexLock lock(mu_);  // so that a waiter is either before its test or in its wait
  changed_.NotifyAll();
}

bool Ingest::Put(Frame frame, std::stop_token stop) {
  MutexLock lock(mu_);
  while (!source_.live() && frame_ != nullptr && !stop.stop_requested()) changed_.Wait(mu_);
  if (stop.stop_requested()) return false;
  counts_.num_dropped += frame_ != nullptr ? 1 : 0;
  frame.number = ++counts_.num_arrived;
  frame_ = std::make_shared<const Frame>(std::move(frame));
  failures_in_a_row_ = 0;
  changed_.NotifyAll();
  return true;
}

std::optional<milliseconds> Ingest::NoteFailure(const Status& failure) {
  MutexLock lock(mu_);
  ++counts_.num_failures;
  if (!source_.live() || counts_.num_arrived == 0) {
    end_ = failure;
    return std::nullopt;
  }
  return PauseAfter(++failures_in_a_row_, options_.first_pause, options_.longest_pause);
}

void Ingest::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    const Status status = source_.Run(stop, [&](Frame frame) { return Put(std::move(frame), stop); });
    if (status.ok() || stop.stop_requested()) break;
    const std::optional<milliseconds> pause = NoteFailure(status);
    if (!pause) break;
    LogWarning("source.lost", {{"reason", status.ToString()}, {"retry_ms", std::to_string(pause->count())}});
    if (!SleepUntil(std::chrono::steady_clock::now() + *pause, stop)) break;
  }
  MutexLock lock(mu_);
  ended_ = true;
  changed_.NotifyAll();
}

std::shared_ptr<const Frame> Ingest::Take(std::stop_token stop) {
  const std::stop_callback wake(stop, [this] { WakeAll(); });
  MutexLock lock(mu_);
  while (frame_ == nullptr && !ended_ && !stop.stop_requested()) changed_.Wait(mu_);
  if (stop.stop_requested()) return nullptr;
  changed_.NotifyAll();
  return std::exchange(frame_, nullptr);
}

Status Ingest::end() const {
  MutexLock lock(mu_);
  return end_;
}

IngestCounts Ingest::counts() const {
  MutexLock lock(mu_);
  return counts_;
}

}  // namespace pawsight::gateway
