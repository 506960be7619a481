// gateway/api/live.h: GET /v1/live, answers and alerts as they happen, as server-sent events: "frame" and "alert". Each
// reader gets its owner's, or one camera's (?camera=), through a bounded buffer of its own (net/broadcast.h): one that
// does not read loses its oldest messages and is told how many. Once its credential has expired it gets nothing more
// and is ended, within a moment, whether there is anything to tell or not: one thread waits for the next to expire.
// Thread-safe.
#pragma once

#include <memory>

#include "gateway/api/api_router.h"
#include "gateway/path/frame_path.h"
#include "net/broadcast.h"

namespace pawsight::gateway {

class LiveApi {
 public:
  /// Adds its route and begins to watch. `path` must outlive it.
  LiveApi(const ApiContext& context, FramePath& path);
  /// After the server has stopped.
  ~LiveApi();
  LiveApi(const LiveApi&) = delete;
  LiveApi& operator=(const LiveApi&) = delete;

  /// A credential opens nothing any more: its streams end. Revoking does not wait for them.
  void EndStreams(const std::string& credential) { broadcast_->End(credential); }
  size_t num_readers() const { return broadcast_->NumSubscribers(); }

 private:
  class Teller;
  FramePath& path_;
  const std::shared_ptr<Teller> teller_;
  const std::shared_ptr<net::Broadcast> broadcast_;
  uint64_t watching_ = 0;
};

}  // namespace pawsight::gateway
