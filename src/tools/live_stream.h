// tools/live_stream.h: the live stream of a gateway's owner (GET /v1/live), read for a load: what it says of frames
// ends those that are waited for (tools/awaited_frames.h). Two threads of its own: one reads, one ends what is late.
// Thread-safe once it has begun.
//
// The stream has no event ids, so there is nothing to go on from (Last-Event-ID) and nowhere to read what was missed:
// what a gateway tells while nobody is subscribed is told to nobody, as to a page. A stream that breaks is asked for
// again after a moment; frames that may have been told of in between end as "stream_broken".
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <thread>

#include "base/status.h"
#include "tools/awaited_frames.h"

namespace pawsight::tools {

class LiveStream {
 public:
  /// Returns once the stream has begun. `awaited` outlives it. Errors: those of net::HttpClient::Stream, by the
  /// response's status (kUnauthenticated, kUnavailable...). kFailedPrecondition, it is no event stream.
  /// kDeadlineExceeded, it has not begun within ten seconds.
  static Result<std::unique_ptr<LiveStream>> Begin(const std::string& url, const std::string& token,
                                                   AwaitedFrames& awaited);
  /// Stops reading; what is waited for goes on waiting.
  ~LiveStream() = default;
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

 private:
  class Begun;
  LiveStream(std::string url, std::string token, AwaitedFrames& awaited)
      : url_(std::move(url)), token_(std::move(token)), awaited_(awaited) {}
  /// Until `stop`, or until it ends before it has begun for the first time.
  void Run(const std::stop_token& stop, Begun& begun);
  /// One connection, until it breaks. Errors: Begin's.
  Status Read(const std::stop_token& stop, Begun& begun);

  const std::string url_, token_;
  AwaitedFrames& awaited_;
  std::jthread reader_, expirer_;
};

}  // namespace pawsight::tools
