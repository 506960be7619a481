// tests/integration/running_worker.h: a real `pawsight worker` on free ports, and requests to it as the well-known
// clients send them. For tests only; thread-compatible, but Get, Exchange and Infer, which any thread may call.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "program.h"

namespace pawsight::integration {

/// The port behind the first `scheme` in what a worker said when it started.
int PortOf(const std::string& said, const std::string& scheme, const std::string& after = "");

/// The arguments of a worker whose ports are free ones, and what else it is told.
std::vector<std::string> OnAnyPorts(const std::vector<std::string>& more);

/// A JPEG of a drawn room; another for each seed.
std::string RoomJpeg(uint64_t seed, int width = 320, int height = 240);

/// A BYTES input.
struct BytesInput {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<std::string> elements;
};

/// An infer request with binary tensors, whole, to be sent as it is; the connection is closed after it.
/// `parameters`: of the request, a JSON object.
std::string InferRequest(const std::string& model, const std::vector<BytesInput>& inputs,
                         const std::string& parameters = "{}");

/// A response as it came.
struct HttpAnswer {
  int status = 0;  // 0: none came
  std::string head;
  std::string body;

  /// The body's JSON, null when it is none; the test fails then.
  Json json() const;
  /// `data` of the output of that name; the test fails when there is none.
  Json::Array Output(const std::string& name) const;
};

class RunningWorker {
 public:
  /// Starts and waits until it says so. `arguments` beside the ports.
  explicit RunningWorker(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});

  RunningProgram& program() { return program_; }
  int http_port() const { return http_; }
  int metrics_port() const { return metrics_; }

  HttpAnswer Get(const std::string& path) const { return Exchange(http_, Request("GET", path)); }
  HttpAnswer Metrics() const { return Exchange(metrics_, Request("GET", "/metrics")); }
  /// A metric's value, -1 when there is none; `name` with its labels.
  double Metric(const std::string& name) const;
  HttpAnswer Infer(const std::string& model, const std::vector<BytesInput>& inputs,
                   const std::string& parameters = "{}") const {
    return Exchange(http_, InferRequest(model, inputs, parameters));
  }
  /// Sends and reads until the server closes.
  static HttpAnswer Exchange(int port, std::string_view request);

 private:
  static std::string Request(const std::string& method, const std::string& path) {
    return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  }

  RunningProgram program_;
  int http_ = 0;
  int metrics_ = 0;
};

}  // namespace pawsight::integration
