#include "running_gateway.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"
#include "frames/encode.h"
#include "scenes/draw.h"

namespace pawsight::integration {

RunningGateway::RunningGateway(const std::string& data, const std::string& listen)
    : RunningGateway({"gateway", "--listen", listen, "--data", data, "--receiver-plain", "--receiver-networks",
                      "127.0.0.0/8", "--device-rate", "1000", "--device-burst", "1000"},
                     "gateway_ready") {}

RunningGateway::RunningGateway(const std::vector<std::string>& arguments, const std::string& awaited)
    : program_(arguments) {
  const std::string said = program_.WaitUntilSaid(awaited);
  port_ = PortIn(said.substr(std::min(said.size(), said.find("listens="))));
}

Json RunningGateway::Post(const std::string& target, const std::string& token, const std::string& body) const {
  const auto [status, json] = Call("POST", target, token, body);
  EXPECT_THAT(status, ::testing::HasSubstr(" 201 ")) << target << json.Dump();
  return json;
}

std::string AdminToken(const std::string& data) {
  const std::string token = ReadTextFile(data + "/admin.token", 1000).value();
  return token.substr(0, token.find('\n'));
}

std::string Text(const Json& json, std::string_view key) {
  const Result<std::string> text = json.GetString(key);
  EXPECT_TRUE(text.ok()) << json.Dump();
  return text.ok() ? *text : std::string();
}

std::string Room(uint64_t seed) {
  const auto jpeg = frames::EncodeJpeg(scenes::Draw(seed, 320, 240).image, 85).value();
  return {jpeg.begin(), jpeg.end()};
}

}  // namespace pawsight::integration
