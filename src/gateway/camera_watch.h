// gateway/camera_watch.h: one camera watched by whoever started the program: a home of this one camera on the gateway's
// stations (gateway/path), with its events in a store, the terminal's lines and, when asked for, the live page on an
// HTTP server. What `pawsight watch` and `pawsight demo` have in common. Not here: owners, credentials, receivers (the
// API). Used by one thread; the path and the server have their own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "events/store.h"
#include "gateway/event_record.h"
#include "gateway/live_page.h"
#include "gateway/path/frame_path.h"
#include "gateway/source.h"
#include "gateway/terminal.h"
#include "net/http_server.h"

namespace pawsight::gateway {

struct CameraWatchOptions {
  std::string camera = "camera";                     // its name in events, and its id to rules; it has no labels
  bool gate = true;                                  // ask only about frames that changed; false asks about all
  std::chrono::milliseconds refresh{60'000};         // and at the latest so long after the last time, 0.1 s to 1 day
  std::string source;                                // where frames come from, for the page; no password in it
  std::string backend;                               // what answers, for the page
  std::string events_path;                           // the event store's file; "" records nothing
  std::optional<net::ListenAddress> listen;          // serves the live page there
  std::chrono::milliseconds answer_within{300'000};  // of a frame's arrival; a slow machine is waited for
  TerminalOptions terminal;
};

/// What was seen, for the last line.
struct WatchSummary {
  uint64_t num_frames = 0;
  uint64_t num_asked = 0;
  uint64_t num_alerts = 0;
  uint64_t num_dropped = 0;     // a newer one came before their turn
  uint64_t num_unrecorded = 0;  // events that the store never took
};

class CameraWatch {
 public:
  /// Opens the store and starts the server. `backend`, `clock` and `out` (the terminal's) must outlive the watch.
  /// rules: 1..64. Errors: FramePath::SetOwner's, events::Store::Open's, net::HttpServer::Start's.
  static Result<std::unique_ptr<CameraWatch>> Open(std::vector<rules::Rule> rules, AsyncBackend& backend,
                                                   const Clock& clock, std::FILE* out,
                                                   const CameraWatchOptions& options);
  ~CameraWatch();
  CameraWatch(const CameraWatch&) = delete;
  CameraWatch& operator=(const CameraWatch&) = delete;

  /// Takes the source's frames until it ends or `stop`, then no more. Of a live source the newest frame wins; a
  /// recorded one waits for each answer, and its frames' times are the time of day. Errors: how the source failed
  /// (KeepRunning's, giving up).
  Status Run(Source& source, std::stop_token stop);

  /// Takes one frame at its own time, JPEG or PNG bytes or pixels, and waits for what came of it. Bytes that are no
  /// image are told in the report.
  FrameReport Take(Frame frame);

  /// Where the live page is, "" when it was not asked for.
  std::string url() const { return server_ == nullptr ? "" : server_->url(); }
  WatchSummary summary() const EXCLUDES(mu_);

 private:
  /// The machine's clock, until it is given the time of day.
  class DayClock;
  class Teller;

  CameraWatch(std::vector<rules::Rule> rules, AsyncBackend& backend, const Clock& clock, std::FILE* out,
              std::unique_ptr<events::Store> store, const CameraWatchOptions& options);
  Status Start();
  /// Through the path's door; a refusal is told as what came of the frame.
  std::shared_ptr<const FrameResult> Offer(Frame frame, FramePath::Done done);
  FrameReport ReportOf(const std::shared_ptr<const FrameResult>& result) const;
  void Tell(const std::shared_ptr<const FrameResult>& result) EXCLUDES(mu_);

  const CameraWatchOptions options_;
  const std::vector<rules::Rule> rules_;
  const std::unique_ptr<DayClock> clock_;
  std::unique_ptr<EventRecord> record_;   // null without a store
  std::unique_ptr<events::Store> store_;  // closed before what it calls back goes
  Terminal terminal_;
  LivePage page_;
  std::unique_ptr<FramePath> path_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;  // stops before what it serves goes
  uint64_t number_ = 0;                      // of the last frame offered; the thread's that brings them
  mutable Mutex mu_;
  WatchSummary summary_ GUARDED_BY(mu_);
  uint64_t num_changes_ GUARDED_BY(mu_) = 0;
};

/// $XDG_DATA_HOME/pawsight/events.sqlite or ~/.local/share/pawsight/events.sqlite; makes the directory.
/// Errors: kFailedPrecondition, neither variable is set, or the directory cannot be made.
Result<std::string> DefaultEventsPath();

}  // namespace pawsight::gateway
