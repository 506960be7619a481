#include "http_peer.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>

#include "base/base64.h"
#include "net/http.h"

namespace pawsight::conformance {

Json Answer::json() const {
  Result<Json> parsed = Json::Parse(body);
  return parsed.ok() ? *std::move(parsed) : Json();
}

Json Answer::binary_head() const {
  const auto length = headers.find("inference-header-content-length");
  if (length == headers.end()) return {};
  Result<Json> parsed =
      Json::Parse(std::string_view(body).substr(0, std::strtoul(length->second.c_str(), nullptr, 10)));
  return parsed.ok() ? *std::move(parsed) : Json();
}

std::string Answer::binary_tail() const {
  const auto length = headers.find("inference-header-content-length");
  if (length == headers.end()) return {};
  return body.substr(std::min<size_t>(body.size(), std::strtoul(length->second.c_str(), nullptr, 10)));
}

const Json& Member(const Json& json, std::string_view key) {
  static const Json none;
  const Json* found = json.Find(key);
  return found == nullptr ? none : *found;
}

std::string StringOf(const Json& json, std::string_view key) {
  const Json& member = Member(json, key);
  return member.is_string() ? member.as_string() : "";
}

int64_t IntegerOf(const Json& json, std::string_view key) {
  const Json& member = Member(json, key);
  return member.is_integer() ? member.as_integer() : -1;
}

const Json::Array& ArrayOf(const Json& json, std::string_view key) {
  static const Json::Array none;
  const Json& member = Member(json, key);
  return member.is_array() ? member.as_array() : none;
}

Peer::Peer() : fd_(-1) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(TheTarget().port);
  if (getaddrinfo(TheTarget().host.c_str(), port.c_str(), &hints, &found) != 0) return;
  fd_ = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{20, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (connect(fd_, found->ai_addr, found->ai_addrlen) != 0) {
    close(fd_);
    fd_ = -1;
  }
  freeaddrinfo(found);
}

Peer::~Peer() {
  if (fd_ >= 0) close(fd_);
}

void Peer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // the server has closed; what it said is read next
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

bool Peer::ReadSome() {
  char chunk[4096];
  const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
  if (got <= 0) return false;
  read_.append(chunk, static_cast<size_t>(got));
  return true;
}

Answer Peer::Read() {
  Answer answer;
  while (read_.find("\r\n\r\n") == std::string::npos) {
    if (!ReadSome()) return answer;
  }
  const size_t head_bytes = read_.find("\r\n\r\n") + 4;
  std::string_view head = std::string_view(read_).substr(0, head_bytes - 2);
  const int status = std::atoi(std::string(head.substr(std::min<size_t>(9, head.size()))).c_str());
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(line.size() + 2);
    const size_t colon = std::min(line.find(": "), line.size());
    answer.headers[net::LowerCase(line.substr(0, colon))] = line.substr(std::min(colon + 2, line.size()));
  }
  const size_t body_bytes = std::strtoul(answer.headers["content-length"].c_str(), nullptr, 10);
  while (read_.size() < head_bytes + body_bytes) {
    if (!ReadSome()) return answer;
  }
  answer.body = read_.substr(head_bytes, body_bytes);
  read_.erase(0, head_bytes + body_bytes);
  answer.status = status;
  return answer;
}

bool Peer::IsClosed() {
  if (!read_.empty()) return false;
  char byte = 0;
  return recv(fd_, &byte, 1, 0) <= 0;
}

std::string Format(std::string_view method, std::string_view path, std::string_view body, const Headers& headers) {
  std::string bytes(method);
  bytes += ' ';
  bytes += path;
  bytes += " HTTP/1.1\r\nHost: " + TheTarget().host + "\r\n";
  for (const auto& [name, value] : headers) bytes += name + ": " + value + "\r\n";
  if (!body.empty() || method == "POST") bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  bytes += "\r\n";
  bytes += body;
  return bytes;
}

Answer Ask(std::string_view method, std::string_view path, std::string_view body, const Headers& headers) {
  Peer peer;
  peer.Send(Format(method, path, body, headers));
  return peer.Read();
}

Answer Infer(std::string_view body, const Headers& headers) { return Ask("POST", ModelPath("/infer"), body, headers); }

Answer InferBinary(std::string_view json, std::string_view tensors) {
  return Infer(
      std::string(json) + std::string(tensors),
      {{"Inference-Header-Content-Length", std::to_string(json.size())}, {"Content-Type", "application/octet-stream"}});
}

std::string ModelPath(std::string_view end) { return "/v2/models/" + TheTarget().model + std::string(end); }

std::string Request(const std::vector<std::string>& questions, const std::string& more) {
  std::string data;
  for (const std::string& question : questions) data += (data.empty() ? "" : ",") + JsonQuote(question);
  return "{" + more +
         R"("inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"content_type":"base64"},"data":[")" +
         ImageBase64() + R"("]},{"name":"question","datatype":"BYTES","shape":[)" + std::to_string(questions.size()) +
         "],\"data\":[" + data + "]}]}";
}

}  // namespace pawsight::conformance
