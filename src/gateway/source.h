// gateway/source.h: where a camera's frames come from when we fetch them: a video file, a directory of images, an MJPEG
// or snapshot URL, an RTSP camera. Not here: keeping the newest (gateway/path/mailbox.h),
// decoding images (station 2).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/status.h"
#include "gateway/frame.h"

namespace pawsight::gateway {

/// Runs in one thread at a time.
class Source {
 public:
  virtual ~Source() = default;

  /// Gives frames to `on_frame`, no more than the sampling rate, until the source ends
  /// (OK), fails, `on_frame` returns false (OK) or `stop` is requested (OK, within 0.2 s). May be run again after a
  /// failure. Errors: kFailedPrecondition, ffmpeg is missing. kNotFound, no such file. kUnavailable, kUnauthenticated,
  /// kPermissionDenied, kDeadlineExceeded, unreachable or silent; kPermissionDenied `address_refused`, at a link-local
  /// address. kInvalidArgument, kDataLoss, no video or image in it.
  using OnFrame = std::function<bool(Frame frame)>;
  virtual Status Run(std::stop_token stop, const OnFrame& on_frame) = 0;

  /// True: time goes on without us, a frame not taken in time is dropped. False: it is recorded and waits for us.
  virtual bool live() const = 0;
};

enum class SourceKind { kVideoFile, kDirectory, kHttp, kRtsp };

struct SourceSpec {
  SourceKind kind = SourceKind::kVideoFile;
  std::string address;  // a path or a URL
};

/// "video.mp4", "photos/", "http://cam/snapshot.jpg", "rtsp://user:password@cam/1".
/// Errors: kInvalidArgument, a scheme that is not taken. kNotFound, no such file or directory.
Result<SourceSpec> ParseSource(std::string_view text);

struct SourceOptions {
  double fps = 1;                            // frames a second to sample, 0.01..60
  int max_width = 1280;                      // pixels; wider video is scaled down by ffmpeg
  std::chrono::milliseconds silence{15000};  // a live source that gives nothing for so long has failed
  bool refuse_link_local = false;            // of a URL that somebody else has named (gateway/source_guard.h)
};

/// Opens nothing yet: the first Run does. `clock` gives capture times and must outlive the source; a recorded source's
/// frames are 1/fps apart from when it was first run.
std::unique_ptr<Source> MakeSource(const SourceSpec& spec, const SourceOptions& options, const Clock& clock);

/// The frames a second that a video file was recorded at, the mean of a rate that varies, by ffprobe, which comes with
/// ffmpeg. Errors: kInvalidArgument, no video file. kFailedPrecondition, ffprobe is missing. kDataLoss, no video in it,
/// or a rate that is none. kDeadlineExceeded, it says nothing for five minutes.
Result<double> RecordedFps(const SourceSpec& spec);

/// How a source that fails is run again.
struct Persistence {
  /// False: one that has never given a frame, and a recorded one, are given up when they fail: a wrong address is told.
  bool always = true;
  std::chrono::milliseconds first_pause{1000};  // after a failure; doubles with each one in a row
  std::chrono::milliseconds longest_pause{60'000};
};

/// Runs the source until `stop` (OK), until a recorded one has ended (OK), or until it is given up (why it failed). A
/// live one that ends has failed. `on_failure` is told before each pause: why, and how many failures there were since
/// the last frame. All on the caller's thread.
Status KeepRunning(Source& source, const Persistence& persistence, std::stop_token stop,
                   const Source::OnFrame& on_frame,
                   const std::function<void(const Status& why, int in_a_row)>& on_failure);

/// Waits until `until` on the machine's steady clock; false when `stop` was requested first.
bool SleepUntil(std::chrono::steady_clock::time_point until, std::stop_token stop);

}  // namespace pawsight::gateway
