#include "api_call.h"

#include <cstdlib>

#include "net/testing.h"

namespace pawsight::integration {

std::pair<std::string, Json> CallApi(int port, const std::string& method, const std::string& target,
                                     const std::string& token, const std::string& body, const std::string& type) {
  net::testing::RawClient client(port);
  client.Send(method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer " +
              token + "\r\nContent-Type: " + type + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
              body);
  const std::string whole = client.ReadAll();
  const size_t end = whole.find("\r\n\r\n");
  if (end == std::string::npos) return {whole, Json()};
  const Result<Json> json = Json::Parse(whole.substr(end + 4));
  return {whole.substr(0, whole.find("\r\n")), json.ok() ? *json : Json()};
}

int PortIn(const std::string& said) {
  constexpr std::string_view kUrl = "http://127.0.0.1:";
  const size_t at = said.find(kUrl);
  return at == std::string::npos ? 0 : std::atoi(said.c_str() + at + kUrl.size());
}

}  // namespace pawsight::integration
