// The gateway's door with an instant backend behind it: frames of 60 kB by HTTP on one connection, accepted,
// routed, judged by one rule. The client is in the process and costs its share: the socket's two ends are on this
// machine.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/check.h"
#include "events/ids.h"
#include "frames/encode.h"
#include "gateway/api/api.h"
#include "gateway/api/owners.h"
#include "gateway/api/store_record.h"
#include "net/http_server.h"
#include "net/testing.h"

namespace pawsight::gateway {
namespace {

class Instant : public AsyncBackend {
 public:
  void Ask(Inquiry inquiry, std::function<void(Result<Reply>)> done) override {
    Reply reply;
    for (const std::string& question : inquiry.questions) reply.answers.push_back({question, "no", 0.1, std::nullopt});
    done(std::move(reply));
  }
};

/// A noisy picture of 60 kB, as a camera's at 720p.
std::string Frame() {
  frames::Image image(640, 480);
  uint32_t state = 7;
  for (uint8_t& value : image.rgb) value = static_cast<uint8_t>((state = state * 1664525U + 1013904223U) >> 26U);
  for (int quality = 30;; ++quality) {
    const std::vector<uint8_t> bytes = frames::EncodeJpeg(image, quality).value();
    if (bytes.size() >= 60'000) return {bytes.begin(), bytes.end()};
  }
}

/// A gateway with one camera.
class Door {
 public:
  /// `cameras`: so many, each with a rule of its own.
  explicit Door(bool gate, int cameras = 1) {
    std::string pattern = std::filesystem::temp_directory_path() / "pawsight-door-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    store_ = events::Store::Open(folder_ + "/gateway.sqlite").value();
    office_ = notify::PostOffice::Open(*store_, clock_, {}).value();
    record_ = std::make_unique<StoreRecord>(*store_, clock_, std::chrono::hours(24));
    FramePathOptions path;
    path_ = std::make_unique<FramePath>(backend_, record_.get(), clock_, path);
    registry_ = std::make_unique<Registry>(*store_, *path_);
    record_->SetRegistry(*registry_);
    Fill(gate, cameras);
    CHECK(registry_->Load().ok());
    const auto no_client = [](const EndpointConfig&) -> Result<std::shared_ptr<client::InferenceClient>> {
      return FailedPrecondition("none");
    };
    backends_ = std::make_unique<Backends>(BackendsOptions{}, no_client, clock_);
    api_ = std::make_unique<GatewayApi>(ApiParts{*store_, *path_, *registry_, *backends_, no_client, backend_, *office_,
                                                 clock_, [] { return std::vector<std::string>(); },
                                                 [] { return std::string(); }, [] { return AutoscaleView{}; }, nullptr},
                                        ApiOptions{});
    net::HttpServerOptions http;
    http.max_body_bytes = 16U << 20U;
    api_->Prepare(&http);
    server_ = net::HttpServer::Start(http, api_->router()).value();
  }
  ~Door() {
    server_->Stop();
    CHECK(api_->Drain(std::chrono::seconds(10)));
    server_.reset();
    api_.reset();
    registry_.reset();
    path_.reset();
    office_.reset();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  int port() const { return server_->port(); }
  std::string Request(const std::string& query, const std::string& body) const {
    return "POST /v1/cameras/" + camera_ + "/frames" + query +
           " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token_ +
           "\r\nContent-Type: image/jpeg\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  /// Saves its last rule again.
  std::string Edit() const {
    const std::string body = R"({"question":"Is there a dog?","for_s":1,"cameras":[")" + camera_ + "\"]}";
    return "PUT /v1/rules/" + rule_ + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + token_ +
           "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

 private:
  void Fill(bool gate, int cameras) {
    const Time now = clock_.Now();
    events::Owner owner;
    owner.id = events::NewId("own_", now);
    owner.name = "home";
    // An operator's: a device's rate is limited.
    const events::Credential credential = MakeCredential(events::Role::kOperator, owner.id, "bench", now, &token_);
    events::WriteBatch batch;
    batch.emplace_back(events::Put<events::Owner>{owner});
    batch.emplace_back(events::Put<events::Credential>{credential});
    for (int i = 0; i < cameras; ++i) {
      events::Camera camera;
      camera.owner = owner.id;
      camera.id = camera_ = events::NewId("cam_", now + std::chrono::milliseconds(i));
      camera.name = "kitchen";
      camera.document = gate ? R"({"gate":true})" : R"({"gate":false})";
      events::Rule rule;
      rule.owner = owner.id;
      rule.id = rule_ = events::NewId("rul_", now + std::chrono::milliseconds(i));
      rule.document = R"({"question":"Is there a dog?","for_s":1,"cameras":[")" + camera_ + "\"]}";
      batch.emplace_back(events::Put<events::Camera>{camera});
      batch.emplace_back(events::Put<events::Rule>{rule});
      if (batch.size() < events::kMaxBatchWrites - 2) continue;
      CHECK(store_->Write(std::exchange(batch, {})).ok());
    }
    if (batch.empty()) return;
    CHECK(store_->Write(std::move(batch)).ok());
  }

  const SystemClock clock_;
  Instant backend_;
  std::string folder_, token_, camera_, rule_;
  std::unique_ptr<events::Store> store_;
  std::unique_ptr<notify::PostOffice> office_;
  std::unique_ptr<StoreRecord> record_;
  std::unique_ptr<FramePath> path_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Backends> backends_;
  std::unique_ptr<GatewayApi> api_;
  std::unique_ptr<net::HttpServer> server_;
};

/// One client, one frame after the other on one connection.
void Frames(benchmark::State& state, const std::string& query, bool gate) {
  const Door door(gate);
  const std::string body = Frame();
  const std::string request = door.Request(query, body);
  net::testing::RawClient client(door.port());
  for (auto _ : state) {
    client.Send(request);
    const std::string head = client.ReadUntil("\r\n\r\n");
    CHECK(head.starts_with("HTTP/1.1 20"));
    (void)client.ReadUntil("}\n");
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["frame_bytes"] = static_cast<double>(body.size());
}
BENCHMARK_CAPTURE(Frames, accepted, "", false)->Name("api/frame_accepted")->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(Frames, answered, "?wait=answers", false)
    ->Name("api/frame_answered")
    ->UseRealTime()
    ->MeasureProcessCPUTime();
BENCHMARK_CAPTURE(Frames, gated, "", true)->Name("api/frame_gated")->UseRealTime()->MeasureProcessCPUTime();

/// One rule of an owner saved again, from the request to the answer: checked, committed and in force. Argument:
/// cameras, each with a rule of its own.
void SaveARule(benchmark::State& state) {
  const Door door(false, static_cast<int>(state.range(0)));
  net::testing::RawClient client(door.port());
  for (auto _ : state) {
    client.Send(door.Edit());
    const std::string head = client.ReadUntil("\r\n\r\n");
    CHECK(head.starts_with("HTTP/1.1 200"));
    (void)client.ReadUntil("}\n");
  }
}
BENCHMARK(SaveARule)
    ->Name("api/save_a_rule")
    ->Arg(1)
    ->Arg(100)
    ->Arg(1000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime()
    ->MeasureProcessCPUTime();

}  // namespace
}  // namespace pawsight::gateway
