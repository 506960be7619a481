// bench/worker/load.h: the load of a worker's benchmarks: tools/load_run.h over HTTP with one question a frame, none of
// whose images are the same. For benchmarks. Thread-compatible.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "client/http_client.h"
#include "client/io_thread.h"
#include "tools/load_frames.h"
#include "tools/load_run.h"

namespace pawsight::bench {

class Load {
 public:
  /// `url` of a worker. With `fresh_connections` each call opens one of its own.
  explicit Load(const std::string& url, bool fresh_connections = false);

  /// `clients` at once for `seconds`, after a second to warm up: answers a second. CHECK that nothing failed; who is
  /// refused as too much comes back 5 ms later.
  double AnswersPerSecond(int clients, double seconds);
  /// `per_s` frames a second, whatever becomes of them, until `stop`: what came of them.
  tools::LoadSeen Offer(double per_s, std::stop_token stop);

 private:
  tools::LoadSeen Run(const tools::LoadSpec& spec, std::stop_token stop);

  const SystemClock clock_;
  client::IoThread io_;
  std::unique_ptr<client::HttpClient> client_;
  int64_t next_ = 0;
};

/// A whole request as such a load sends it, number so much of them, to be spoilt.
std::string InferRequest(int64_t number);

}  // namespace pawsight::bench
