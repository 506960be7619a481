#include "running_worker.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "frames/encode.h"
#include "net/testing.h"
#include "scenes/draw.h"

namespace pawsight::integration {
std::vector<std::string> OnAnyPorts(const std::vector<std::string>& more) {
  std::vector<std::string> all = {"worker",      "--listen-http",    "127.0.0.1:0", "--listen-grpc",
                                  "127.0.0.1:0", "--listen-metrics", "127.0.0.1:0"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

int PortOf(const std::string& said, const std::string& scheme, const std::string& after) {
  const size_t from = said.find("worker_started");
  for (size_t at = said.find(scheme, from); at != std::string::npos; at = said.find(scheme, at + 1)) {
    const size_t colon = said.find(':', at + scheme.size());
    const size_t end = said.find_first_not_of("0123456789", colon + 1);
    if (said.compare(end, after.size(), after) == 0) return std::stoi(said.substr(colon + 1, end - colon - 1));
  }
  ADD_FAILURE() << "no " << scheme << " in " << said;
  return 0;
}

std::string RoomJpeg(uint64_t seed, int width, int height) {
  const std::vector<uint8_t> jpeg = frames::EncodeJpeg(scenes::Draw(seed, width, height).image, 85).value();
  return {jpeg.begin(), jpeg.end()};
}

std::string InferRequest(const std::string& model, const std::vector<BytesInput>& inputs,
                         const std::string& parameters) {
  std::string tensors;
  Json list{Json::Array{}};
  for (const BytesInput& input : inputs) {
    const size_t before = tensors.size();
    for (const std::string& element : input.elements) {
      const auto size = static_cast<uint32_t>(element.size());
      for (unsigned shift = 0; shift < 32; shift += 8) tensors += static_cast<char>(size >> shift);
      tensors += element;
    }
    Json shape{Json::Array{}};
    for (const int64_t dim : input.shape) shape.Append(dim);
    Json own(Json::Object{{"name", input.name}, {"datatype", "BYTES"}, {"shape", std::move(shape)}});
    own.Set("parameters", Json(Json::Object{{"binary_data_size", static_cast<int64_t>(tensors.size() - before)}}));
    list.Append(std::move(own));
  }
  const std::string json = R"({"id":"7","parameters":)" + parameters + R"(,"inputs":)" + list.Dump() + "}";
  return "POST /v2/models/" + model +
         "/infer HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nInference-Header-Content-Length: " +
         std::to_string(json.size()) + "\r\nContent-Length: " + std::to_string(json.size() + tensors.size()) +
         "\r\n\r\n" + json + tensors;
}

Json HttpAnswer::json() const {
  auto json = Json::Parse(body);
  EXPECT_TRUE(json.ok()) << head << body;
  return json.ok() ? *std::move(json) : Json();
}

Json::Array HttpAnswer::Output(const std::string& name) const {
  const Json whole = json();
  const Json* outputs = whole.Find("outputs");
  if (outputs != nullptr) {
    for (const Json& output : outputs->as_array()) {
      if (output.Find("name")->as_string() == name) return output.Find("data")->as_array();
    }
  }
  ADD_FAILURE() << "no output " << name << " in " << body;
  return {};
}

RunningWorker::RunningWorker(const std::vector<std::string>& arguments, const std::vector<std::string>& environment)
    : program_(OnAnyPorts(arguments), environment) {
  const std::string said = program_.WaitUntilSaid("worker_started");
  http_ = PortOf(said, "http://");
  metrics_ = PortOf(said, "http://", "/metrics");
}

HttpAnswer RunningWorker::Exchange(int port, std::string_view request) {
  net::testing::RawClient client(port);
  client.Send(request);
  const std::string all = client.ReadAll();
  const size_t end = all.find("\r\n\r\n");
  if (end == std::string::npos || !all.starts_with("HTTP/1.1 ")) return {0, all, ""};
  return {std::atoi(all.c_str() + 9), all.substr(0, end), all.substr(end + 4)};
}

double RunningWorker::Metric(const std::string& name) const {
  const std::string all = "\n" + Metrics().body;
  const size_t at = all.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::atof(all.c_str() + at + name.size() + 2);
}

}  // namespace pawsight::integration
