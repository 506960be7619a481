#include "server/testing.h"
#include "target.h"

namespace pawsight::conformance {

void ServeInProcess() {
  static server::testing::TestServer server;
  server.repository().Put(std::make_shared<server::EmptyModel>());
  TheTarget() = {"127.0.0.1", server.port(), "vqa"};
}

}  // namespace pawsight::conformance
