#include "worker/load.h"

#include <utility>

#include "base/check.h"
#include "client/http_exchange.h"
#include "protocol/json_client.h"
#include "tools/arrivals.h"

namespace pawsight::bench {
namespace {

constexpr int kFrames = 8;
constexpr std::chrono::hours kLongest(3);  // of an offer that nobody stops

const tools::LoadFrames& Frames() {
  static const tools::LoadFrames frames = tools::LoadFrames::Draw(11, kFrames, {"Is there a dog on the couch?"});
  return frames;
}

std::chrono::nanoseconds Nanoseconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

}  // namespace

Load::Load(const std::string& url, bool fresh_connections) {
  client::HttpClientOptions options;
  options.url = url;
  options.max_connections = 1024;
  if (fresh_connections) options.idle_timeout = std::chrono::milliseconds(1);
  auto client = client::HttpClient::Make(options, io_);
  CHECK(client.ok());
  client_ = std::move(client).value();
}

double Load::AnswersPerSecond(int clients, double seconds) {
  const tools::LoadSeen seen =
      Run({.clients = clients, .warmup = std::chrono::seconds(1), .duration = Nanoseconds(seconds)}, {});
  CHECK(seen.failed.empty());
  return static_cast<double>(seen.answered) / seen.seconds;
}

tools::LoadSeen Load::Offer(double per_s, std::stop_token stop) {
  const auto due = tools::Arrivals(tools::ArrivalKind::kConstant, per_s, kLongest, 1);
  CHECK(due.ok());
  return Run({.due = *due, .duration = kLongest}, std::move(stop));
}

tools::LoadSeen Load::Run(const tools::LoadSpec& spec, std::stop_token stop) {
  const auto make = [this](int64_t) { return Frames().Request(++next_); };
  return tools::RunLoad(tools::AskServer(*client_, make), spec, clock_, std::move(stop), [](double) {}, {[] {}, [] {}});
}

std::string InferRequest(int64_t number) {
  const auto request = Frames().Request(number);
  const protocol::EncodedResponse encoded = protocol::EncodeInferRequest(*request);
  return client::InferHead("localhost", "", request->model, encoded.json_bytes.value(), encoded.body.size()) +
         encoded.body;
}

}  // namespace pawsight::bench
