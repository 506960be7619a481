#include "built.h"

#include <array>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/check.h"
#include "net/child_process.h"

namespace pawsight::bench {
namespace {

constexpr std::chrono::minutes kLongest(10);

template <typename T>
T Must(Result<T> result) {
  if (!result.ok()) std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
  return std::move(result).value();
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
  const std::unique_ptr<net::ChildProcess> child = Must(net::ChildProcess::Start(argv));
  std::string output;
  std::array<uint8_t, 4096> chunk{};
  while (true) {
    const size_t got = Must(child->Read(chunk, kLongest, {}));
    if (got == 0) break;
    output.append(reinterpret_cast<const char*>(chunk.data()), got);
  }
  const int code = child->Wait();
  if (code != 0) std::fprintf(stderr, "%s: %s\n", argv[0].c_str(), child->LastError().c_str());
  CHECK(code == 0);
  return output;
}

std::unique_ptr<tools::WorkerProcess> StartWorker(const std::vector<std::string>& arguments) {
  return Must(tools::WorkerProcess::Start(BuildDir() + "/pawsight", arguments, {}));
}

std::unique_ptr<tools::GatewayProcess> StartGateway(const std::string& data,
                                                    const std::vector<std::string>& arguments) {
  return Must(tools::GatewayProcess::Start(BuildDir() + "/pawsight", data, arguments, {}));
}

}  // namespace pawsight::bench
