#include "gateway/source.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/files.h"
#include "gateway/back_off.h"
#include "gateway/source_kinds.h"

namespace pawsight::gateway {
namespace {

bool StartsWith(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

}  // namespace

Result<SourceSpec> ParseSource(std::string_view text) {
  if (text.empty()) return InvalidArgument("source: empty, want a file, a directory or a URL");
  const std::string address(text);
  if (text.find('\0') != std::string_view::npos || text.find_first_of("\r\n") != std::string_view::npos) {
    return InvalidArgument("source: want one line of text");
  }
  if (StartsWith(text, "http://") || StartsWith(text, "https://")) return SourceSpec{SourceKind::kHttp, address};
  if (StartsWith(text, "rtsp://") || StartsWith(text, "rtsps://")) return SourceSpec{SourceKind::kRtsp, address};
  if (text.find("://") != std::string_view::npos) {
    return InvalidArgument(
        "source: want a file, a directory, or a URL that begins with rtsp://, rtsps://, http:// or https://");
  }
  if (IsDirectory(address)) return SourceSpec{SourceKind::kDirectory, address};
  if (FileExists(address)) return SourceSpec{SourceKind::kVideoFile, address};
  return NotFound("source: no file or directory " + address);
}

std::unique_ptr<Source> MakeSource(const SourceSpec& spec, const SourceOptions& options, const Clock& clock) {
  CHECK(options.fps >= 0.01 && options.fps <= 60);
  switch (spec.kind) {
    case SourceKind::kVideoFile:
    case SourceKind::kRtsp:
      return MakeFfmpegSource(spec, options, clock);
    case SourceKind::kDirectory:
      return MakeDirectorySource(spec.address, options, clock);
    case SourceKind::kHttp:
      return MakeHttpSource(spec.address, options, clock);
  }
  CHECK(false);
}

Status KeepRunning(Source& source, const Persistence& persistence, std::stop_token stop,
                   const Source::OnFrame& on_frame,
                   const std::function<void(const Status& why, int in_a_row)>& on_failure) {
  bool given = false;
  int failures = 0;  // since the last frame
  while (!stop.stop_requested()) {
    Status status = source.Run(stop, [&](Frame frame) {
      given = true;
      failures = 0;
      return on_frame(std::move(frame));
    });
    if (stop.stop_requested() || (status.ok() && !source.live())) break;
    if (status.ok()) status = Unavailable("the camera ended the stream");
    if (!persistence.always && (!given || !source.live())) return status;
    on_failure(status, ++failures);
    const auto pause = PauseAfter(failures, persistence.first_pause, persistence.longest_pause);
    if (!SleepUntil(std::chrono::steady_clock::now() + pause, stop)) break;
  }
  return Ok();
}

bool SleepUntil(std::chrono::steady_clock::time_point until, std::stop_token stop) {
  std::mutex mu;
  std::condition_variable_any woken;
  std::unique_lock<std::mutex> lock(mu);
  woken.wait_until(lock, stop, until, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace pawsight::gateway
