#include "tools/worker_process.h"

#include <array>
#include <chrono>
#include <string_view>

namespace pawsight::tools {
namespace {

constexpr std::chrono::minutes kLongest(10);

/// The word that begins with `start` in the line, once it is whole, in which a worker says where it listens; "" when it
/// is not there.
std::string WordOf(const std::string& said, std::string_view start) {
  const size_t begin = said.find("worker_started");
  const size_t end = said.find('\n', begin);
  if (begin == std::string::npos || end == std::string::npos) return "";
  const std::string line = said.substr(begin, end - begin);
  const size_t at = line.find(start);
  return at == std::string::npos ? "" : line.substr(at, line.find_first_of(" \"", at) - at);
}

}  // namespace

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const std::string& program,
                                                            const std::vector<std::string>& arguments,
                                                            std::stop_token stop) {
  std::vector<std::string> argv = {program,         "worker",      "--listen-http",    "127.0.0.1:0",
                                   "--listen-grpc", "127.0.0.1:0", "--listen-metrics", "",
                                   "--access-log",  "off"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  PAWSIGHT_ASSIGN_OR_RETURN(std::unique_ptr<net::ChildProcess> child, net::ChildProcess::Start(argv));
  std::unique_ptr<WorkerProcess> worker(new WorkerProcess(std::move(child)));
  constexpr std::string_view kGrpc = "grpc://";
  std::array<uint8_t, 4096> chunk{};
  const auto give_up = std::chrono::steady_clock::now() + kLongest;
  while (worker->http_url_.empty()) {
    // Standard output stays empty until the process ends.
    const Result<size_t> got = worker->child_->Read(chunk, std::chrono::milliseconds(20), stop);
    const std::string said = worker->child_->ErrorTail();
    if (stop.stop_requested()) return Cancelled("stopped");
    worker->http_url_ = WordOf(said, "http://");
    const std::string grpc = WordOf(said, kGrpc);
    if (!grpc.empty()) worker->grpc_address_ = grpc.substr(kGrpc.size());
    if (got.ok() && *got == 0) return FailedPrecondition("pawsight worker ended: " + worker->LastWords());
    if (std::chrono::steady_clock::now() > give_up)
      return DeadlineExceeded("pawsight worker does not begin: " + worker->LastWords());
  }
  return worker;
}

}  // namespace pawsight::tools
