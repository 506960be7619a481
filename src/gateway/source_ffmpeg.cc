#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "gateway/source_guard.h"
#include "gateway/source_kinds.h"
#include "gateway/split_stream.h"
#include "net/child_process.h"
#include "net/http_client.h"

namespace pawsight::gateway {
namespace {

constexpr size_t kReadBytes = 256U << 10U;

std::string FormatNumber(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4f", value);
  return text;
}

class FfmpegSource : public Source {
 public:
  FfmpegSource(SourceSpec spec, const SourceOptions& options, const Clock& clock)
      : spec_(std::move(spec)), options_(options), clock_(clock) {}

  bool live() const override { return spec_.kind == SourceKind::kRtsp; }

  Status Run(std::stop_token stop, const OnFrame& on_frame) override {
    if (const Status fit = CheckAddress(stop); !fit.ok()) return stop.stop_requested() ? Ok() : Annotate(fit, Name());
    const Result<std::unique_ptr<net::ChildProcess>> started = net::ChildProcess::Start(Command());
    if (!started.ok()) return FailedPrecondition(started.status().message());  // our installation, not the camera
    const std::unique_ptr<net::ChildProcess>& child = *started;
    if (!live()) start_ = clock_.Now();
    num_given_ = 0;
    std::vector<uint8_t> bytes(kReadBytes);
    PpmSplitter splitter;
    while (true) {
      const Result<size_t> num_bytes = child->Read(bytes, Patience(), stop);
      if (num_bytes.status().code() == StatusCode::kCancelled) return Ok();
      if (!num_bytes.ok()) return Annotate(num_bytes.status(), Name());
      if (*num_bytes == 0) return AtEnd(*child);
      const std::span<const uint8_t> piece(bytes.data(), *num_bytes);
      PAWSIGHT_ASSIGN_OR_RETURN(const bool go_on, splitter.Feed(piece, [&](frames::Image image) {
        return on_frame({NextTime(), {}, std::move(image)});
      }));
      if (!go_on) return Ok();
    }
  }

 private:
  Status CheckAddress(const std::stop_token& stop) const {
    if (!live() || !options_.refuse_link_local) return Ok();
    return CheckLeadsNowhereLinkLocal(HostOf(spec_.address), std::make_shared<notify::SystemResolver>(),
                                      options_.silence, stop);
  }

  /// The longest wait for bytes: ffmpeg holds a frame back until it knows the next one's time, so the pace counts too.
  /// A file has no pace of its own and may take long to read.
  std::chrono::milliseconds Patience() const {
    if (!live()) return std::chrono::minutes(5);
    const std::chrono::duration<double> two_frames(2.0 / options_.fps);
    return options_.silence + std::chrono::duration_cast<std::chrono::milliseconds>(two_frames);
  }

  /// No shell, no option made of user text: a path gets "file:" before it, a URL begins with its scheme.
  std::vector<std::string> Command() const {
    std::vector<std::string> command = {"ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1"};
    if (live()) {
      const std::string microseconds = std::to_string(std::chrono::microseconds(options_.silence).count());
      command.insert(command.end(), {"-rtsp_transport", "tcp", "-timeout", microseconds, "-protocol_whitelist",
                                     "rtp,udp,tcp,rtsp,rtsps,tls,crypto", "-i", spec_.address});
    } else {
      command.insert(command.end(), {"-protocol_whitelist", "file", "-i", "file:" + spec_.address});
    }
    const std::string filter =
        "fps=" + FormatNumber(options_.fps) + ",scale='min(" + std::to_string(options_.max_width) + ",iw)':-2";
    command.insert(command.end(), {"-map", "0:v:0", "-vf", filter, "-f", "image2pipe", "-c:v", "ppm", "pipe:1"});
    return command;
  }

  std::string Name() const { return net::RedactUrl(spec_.address); }

  Time NextTime() {
    const auto offset = std::chrono::duration<double>(static_cast<double>(num_given_++) / options_.fps);
    return live() ? clock_.Now() : start_ + std::chrono::duration_cast<std::chrono::nanoseconds>(offset);
  }

  Status AtEnd(net::ChildProcess& child) const {
    const int exit_status = child.Wait();
    if (live()) return Unavailable(Name() + ": " + Explain(child, "the camera ended the connection"));
    if (exit_status == 0 && num_given_ > 0) return Ok();
    return DataLoss(Name() + ": " + Explain(child, "no video in it"));
  }

  /// ffmpeg's last line of error may show the URL with its password: that part is cut. Of a line that was itself cut
  /// nothing is left from where a URL begins.
  std::string Explain(net::ChildProcess& child, const std::string& otherwise) const {
    std::string line = child.LastError();
    const size_t at = line.find(spec_.address);
    if (at != std::string::npos) {
      line.replace(at, spec_.address.size(), Name());
    } else if (live()) {
      line.erase(std::min(line.size(), line.find(spec_.address.substr(0, spec_.address.find("://") + 3))));
    }
    if (line.rfind(Name() + ": ", 0) == 0) line.erase(0, Name().size() + 2);  // the caller names it
    return line.empty() ? otherwise : line;
  }

  const SourceSpec spec_;
  const SourceOptions options_;
  const Clock& clock_;
  Time start_{};
  uint64_t num_given_ = 0;
};

}  // namespace

Result<double> RecordedFps(const SourceSpec& spec) {
  if (spec.kind != SourceKind::kVideoFile) return InvalidArgument(spec.address + ": no video file");
  const Result<std::unique_ptr<net::ChildProcess>> child = net::ChildProcess::Start(
      {"ffprobe", "-v", "error", "-protocol_whitelist", "file", "-select_streams", "v:0", "-show_entries",
       "stream=avg_frame_rate", "-of", "default=noprint_wrappers=1:nokey=1", "file:" + spec.address});
  if (!child.ok()) return FailedPrecondition(child.status().message());
  std::string said;
  std::vector<uint8_t> bytes(256);
  for (size_t num_bytes = 1; num_bytes > 0;) {
    PAWSIGHT_ASSIGN_OR_RETURN(num_bytes, (*child)->Read(bytes, std::chrono::minutes(5), {}));
    said.append(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(num_bytes));
    if (said.size() > bytes.size()) break;  // a rate is shorter
  }
  int frames = 0;  // "30000/1001"
  int seconds = 0;
  const bool told = std::sscanf(said.c_str(), "%9d/%9d", &frames, &seconds) == 2 && frames > 0 && seconds > 0;
  if (told) return static_cast<double>(frames) / seconds;
  const std::string why = (*child)->LastError();
  return DataLoss(spec.address + ": " + (why.empty() ? "no video in it" : why));
}

std::unique_ptr<Source> MakeFfmpegSource(const SourceSpec& spec, const SourceOptions& options, const Clock& clock) {
  return std::make_unique<FfmpegSource>(spec, options, clock);
}

}  // namespace pawsight::gateway
