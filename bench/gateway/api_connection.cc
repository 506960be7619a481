#include "gateway/gateway_process.h"

#include <signal.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "base/check.h"
#include "base/files.h"

namespace pawsight::bench {
namespace {

constexpr std::chrono::seconds kPatience(60);
constexpr std::string_view kListens = "listens=http://127.0.0.1:";

std::string Program() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  CHECK(!error);
  return self.parent_path() / "pawsight";
}

}  // namespace

GatewayProcess::GatewayProcess(const std::string& data, const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {Program(), "gateway", "--data", data, "--listen", "127.0.0.1:0"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  auto child = net::ChildProcess::Start(argv);
  CHECK(child.ok());
  child_ = std::move(child).value();
  pid_ = child_->pid();
  std::array<uint8_t, 4096> chunk{};
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (port_ == 0) {
    // Standard output has the admin's token at the first start, which is read from its file.
    const Result<size_t> got = child_->Read(chunk, std::chrono::milliseconds(5), {});
    const std::string& said = child_->ErrorTail();
    const size_t at = said.find(kListens);
    if (at != std::string::npos && said.find('\n', at) != std::string::npos) {
      port_ = std::atoi(said.c_str() + at + kListens.size());
    } else if ((got.ok() && *got == 0) || std::chrono::steady_clock::now() > give_up) {
      std::fprintf(stderr, "pawsight gateway: %s\n", said.c_str());
      CHECK(false);
    }
  }
  const Result<std::string> token = ReadTextFile(data + "/admin.token", 1000);
  CHECK(token.ok());
  admin_ = token->substr(0, token->find('\n'));
  drain_ = std::jthread([this](const std::stop_token& stop) {
    std::array<uint8_t, 4096> out{};
    while (!stop.stop_requested()) {
      (void)child_->Read(out, std::chrono::milliseconds(20), stop);
      (void)child_->ErrorTail();
    }
  });
}

GatewayProcess::~GatewayProcess() {
  kill(pid_, SIGKILL);
  drain_.request_stop();
  drain_.join();
}

ApiConnection::Answer ApiConnection::Call(const std::string& method, const std::string& target,
                                          const std::string& token, const std::string& body, const std::string& type) {
  client_.Send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token +
               "\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  const std::string head = client_.ReadUntil("\r\n\r\n");
  constexpr std::string_view kLength = "Content-Length: ";
  Answer answer;
  if (!head.starts_with("HTTP/1.1 ") || !head.ends_with("\r\n\r\n")) return answer;
  size_t length = 0;
  if (const size_t at = head.find(kLength); at != std::string::npos) {
    std::from_chars(head.data() + at + kLength.size(), head.data() + head.size(), length);
  }
  const std::string text = client_.ReadBytes(length);
  if (text.size() < length) return answer;
  answer.status = std::atoi(head.c_str() + 9);
  Result<Json> json = Json::Parse(text);
  if (json.ok()) answer.json = std::move(json).value();
  return answer;
}

Json ApiConnection::Must(const std::string& method, const std::string& target, const std::string& token,
                         const std::string& body) {
  Answer answer = Call(method, target, token, body);
  if (answer.status < 200 || answer.status > 299) {
    std::fprintf(stderr, "%s %s: %d %s\n", method.c_str(), target.c_str(), answer.status, answer.json.Dump().c_str());
    CHECK(false);
  }
  return std::move(answer.json);
}

}  // namespace pawsight::bench
