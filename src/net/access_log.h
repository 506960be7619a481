// net/access_log.h: one line a request, for whoever asks later who came, what they got and how long it took; in
// base/log's form:
//
//   2026-01-31T08:15:30.250Z info access listener=http method=POST path=/v2/models/vqa/infer status=200 bytes_in=30228
//   bytes_out=310 model=vqa outcome=ok images=1 questions=2 queue_ms=0.412 total_ms=12.3 peer=127.0.0.1:51324
//
// Never pixels, question text, answers, tokens or queries. A thread of its own writes, so a disk that is full, slow or
// gone holds nobody up: what it does not take in time is lost and counted. Lines have a rate, requests that went well
// and those that did not each their own; what is over it is counted, and the next line says how many were left out.
// Thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/status.h"
#include "net/http_options.h"

namespace pawsight::net {

/// What is said of a request besides; by whoever answered it.
class AccessNotes {
 public:
  virtual ~AccessNotes() = default;
  /// Adds " key=value" pairs (base/log.h, AppendLogField).
  virtual void AppendTo(std::string* line) const = 0;
};

/// One request. Views are good while Write runs; what is "" or null is left out.
struct AccessEntry {
  std::string_view listener;  // "http"
  std::string_view method;    // "POST", "ModelInfer"
  std::string_view path;      // more than 256 bytes are cut
  std::string_view status;    // "200", "RESOURCE_EXHAUSTED"
  std::string_view reason;    // stable code of what went wrong
  bool whole = true;          // the client took the response
  size_t bytes_in = 0;
  size_t bytes_out = 0;
  std::chrono::nanoseconds total{0};
  std::string_view peer;
  const AccessNotes* notes = nullptr;
};

struct AccessLogOptions {
  std::string path = "-";                   // "-": standard error
  int lines_per_second = 20;                // on average, of requests that went well and of the others each; 1..100000
  size_t max_buffered_bytes = 256U << 10U;  // not yet written; more lines are lost
};

/// Lines since the start.
struct AccessLogCounts {
  uint64_t written = 0;
  uint64_t suppressed = 0;  // over the rate
  uint64_t lost = 0;        // the disk, or who reads, did not take them
};

/// So many a second, twice that at once.
struct LineBudget {
  double per_second = 1;
  double left = 2 * per_second;
  std::chrono::nanoseconds last{0};

  bool Take(std::chrono::nanoseconds now) {
    left += std::chrono::duration<double>(now - last).count() * per_second;
    if (left > 2 * per_second) left = 2 * per_second;
    last = now;
    if (left < 1) return false;
    left -= 1;
    return true;
  }
};

class AccessLog {
 public:
  /// `clock` outlives it. Errors: kFailedPrecondition, the file cannot be opened for appending.
  static Result<std::unique_ptr<AccessLog>> Open(const AccessLogOptions& options, const Clock& clock);
  /// Writes what is left, at most a second long.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  /// Whether a line about a request that went well, or did not, may be written now; each yes is one Write. Cheap, so
  /// ask before what a line says is put together.
  bool Wants(bool well) EXCLUDES(mu_);
  /// Never waits for the disk.
  void Write(const AccessEntry& entry) EXCLUDES(mu_);

  /// Opens the path anew, after a rotation. Errors: as Open's; then the old file is written on.
  Status Reopen() EXCLUDES(mu_);

  AccessLogCounts counts() const EXCLUDES(mu_);

 private:
  class File;
  AccessLog(const AccessLogOptions& options, const Clock& clock, std::shared_ptr<File> file);

  static Result<std::shared_ptr<File>> OpenFile(const std::string& path);
  void Run() EXCLUDES(mu_);
  void Write(File& file, const std::string& lines) EXCLUDES(mu_);
  bool Stopping() const EXCLUDES(mu_);

  const AccessLogOptions options_;
  const Clock& clock_;
  mutable Mutex mu_;
  CondVar changed_;
  std::shared_ptr<File> file_ GUARDED_BY(mu_);
  LineBudget well_ GUARDED_BY(mu_);
  LineBudget others_ GUARDED_BY(mu_);
  uint64_t left_out_ GUARDED_BY(mu_) = 0;  // since the last line
  AccessLogCounts counts_ GUARDED_BY(mu_);
  std::string lines_ GUARDED_BY(mu_);  // not yet taken by the thread
  bool stopping_ GUARDED_BY(mu_) = false;
  bool failing_ = false;  // the thread's
  std::thread thread_;
};

/// For HttpServerOptions::answered; `log` outlives the server.
std::function<void(const HttpExchange&)> LogTo(AccessLog& log, std::string listener);

}  // namespace pawsight::net
