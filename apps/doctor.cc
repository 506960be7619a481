// apps/doctor.cc: `pawsight doctor`: what this machine can do, and what is missing with the remedy.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "apps/commands.h"
#include "apps/open_model.h"
#include "apps/serving.h"
#include "base/json.h"
#include "kernels/kernels.h"

namespace pawsight {
namespace {

/// One thing looked at. A warning hurts some commands, a failure all.
struct Finding {
  enum class Level { kOk, kWarning, kFailure };
  Level level = Level::kOk;
  std::string what;
  std::string found;
};

constexpr uint64_t kDiskNeeded = 1ULL << 30U;  // bytes

Finding CheckKernels() {
  std::string names;
  for (const kernels::Kernels* table : kernels::Available())
    names += (names.empty() ? "" : " ") + std::string(table->name);
  const auto chosen = kernels::Choose("");
  if (!chosen.ok()) return {Finding::Level::kFailure, "processor", chosen.status().message()};
  const bool fast = (*chosen)->name != "scalar";
  return {fast ? Finding::Level::kOk : Finding::Level::kWarning, "processor",
          std::to_string(std::thread::hardware_concurrency()) + " cores, kernels " + names +
              (fast ? "" : "; no AVX2, so answers are slow")};
}

Finding CheckModel() {
  const auto start = std::chrono::steady_clock::now();
  const auto vqa = OpenModel({});
  if (!vqa.ok()) return {Finding::Level::kFailure, "model", vqa.status().message()};
  const auto opened = std::chrono::steady_clock::now();
  const frames::Image grey(64, 64);
  const auto look = vqa->Look(ToPixels(vqa->preprocess(), grey));
  const std::string question = "Is there a dog?";
  const auto answers = look.ok() ? vqa->Ask(*look, {&question, 1}) : Result<std::vector<engine::Answer>>(look.status());
  if (!answers.ok()) return {Finding::Level::kFailure, "model", answers.status().message()};
  const std::chrono::duration<double, std::milli> open_ms = opened - start;
  const std::chrono::duration<double, std::milli> ask_ms = std::chrono::steady_clock::now() - opened;
  char text[128];
  std::snprintf(text, sizeof text, "opens in %.0f ms, first answer in %.1f ms", open_ms.count(), ask_ms.count());
  return {Finding::Level::kOk, "model", DefaultModelDir().value() + ": " + text};
}

Finding CheckPort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(kDemoPort);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int reuse = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  const bool free = fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (fd >= 0) ::close(fd);
  const std::string port = "127.0.0.1:" + std::to_string(kDemoPort);
  if (free) return {Finding::Level::kOk, "port", port + " is free"};
  return {Finding::Level::kWarning, "port", port + " is taken: choose another with --listen"};
}

Finding CheckDisk() {
  const Result<std::string> data = DefaultDataDir();
  if (!data.ok()) return {Finding::Level::kWarning, "disk", data.status().message()};
  std::filesystem::path place(*data);
  while (!place.empty() && !std::filesystem::exists(place) && place != place.parent_path()) place = place.parent_path();
  struct statvfs info {};
  if (::statvfs(place.c_str(), &info) != 0)
    return {Finding::Level::kWarning, "disk", place.string() + ": cannot be read"};
  const uint64_t free = static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
  return {free >= kDiskNeeded ? Finding::Level::kOk : Finding::Level::kWarning, "disk",
          place.string() + ": " + std::to_string(free >> 20U) + " MB free" +
              (free >= kDiskNeeded ? "" : ", events want 1024")};
}

Finding CheckFfmpeg() {
  const char* path = std::getenv("PATH");
  std::string rest = path != nullptr ? path : "";
  while (!rest.empty()) {
    const size_t end = rest.find(':');
    const std::string program = rest.substr(0, end) + "/ffmpeg";
    if (::access(program.c_str(), X_OK) == 0) return {Finding::Level::kOk, "ffmpeg", program};
    rest = end == std::string::npos ? "" : rest.substr(end + 1);
  }
  return {Finding::Level::kWarning, "ffmpeg", "not found: videos and rtsp:// need it (apt-get install ffmpeg)"};
}

int Doctor(bool json) {
  static constexpr const char* kNames[] = {"ok", "warning", "failure"};
  int exit_code = kExitOk;
  for (const Finding& finding : {CheckKernels(), CheckModel(), CheckFfmpeg(), CheckPort(), CheckDisk()}) {
    const char* level = kNames[static_cast<int>(finding.level)];
    if (finding.level == Finding::Level::kFailure) exit_code = kExitEnvironment;
    if (json) {
      Json line;
      line.Set("check", finding.what);
      line.Set("level", level);
      line.Set("found", finding.found);
      std::printf("%s\n", line.Dump().c_str());
    } else {
      std::printf("%-8s %-10s %s\n", level, finding.what.c_str(), finding.found.c_str());
    }
  }
  return exit_code;
}

}  // namespace

void AddDoctorCommand(CLI::App& program, int* exit_code) {
  CLI::App& doctor = *program.add_subcommand("doctor", "look at processor, model, ffmpeg, ports and disk");
  doctor.footer("Example:\n  pawsight doctor --json\nExit code 3 when something needed by every command is missing.");
  auto json = std::make_shared<bool>(false);
  doctor.add_flag("--json", *json, "one JSON object a check and line");
  doctor.callback([json, exit_code] { *exit_code = Doctor(*json); });
}

}  // namespace pawsight
