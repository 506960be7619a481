#include "worker/worker_process.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/check.h"

namespace pawsight::bench {
namespace {

constexpr std::chrono::minutes kLongest(10);

/// The number behind `before` in `text`, 0 when it is not there.
int NumberAfter(const std::string& text, const std::string& before) {
  const size_t at = text.find(before);
  return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + before.size());
}

}  // namespace

std::string BuildDir() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  CHECK(!error);
  return self.parent_path();
}

std::string CacheHome() { return BuildDir() + "/cache"; }

std::string OutputOf(const std::vector<std::string>& argv) {
  auto child = net::ChildProcess::Start(argv);
  CHECK(child.ok());
  std::string output;
  std::array<uint8_t, 4096> chunk{};
  while (true) {
    const Result<size_t> got = (*child)->Read(chunk, kLongest, {});
    CHECK(got.ok());
    if (*got == 0) break;
    output.append(reinterpret_cast<const char*>(chunk.data()), *got);
  }
  const int code = (*child)->Wait();
  if (code != 0) std::fprintf(stderr, "%s: %s\n", argv[0].c_str(), (*child)->LastError().c_str());
  CHECK(code == 0);
  return output;
}

WorkerProcess::WorkerProcess(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {BuildDir() + "/pawsight", "worker",      "--listen-http",    "127.0.0.1:0",
                                   "--listen-grpc",          "127.0.0.1:0", "--listen-metrics", ""};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto child = net::ChildProcess::Start(argv);
  CHECK(child.ok());
  child_ = std::move(child).value();
  std::array<uint8_t, 4096> chunk{};
  bool ended = false;
  while (http_port_ == 0 && !ended) {
    // Standard output stays empty until the process ends.
    const Result<size_t> got = child_->Read(chunk, std::chrono::milliseconds(20), {});
    ended = got.ok() && *got == 0;
    http_port_ = NumberAfter(child_->LastError(), "http://127.0.0.1:");
  }
  if (http_port_ == 0) std::fprintf(stderr, "pawsight worker: %s\n", child_->LastError().c_str());
  CHECK(http_port_ != 0);
  pid_ = child_->pid();
}

}  // namespace pawsight::bench
