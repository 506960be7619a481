#include "gateway/api_connection.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "base/check.h"

namespace pawsight::bench {
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
