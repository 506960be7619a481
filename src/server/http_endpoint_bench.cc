// The door alone, as the empty model shows it: infer requests with 30 kB of image over loopback, one I/O thread, and
// what an idle connection costs. The client is in this process: on one core it takes its share. `server_us` is the
// processor time of the I/O thread for one request, so 1e6 / server_us is what one core could do.
#include <benchmark/benchmark.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <thread>

#include "base/base64.h"
#include "base/memory.h"
#include "net/access_log.h"
#include "net/testing.h"
#include "net/tls/testing.h"
#include "server/fake_engine.h"
#include "server/testing.h"
#include "server/vqa_model.h"

namespace pawsight::server {
namespace {

using net::testing::RawClient;
using net::testing::TlsClient;

constexpr size_t kImageBytes = 30000;
constexpr int kConnections = 16;
constexpr std::string_view kAnswerEnd = "\"data\":[0.5]}]}";

std::string Post(const std::string& body, const std::string& more) {
  return "POST /v2/models/vqa/infer HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

std::string Image() {
  std::string image(kImageBytes, '\0');
  for (size_t i = 0; i < image.size(); ++i) image[i] = static_cast<char>(i * 2654435761U >> 13U);
  return image;
}

constexpr const char* kQuestion =
    R"({"name":"question","datatype":"BYTES","shape":[1],"data":["is there a cat on the sofa?"]})";

std::string BinaryRequest() {
  const std::string json =
      R"({"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":)" +
      std::to_string(kImageBytes + 4) + "}}," + kQuestion + R"(],"outputs":[{"name":"p_yes"}]})";
  const uint32_t length = kImageBytes;
  return Post(json + std::string(reinterpret_cast<const char*>(&length), 4) + Image(),
              "Inference-Header-Content-Length: " + std::to_string(json.size()) + "\r\n");
}

std::string Base64Request() {
  return Post(
      R"({"inputs":[{"name":"image","datatype":"BYTES","shape":[1],"parameters":{"content_type":"base64"},"data":[")" +
          EncodeBase64(Image()) + "\"]}," + kQuestion + R"(],"outputs":[{"name":"p_yes"}]})",
      "");
}

/// Processor time of the calling thread, in nanoseconds.
int64_t ThreadNanos() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

/// The empty model, which also notes how long its thread has worked.
class TimedModel : public EmptyModel {
 public:
  void Infer(std::shared_ptr<const protocol::InferRequest> request, const RequestContext& context, Done done) override {
    nanos = ThreadNanos();
    EmptyModel::Infer(std::move(request), context, std::move(done));
  }
  std::atomic<int64_t> nanos{0};
};

net::HttpServerOptions WithTls() {
  static const net::testing::TestCa ca;
  net::HttpServerOptions options;
  options.tls = ca.Server();
  return options;
}

template <typename Client>
void Infer(benchmark::State& state, const std::string& request, const net::HttpServerOptions& options = {}) {
  testing::TestServer server(options);
  const auto model = std::make_shared<TimedModel>();
  server.repository().Put(model);
  std::vector<std::unique_ptr<Client>> clients;
  for (int n = 0; n < kConnections; ++n) clients.push_back(std::make_unique<Client>(server.port()));
  const auto round = [&] {
    for (const auto& client : clients) client->Send(request);
    for (const auto& client : clients) {
      if (client->ReadUntil(kAnswerEnd).empty()) return false;
    }
    return true;
  };
  if (!round()) return state.SkipWithError("no answer");
  const int64_t before = model->nanos;
  for (auto _ : state) {
    if (!round()) return state.SkipWithError("no answer");
  }
  const auto requests = static_cast<double>(state.iterations()) * kConnections;
  state.counters["requests/s"] = benchmark::Counter(requests, benchmark::Counter::kIsRate);
  state.counters["server_us"] = static_cast<double>(model->nanos - before) / 1e3 / requests;
}

/// Connections held by a child process, so that only our side of them is counted here. Each sends `bytes` and, when
/// `answered`, reads one answer.
template <typename Client>
class HeldConnections {
 public:
  HeldConnections(int port, size_t count, const std::string& bytes, bool answered) {
    CHECK(pipe(told_) == 0 && pipe(end_) == 0);
    child_ = fork();
    if (child_ == 0) Hold(port, count, bytes, answered);
    char byte = 0;
    CHECK(read(told_[0], &byte, 1) == 1);
  }
  ~HeldConnections() {
    const char byte = 0;
    CHECK(write(end_[1], &byte, 1) == 1);
    waitpid(child_, nullptr, 0);
    for (const int fd : {told_[0], told_[1], end_[0], end_[1]}) close(fd);
  }
  HeldConnections(const HeldConnections&) = delete;
  HeldConnections& operator=(const HeldConnections&) = delete;

 private:
  [[noreturn]] void Hold(int port, size_t count, const std::string& bytes, bool answered) const {
    close(end_[1]);  // so that a benchmark that is killed ends the wait below
    std::vector<std::unique_ptr<Client>> clients;
    for (size_t n = 0; n < count; ++n) {
      clients.push_back(std::make_unique<Client>(port));
      clients.back()->Send(bytes);
      if (answered) clients.back()->ReadUntil(kAnswerEnd);
    }
    char byte = 0;
    const bool ended = write(told_[1], &byte, 1) == 1 && read(end_[0], &byte, 1) == 1;
    _exit(ended ? 0 : 1);
  }

  int told_[2];
  int end_[2];
  pid_t child_ = -1;
};

/// What a connection costs that has had an answer and waits for the next request.
template <typename Client>
void IdleConnections(benchmark::State& state, net::HttpServerOptions options = {}) {
  const auto count = static_cast<size_t>(state.range(0));
  options.max_connections = count + 1;
  options.idle_timeout = std::chrono::seconds(3600);  // however long it takes to make them
  testing::TestServer server(options);
  server.repository().Put(std::make_shared<EmptyModel>());
  const size_t before = ResidentBytes();
  const HeldConnections<Client> held(server.port(), count, BinaryRequest(), true);
  const size_t after = ResidentBytes();
  for (auto _ : state) benchmark::DoNotOptimize(server.server().num_connections());
  state.counters["connections"] = static_cast<double>(server.server().num_connections());
  state.counters["bytes_each"] = static_cast<double>(after - before) / static_cast<double>(count);
}

/// A connection with its handshake, both sides of it (P-256).
void TlsHandshake(benchmark::State& state) {
  const net::HttpServerOptions options = WithTls();
  testing::TestServer server(options);
  for (auto _ : state) {
    const TlsClient client(server.port());
    if (!client.shaken()) return state.SkipWithError("no handshake");
  }
}

/// One client's requests, one after another, while others have sent half a header.
void BesideSlowHeaders(benchmark::State& state) {
  const auto count = static_cast<size_t>(state.range(0));
  net::HttpServerOptions options;
  options.max_connections = count + 1;
  options.header_timeout = std::chrono::seconds(600);
  testing::TestServer server(options);
  server.repository().Put(std::make_shared<EmptyModel>());
  const HeldConnections<RawClient> held(server.port(), count, "GET /v2/health/live HTTP/1.1\r\nHost: loc", false);
  RawClient client(server.port());
  const std::string request = BinaryRequest();
  std::vector<double> micros;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    client.Send(request);
    if (client.ReadUntil(kAnswerEnd).empty()) return state.SkipWithError("no answer");
    micros.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(micros.begin(), micros.end());
  state.counters["p50_us"] = micros[micros.size() / 2];
  state.counters["p99_us"] = micros[micros.size() * 99 / 100];
  state.counters["connections"] = static_cast<double>(server.server().num_connections());
}

/// From a client's close to its slot's being free: a request that an engine looks at and that is not cut off. What a
/// queued one takes is less.
void ClientGoes(benchmark::State& state) {
  const SystemClock clock;
  const auto engine = std::make_shared<testing::FakeEngine>();
  const auto batcher = std::move(Batcher::Start({}, engine, clock).value());
  testing::TestServer server;
  server.repository().Put(std::make_shared<VqaModel>("1", *batcher, [] { return true; }));
  const std::string request = BinaryRequest();
  std::vector<double> micros;
  int came = 0;
  for (auto _ : state) {
    engine->look.Close();
    auto client = std::make_unique<RawClient>(server.port());
    client->Send(request);
    engine->look.Await(++came);
    const auto start = std::chrono::steady_clock::now();
    client.reset();
    while (batcher->health().num_requests != 0) std::this_thread::yield();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(taken.count());
    micros.push_back(taken.count() * 1e6);
    engine->look.Open();
    while (batcher->health().num_running != 0) std::this_thread::yield();
  }
  std::sort(micros.begin(), micros.end());
  state.counters["p50_us"] = micros[micros.size() / 2];
  state.counters["p99_us"] = micros[micros.size() * 99 / 100];
  state.counters["slowest_us"] = micros.back();
}

const bool kRegistered = [] {
  benchmark::RegisterBenchmark("http/infer_30kB/binary", [](auto& state) {
    Infer<RawClient>(state, BinaryRequest());
  })->UseRealTime();
  benchmark::RegisterBenchmark("http/infer_30kB/base64", [](auto& state) {
    Infer<RawClient>(state, Base64Request());
  })->UseRealTime();
  benchmark::RegisterBenchmark("http/infer_30kB/binary_tls", [](auto& state) {
    Infer<TlsClient>(state, BinaryRequest(), WithTls());
  })->UseRealTime();
  benchmark::RegisterBenchmark("http/infer_30kB/binary_logged", [](auto& state) {
    const SystemClock clock;
    const auto log = std::move(net::AccessLog::Open({.path = "/dev/null"}, clock).value());
    net::HttpServerOptions options;
    options.answered = net::LogTo(*log, "http");
    Infer<RawClient>(state, BinaryRequest(), options);
  })->UseRealTime();
  benchmark::RegisterBenchmark("http/tls_handshake", TlsHandshake)->UseRealTime();
  benchmark::RegisterBenchmark("http/idle", [](auto& state) { IdleConnections<RawClient>(state); })
      ->Arg(10000)
      ->Iterations(1);
  benchmark::RegisterBenchmark("http/idle_tls", [](auto& state) { IdleConnections<TlsClient>(state, WithTls()); })
      ->Arg(2000)
      ->Iterations(1);
  for (const int slow : {0, 10000}) {
    benchmark::RegisterBenchmark("http/beside_slow_headers", BesideSlowHeaders)
        ->Arg(slow)
        ->Iterations(10000)
        ->UseRealTime();
  }
  benchmark::RegisterBenchmark("http/client_goes", ClientGoes)->Iterations(1000)->UseManualTime();
  return true;
}();

}  // namespace
}  // namespace pawsight::server
