// clang-format off: gRPC's headers define names of base/mutex.h again
#include "rpc/grpc_endpoint.h"
// clang-format on

#include "server/empty_model.h"
#include "target.h"

namespace pawsight::conformance {

void ServeInProcess() {
  static const SystemClock clock;
  static server::Repository repository;
  repository.Put(std::make_shared<server::EmptyModel>());
  static const auto endpoint =
      std::move(rpc::GrpcEndpoint::Start({.listen = "127.0.0.1:0"}, repository, clock).value());
  endpoint->SetReady(true);
  TheTarget() = {"127.0.0.1", endpoint->port(), "vqa"};
}

}  // namespace pawsight::conformance
