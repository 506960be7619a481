// server/testing.h: a model whose requests wait until a test answers them, and a server around a repository.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "net/http_server.h"
#include "server/empty_model.h"
#include "server/http_endpoint.h"

namespace pawsight::server::testing {

/// Takes what the empty model takes. Thread-safe.
class WaitingModel : public EmptyModel {
 public:
  struct Entry {
    std::shared_ptr<const protocol::InferRequest> request;
    RequestContext context;
    Done done;
  };
  explicit WaitingModel(std::string name = "vqa") : EmptyModel(std::move(name)) {}
  bool Ready() const override { return ready; }
  void Infer(std::shared_ptr<const protocol::InferRequest> request, const RequestContext& context, Done done) override
      EXCLUDES(mu_) {
    MutexLock lock(mu_);
    entries_.push_back({std::move(request), context, std::move(done)});
    changed_.NotifyAll();
  }
  /// The oldest that waits; waits for one.
  Entry Take() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    while (entries_.empty()) changed_.Wait(mu_);
    Entry entry = std::move(entries_.front());
    entries_.erase(entries_.begin());
    return entry;
  }

  std::atomic<bool> ready{true};

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<Entry> entries_ GUARDED_BY(mu_);
};

/// A repository behind a real socket.
class TestServer {
 public:
  explicit TestServer(net::HttpServerOptions options = {}) : endpoint_(repository_, clock_) {
    endpoint_.AddRoutes(router_);
    options.refuse = HttpEndpoint::Refusal;
    server_ = std::move(net::HttpServer::Start(options, router_).value());
  }
  Repository& repository() { return repository_; }
  net::HttpServer& server() { return *server_; }
  int port() const { return server_->port(); }

 private:
  Repository repository_;
  SystemClock clock_;
  HttpEndpoint endpoint_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace pawsight::server::testing
