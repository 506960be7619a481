// gateway/path/observers.h: those who watch an owner's frames and alerts as they happen: the API's live streams. A
// watcher sees one owner's and nobody else's. Not here: buffers and sockets (net/broadcast.h): a watcher keeps its own,
// bounded. Thread-safe.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "gateway/path/frame_result.h"

namespace pawsight::gateway {

/// Called by the path's threads, several at once, never under a lock of the path; must be quick, must not block and
/// must not subscribe or unsubscribe. One camera's frames come in order; its alerts come when they are durable (or
/// known not to be), so they may come after a later frame.
class Watcher {
 public:
  virtual ~Watcher() = default;
  virtual void OnFrame(const std::shared_ptr<const FrameResult>& result) = 0;
  virtual void OnAlert(const AlertNotice& notice) = 0;
};

class Observers {
 public:
  static constexpr size_t kMaxWatchers = 10000;

  /// `owner` "" watches all, for the administrator. The watcher is held until Unsubscribe, and by a call that is going
  /// on. Errors: kResourceExhausted `too_many_watchers`.
  Result<uint64_t> Subscribe(std::string owner, std::shared_ptr<Watcher> watcher) EXCLUDES(mu_);
  /// A call that has begun may still end after this returns; none begins.
  void Unsubscribe(uint64_t id) EXCLUDES(mu_);

  /// Nobody watches the owner: there is nothing to make ready. A hint.
  bool IsWatched(const std::string& owner) const EXCLUDES(mu_);
  void TellFrame(const std::shared_ptr<const FrameResult>& result) const EXCLUDES(mu_);
  void TellAlert(const AlertNotice& notice) const EXCLUDES(mu_);

 private:
  using Watchers = std::vector<std::pair<uint64_t, std::shared_ptr<Watcher>>>;
  /// Those of the owner and those of all.
  std::vector<std::shared_ptr<Watcher>> Of(const std::string& owner) const EXCLUDES(mu_);

  mutable Mutex mu_;
  std::map<std::string, Watchers, std::less<>> watchers_ GUARDED_BY(mu_);  // no owner has an empty list
  std::map<uint64_t, std::string> owner_of_ GUARDED_BY(mu_);
  uint64_t next_id_ GUARDED_BY(mu_) = 1;
  std::atomic<size_t> count_{0};  // so that nobody watching costs no lock
};

}  // namespace pawsight::gateway
