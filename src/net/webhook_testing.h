// net/webhook_testing.h: somebody's webhook on loopback, for tests: keeps what it is sent and hands it out in order;
// what has no signature it refuses (401). Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/check.h"
#include "base/json.h"
#include "net/http_server.h"

namespace pawsight::net::testing {

class Webhook {
 public:
  Webhook() {
    router_.Add("POST", "/hook", [this](const HttpRequest& request) {
      if (!request.Header("webhook-signature").starts_with("v1,"))
        return HttpResponse{401, "text/plain", "", {}, {}, nullptr};
      const std::lock_guard lock(mu_);
      bodies_.push_back(request.body);
      came_.notify_all();
      return HttpResponse{204, "text/plain", "", {}, {}, nullptr};
    });
    server_ = HttpServer::Start({}, router_).value();
  }
  std::string url() const { return server_->url() + "/hook"; }
  /// A receiver's document; `more` begins with a comma.
  std::string Config(const std::string& more = "") const {
    return R"({"kind":"webhook","url":")" + url() + "\"" + more + "}";
  }
  /// The next body; one must come in two minutes (CHECK).
  Json Next() {
    std::unique_lock lock(mu_);
    CHECK(came_.wait_for(lock, std::chrono::minutes(2), [&] { return !bodies_.empty(); }));
    const Json body = Json::Parse(bodies_.front()).value();
    bodies_.pop_front();
    return body;
  }

 private:
  std::mutex mu_;
  std::condition_variable came_;
  std::deque<std::string> bodies_;
  Router router_;
  std::unique_ptr<HttpServer> server_;
};

}  // namespace pawsight::net::testing
