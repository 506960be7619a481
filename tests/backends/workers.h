// Workers as the fleet has them, with real sockets and the real scheduler, over an engine that does as it is told.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/http_server.h"
#include "rpc/grpc_endpoint.h"
#include "server/batcher.h"
#include "server/fake_engine.h"
#include "server/http_endpoint.h"
#include "server/vqa_model.h"

namespace pawsight::house {

/// Answers "NAMEframe: question", p_yes 0.5, over HTTP and gRPC.
class FakeWorker {
 public:
  explicit FakeWorker(const std::string& name, server::Nanos per_frame = server::Nanos(0),
                      server::ScheduleOptions schedule = {}, int http_port = 0)
      : engine_(std::make_shared<server::testing::FakeEngine>(name, per_frame)), endpoint_(repository_, clock_) {
    server::BatcherOptions options;
    options.schedule = schedule;
    batcher_ = std::move(server::Batcher::Start(options, engine_, clock_).value());
    model_ = std::make_shared<server::VqaModel>("1", *batcher_, [] { return true; });
    repository_.Put(model_);
    endpoint_.AddRoutes(router_);
    net::HttpServerOptions http;
    http.refuse = server::HttpEndpoint::Refusal;
    http.listen.port = http_port;
    http.max_connections = 4096;
    http_ = std::move(net::HttpServer::Start(http, router_).value());
    rpc::GrpcEndpointOptions grpc;
    grpc.listen = "127.0.0.1:0";
    grpc_ = std::move(rpc::GrpcEndpoint::Start(grpc, repository_, clock_).value());
  }
  /// At once: what is being answered is lost.
  ~FakeWorker() {
    Release();
    http_.reset();
    grpc_.reset();
    batcher_.reset();
  }
  FakeWorker(const FakeWorker&) = delete;
  FakeWorker& operator=(const FakeWorker&) = delete;

  std::string http() const { return http_->url(); }
  std::string grpc() const { return "127.0.0.1:" + std::to_string(grpc_->port()); }
  int http_port() const { return http_->port(); }
  server::testing::FakeEngine& engine() { return *engine_; }
  server::Repository& repository() { return repository_; }
  std::shared_ptr<server::Model> model() const { return model_; }

  /// Answers nothing until Release.
  void Hold() { engine_->look.Close(); }
  void Release() { engine_->look.Open(); }

 private:
  const SystemClock clock_;
  const std::shared_ptr<server::testing::FakeEngine> engine_;
  std::unique_ptr<server::Batcher> batcher_;
  std::shared_ptr<server::VqaModel> model_;
  server::Repository repository_;
  server::HttpEndpoint endpoint_;
  net::Router router_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<rpc::GrpcEndpoint> grpc_;
};

}  // namespace pawsight::house
