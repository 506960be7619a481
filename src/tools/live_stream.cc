#include "tools/live_stream.h"

#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <span>
#include <string_view>

#include "net/http_client.h"
#include "tools/event_stream.h"

namespace pawsight::tools {
namespace {

constexpr std::chrono::seconds kPatience(10);
constexpr std::chrono::milliseconds kExpireEvery(20);
constexpr std::chrono::milliseconds kReadAgain(100);
constexpr std::string_view kEventStream = "text/event-stream";

void OnEvent(const StreamEvent& event, AwaitedFrames& awaited) {
  if (event.name == "dropped") {
    if (const Result<int64_t> count = ReadDropped(event.data); count.ok()) awaited.Missed(*count);
  } else if (event.name == "frame") {
    if (const Result<ToldFrame> told = ReadToldFrame(event.data); told.ok()) awaited.Tell(*told);
  }  // alerts there are none
}

}  // namespace

/// How the first connection began, told once.
class LiveStream::Begun {
 public:
  void Tell(Status status) {
    std::call_once(once_, [&] { told_.set_value(std::move(status)); });
  }
  Status Await() {
    auto future = told_.get_future();
    if (future.wait_for(kPatience) == std::future_status::ready) return future.get();
    return DeadlineExceeded("the stream does not begin");
  }

 private:
  std::once_flag once_;
  std::promise<Status> told_;
};

Result<std::unique_ptr<LiveStream>> LiveStream::Begin(const std::string& url, const std::string& token,
                                                      AwaitedFrames& awaited) {
  std::unique_ptr<LiveStream> stream(new LiveStream(url + "/v1/live", token, awaited));
  const auto begun = std::make_shared<Begun>();
  stream->reader_ = std::jthread([&self = *stream, begun](const std::stop_token& stop) { self.Run(stop, *begun); });
  const Status status = begun->Await();
  if (!status.ok()) return Annotate(status, stream->url_);
  stream->expirer_ = std::jthread([&awaited](const std::stop_token& stop) {
    std::mutex mu;
    std::condition_variable_any stopped;
    std::unique_lock lock(mu);
    while (!stopped.wait_for(lock, stop, kExpireEvery, [&] { return stop.stop_requested(); })) {
      awaited.Expire(std::chrono::steady_clock::now());
    }
  });
  return stream;
}

void LiveStream::Run(const std::stop_token& stop, Begun& begun) {
  std::mutex mu;
  std::condition_variable_any stopped;
  while (!stop.stop_requested()) {
    const Status ended = Read(stop, begun);
    if (stop.stop_requested()) return;
    awaited_.Break();
    begun.Tell(ended.ok() ? Unavailable("the stream ended before it began") : ended);
    // So that a gateway that is gone is not asked all the time.
    std::unique_lock lock(mu);
    (void)stopped.wait_for(lock, stop, kReadAgain, [&] { return stop.stop_requested(); });
  }
}

Status LiveStream::Read(const std::stop_token& stop, Begun& begun) {
  EventStreamReader reader;
  net::HttpClient http;
  Status trouble;
  bool first = true;
  // The stream begins with how long to wait before it is asked for again, so bytes come when it is subscribed to.
  const Status ended =
      http.Stream(url_, {.stall_timeout = std::chrono::minutes(2), .bearer = token_}, stop,
                  [&](std::string_view content_type, std::span<const uint8_t> bytes) {
                    if (!content_type.starts_with(kEventStream)) {
                      trouble = FailedPrecondition("want " + std::string(kEventStream) + ", not " +
                                                   std::string(content_type.substr(0, 64)));
                      return false;
                    }
                    if (first) awaited_.Resume();
                    first = false;
                    begun.Tell(Ok());
                    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
                    trouble = reader.Feed(text, [&](const StreamEvent& event) { OnEvent(event, awaited_); });
                    return trouble.ok();
                  });
  return trouble.ok() ? ended : trouble;
}

}  // namespace pawsight::tools
