#include <optional>
#include <utility>

#include "gateway/source_guard.h"
#include "gateway/source_kinds.h"
#include "gateway/split_stream.h"
#include "net/http_client.h"

namespace pawsight::gateway {
namespace {

using std::chrono::steady_clock;

constexpr size_t kMaxImageBytes = 8U << 20U;

class HttpSource : public Source {
 public:
  HttpSource(std::string url, const SourceOptions& options, const Clock& clock)
      : url_(std::move(url)),
        period_(std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(1 / options.fps))),
        clock_(clock) {
    fetch_.stall_timeout = options.silence;
    if (options.refuse_link_local) {
      fetch_.may_connect = [](const sockaddr* address) { return !IsLinkLocal(address); };
    }
  }

  bool live() const override { return true; }

  /// Each round is one request: the whole life of an MJPEG camera's answer, or one snapshot.
  Status Run(std::stop_token stop, const OnFrame& on_frame) override {
    due_ = steady_clock::now();
    while (SleepUntil(due_, stop)) {
      PAWSIGHT_ASSIGN_OR_RETURN(const bool go_on, Request(stop, on_frame));
      if (!go_on) break;
    }
    return Ok();
  }

 private:
  /// False: enough, or stopped.
  Result<bool> Request(std::stop_token stop, const OnFrame& on_frame) {
    std::optional<MultipartSplitter> splitter;
    std::vector<uint8_t> snapshot;
    Status trouble;
    bool go_on = true;
    const Status status =
        client_.Stream(url_, fetch_, stop, [&](std::string_view type, std::span<const uint8_t> bytes) {
          if (!splitter && snapshot.empty()) {
            const std::string boundary = MultipartBoundary(type);
            if (!boundary.empty()) splitter.emplace(boundary, kMaxImageBytes);
          }
          if (splitter) {
            const Result<bool> fed =
                splitter->Feed(bytes, [&](std::span<const uint8_t> part) { return Give(part, on_frame); });
            trouble = fed.status();
            go_on = fed.ok() && *fed;
            return go_on;
          }
          snapshot.insert(snapshot.end(), bytes.begin(), bytes.end());
          if (snapshot.size() > kMaxImageBytes) trouble = ResourceExhausted("a snapshot above 8 MiB");
          return trouble.ok();
        });
    if (status.code() == StatusCode::kCancelled || stop.stop_requested()) return false;
    if (!trouble.ok()) return Annotate(trouble, net::RedactUrl(url_));
    if (!status.ok()) return status;
    if (splitter)
      return go_on ? Result<bool>(Unavailable(net::RedactUrl(url_) + ": the camera ended the stream")) : false;
    if (snapshot.empty()) return DataLoss(net::RedactUrl(url_) + ": an empty answer");
    return Give(snapshot, on_frame);
  }

  /// Passes the image on when one is due.
  bool Give(std::span<const uint8_t> image, const OnFrame& on_frame) {
    const steady_clock::time_point now = steady_clock::now();
    if (now < due_) return true;
    due_ = std::max(due_ + period_, now);  // late ones are not made up for
    return on_frame({clock_.Now(), {image.begin(), image.end()}, {}});
  }

  const std::string url_;
  const steady_clock::duration period_;
  const Clock& clock_;
  net::FetchOptions fetch_;
  net::HttpClient client_;
  steady_clock::time_point due_;
};

}  // namespace

std::unique_ptr<Source> MakeHttpSource(const std::string& url, const SourceOptions& options, const Clock& clock) {
  return std::make_unique<HttpSource>(url, options, clock);
}

}  // namespace pawsight::gateway
