#include "tools/server_process.h"

#include <signal.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/files.h"

namespace pawsight::tools {
namespace {

constexpr std::chrono::minutes kLongest(10);
constexpr std::chrono::milliseconds kStartLook(5);  // between looks at what it said, until it has started
constexpr std::chrono::milliseconds kLook(100);     // and then
constexpr std::string_view kHttp = "http://";
constexpr std::string_view kGrpc = "grpc://";

int PortOf(const std::string& url) { return std::atoi(url.c_str() + url.rfind(':') + 1); }

}  // namespace

std::string LineOf(std::string_view said, std::string_view event) {
  const size_t at = said.find(event);
  if (at == said.npos) return "";
  const size_t before = said.rfind('\n', at);
  const size_t begin = before == said.npos ? 0 : before + 1;
  const size_t end = said.find('\n', at);
  return end == said.npos ? "" : std::string(said.substr(begin, end - begin));
}

std::string WordAfter(std::string_view line, std::string_view before) {
  const size_t at = line.find(before);
  if (at == line.npos) return "";
  const size_t begin = at + before.size();
  return std::string(line.substr(begin, line.find_first_of(" \"", begin) - begin));
}

ServerProcess::ServerProcess(std::unique_ptr<net::ChildProcess> child)
    : child_(std::move(child)), pid_(child_->pid()) {}

ServerProcess::~ServerProcess() {
  kill(pid_, SIGKILL);  // so that the drain thread sees its end; the child is reaped with child_
  drain_.request_stop();
}

Result<std::unique_ptr<ServerProcess>> ServerProcess::Start(const std::vector<std::string>& argv,
                                                            std::string_view event, std::chrono::seconds limit,
                                                            std::stop_token stop) {
  PAWSIGHT_ASSIGN_OR_RETURN(std::unique_ptr<net::ChildProcess> child, net::ChildProcess::Start(argv));
  std::unique_ptr<ServerProcess> server(new ServerProcess(std::move(child)));
  std::array<uint8_t, 4096> chunk{};
  const auto give_up = std::chrono::steady_clock::now() + limit;
  while (server->start_line_.empty()) {
    const Result<size_t> got = server->child_->Read(chunk, kStartLook, stop);
    if (stop.stop_requested()) return Cancelled("stopped");
    server->start_line_ = LineOf(server->child_->ErrorTail(), event);
    if (!server->start_line_.empty()) break;
    if (got.ok() && *got == 0) return FailedPrecondition(argv[0] + " ended: " + server->child_->LastError());
    if (std::chrono::steady_clock::now() > give_up) {
      return DeadlineExceeded(argv[0] + " does not begin: " + server->child_->LastError());
    }
  }
  {
    MutexLock lock(server->mu_);
    server->last_words_ = server->start_line_;
  }
  server->drain_ =
      std::jthread([raw = server.get()](const std::stop_token& stop_draining) { raw->Drain(stop_draining); });
  return server;
}

void ServerProcess::Drain(const std::stop_token& stop) {
  std::array<uint8_t, 4096> chunk{};
  while (!stop.stop_requested()) {
    const Result<size_t> got = child_->Read(chunk, kLook, stop);
    std::string words = child_->LastError();
    {
      MutexLock lock(mu_);
      last_words_ = std::move(words);
    }
    if (got.ok() && *got == 0) {
      ended_ = true;
      return;
    }
  }
}

std::string ServerProcess::LastWords() const {
  MutexLock lock(mu_);
  return last_words_;
}

WorkerProcess::WorkerProcess(std::unique_ptr<ServerProcess> server)
    : server_(std::move(server)),
      http_url_(std::string(kHttp) + WordAfter(server_->start_line(), kHttp)),
      grpc_address_(WordAfter(server_->start_line(), kGrpc)) {}

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::Start(const std::string& program,
                                                            const std::vector<std::string>& arguments,
                                                            std::stop_token stop) {
  std::vector<std::string> argv = {program,         "worker",      "--listen-http",    "127.0.0.1:0",
                                   "--listen-grpc", "127.0.0.1:0", "--listen-metrics", "",
                                   "--access-log",  "off"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  PAWSIGHT_ASSIGN_OR_RETURN(auto server, ServerProcess::Start(argv, " worker_started ", kLongest, std::move(stop)));
  return std::unique_ptr<WorkerProcess>(new WorkerProcess(std::move(server)));
}

int WorkerProcess::http_port() const { return PortOf(http_url_); }

GatewayProcess::GatewayProcess(std::unique_ptr<ServerProcess> server, std::string admin)
    : server_(std::move(server)),
      url_(std::string(kHttp) + WordAfter(server_->start_line(), kHttp)),
      admin_(std::move(admin)) {}

Result<std::unique_ptr<GatewayProcess>> GatewayProcess::Start(const std::string& program, const std::string& data,
                                                              const std::vector<std::string>& arguments,
                                                              std::stop_token stop) {
  std::vector<std::string> argv = {program, "gateway", "--data", data, "--listen", "127.0.0.1:0"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  PAWSIGHT_ASSIGN_OR_RETURN(auto server, ServerProcess::Start(argv, " gateway_started ", kLongest, std::move(stop)));
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string token, ReadTextFile(data + "/admin.token", 1000));
  return std::unique_ptr<GatewayProcess>(new GatewayProcess(std::move(server), token.substr(0, token.find('\n'))));
}

int GatewayProcess::port() const { return PortOf(url_); }

}  // namespace pawsight::tools
