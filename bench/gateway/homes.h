// bench/gateway/homes.h: what the gateway's benchmarks ask about: owners with a device, cameras and a rule, made by its
// API; frames that say whose they are; a worker that answers at once with what the frame says. For benchmarks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "built.h"
#include "gateway/api_connection.h"
#include "net/http_server.h"
#include "server/empty_model.h"
#include "server/http_endpoint.h"
#include "server/repository.h"

namespace pawsight::bench {

struct Home {
  std::string owner, operator_token, device_token;
  std::vector<std::string> cameras;
};

/// `count` of them with `cameras_each`; `rule` is the rule's document and `hook` the URL of a webhook, each "" for
/// none. The cameras have no change gate. Progress on standard error when it takes long.
std::vector<Home> MakeHomes(const tools::GatewayProcess& gateway, int count, int cameras_each, const std::string& rule,
                            const std::string& hook);

/// A photo of `bytes` bytes or more, whose last bytes say: of this camera, the `number`th, `yes` to every question.
std::string Frame(const std::string& camera, int64_t number, bool yes, size_t bytes);
/// What the worker answers to every question about that frame.
std::string AnswerTo(const std::string& camera, int64_t number, bool yes);

/// A worker in this process, over HTTP. Its model takes a frame's word, so that an answer tells whose frame it was.
class TruthfulWorker {
 public:
  TruthfulWorker();
  std::string url() const { return http_->url(); }
  /// A pool of it alone, as PUT /v1/backends wants it.
  Json Pool(const std::string& name) const;

 private:
  SystemClock clock_;
  server::Repository repository_;
  server::HttpEndpoint endpoint_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> http_;
};

}  // namespace pawsight::bench
