// gateway/camera_watch.h: one camera watched: its path with the event store, the terminal's lines and, when asked for,
// the live page on an HTTP server. What `pawsight watch` and `pawsight demo` have in common. Used by one thread; the
// server has its own.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "events/store.h"
#include "gateway/camera_path.h"
#include "gateway/ingest.h"
#include "gateway/live_page.h"
#include "gateway/source.h"
#include "gateway/terminal.h"
#include "net/http_server.h"

namespace pawsight::gateway {

struct CameraWatchOptions {
  CameraPathOptions path;
  std::string source;                        // where frames come from, for the page; no password in it
  std::string events_path;                   // the event store's file; "" records nothing
  std::optional<net::ListenAddress> listen;  // serves the live page there
  TerminalOptions terminal;
};

/// What was seen, for the last line.
struct WatchSummary {
  uint64_t num_frames = 0;
  uint64_t num_asked = 0;
  uint64_t num_alerts = 0;
  uint64_t num_dropped = 0;
  uint64_t num_unrecorded = 0;  // events that the store never took
};

class CameraWatch {
 public:
  /// Opens the store and starts the server. `backend`, `clock` and `out` (the terminal's) must outlive the watch.
  /// Errors: events::Store::Open's, net::HttpServer::Start's.
  static Result<std::unique_ptr<CameraWatch>> Open(std::vector<rules::Rule> rules, Backend& backend, const Clock& clock,
                                                   std::FILE* out, const CameraWatchOptions& options);

  /// Takes the source's frames until it ends or `stop`. Errors: how the source failed (Source::Run's).
  Status Run(Source& source, std::stop_token stop);
  /// Takes one frame; for a caller with a clock of its own.
  FrameReport Take(std::shared_ptr<const Frame> frame);

  /// Where the live page is, "" when it was not asked for.
  std::string url() const { return server_ == nullptr ? "" : server_->url(); }
  const WatchSummary& summary() const { return summary_; }

 private:
  CameraWatch(std::vector<rules::Rule> rules, Backend& backend, const Clock& clock, std::FILE* out,
              std::unique_ptr<events::Store> store, const CameraWatchOptions& options);

  std::unique_ptr<events::Store> store_;
  Terminal terminal_;
  LivePage page_;
  CameraPath path_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;  // stops before what it serves goes
  WatchSummary summary_;
};

/// $XDG_DATA_HOME/pawsight/events.sqlite or ~/.local/share/pawsight/events.sqlite; makes the directory.
/// Errors: kFailedPrecondition, neither variable is set, or the directory cannot be made.
Result<std::string> DefaultEventsPath();

}  // namespace pawsight::gateway
