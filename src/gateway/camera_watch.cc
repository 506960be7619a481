#include "gateway/camera_watch.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

namespace pawsight::gateway {

Result<std::string> DefaultEventsPath() {
  const char* data = std::getenv("XDG_DATA_HOME");  // read at start, before there are other threads
  const char* home = std::getenv("HOME");
  std::filesystem::path directory;
  if (data != nullptr && data[0] == '/') {
    directory = data;
  } else if (home != nullptr && home[0] == '/') {
    directory = std::filesystem::path(home) / ".local" / "share";
  } else {
    return FailedPrecondition("events: neither XDG_DATA_HOME nor HOME is set; name the file with --events");
  }
  directory /= "pawsight";
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error)
    return FailedPrecondition("events: " + directory.string() + ": " + error.message() +
                              "; name the file with --events");
  return (directory / "events.sqlite").string();
}

CameraWatch::CameraWatch(std::vector<rules::Rule> rules, Backend& backend, const Clock& clock, std::FILE* out,
                         std::unique_ptr<events::Store> store, const CameraWatchOptions& options)
    : store_(std::move(store)),
      terminal_(out, options.path.camera, options.terminal),
      page_(options.path.camera, options.source, backend.name(), rules, store_.get()),
      path_(std::move(rules), backend, store_.get(), clock, options.path) {
  path_.AddObserver(terminal_);
  path_.AddObserver(page_);
  page_.AddRoutes(router_);
}

Result<std::unique_ptr<CameraWatch>> CameraWatch::Open(std::vector<rules::Rule> rules, Backend& backend,
                                                       const Clock& clock, std::FILE* out,
                                                       const CameraWatchOptions& options) {
  std::unique_ptr<events::Store> store;
  if (!options.events_path.empty()) {
    PAWSIGHT_ASSIGN_OR_RETURN(store, events::Store::Open(options.events_path));
  }
  std::unique_ptr<CameraWatch> watch(new CameraWatch(std::move(rules), backend, clock, out, std::move(store), options));
  if (options.listen) {
    net::HttpServerOptions server;
    server.listen = *options.listen;
    PAWSIGHT_ASSIGN_OR_RETURN(watch->server_, net::HttpServer::Start(server, watch->router_));
  }
  return watch;
}

FrameReport CameraWatch::Take(std::shared_ptr<const Frame> frame) {
  FrameReport report = path_.Take(std::move(frame));
  ++summary_.num_frames;
  summary_.num_asked += report.asked ? 1 : 0;
  for (const AlertChange& change : report.changes) summary_.num_alerts += change.fired ? 1 : 0;
  return report;
}

Status CameraWatch::Run(Source& source, std::stop_token stop) {
  Ingest ingest(source);
  while (std::shared_ptr<const Frame> frame = ingest.Take(stop)) (void)Take(std::move(frame));  // the observers have it
  summary_.num_dropped = ingest.counts().num_dropped;
  summary_.num_unrecorded = path_.FlushEvents();
  return ingest.end();
}

}  // namespace pawsight::gateway
