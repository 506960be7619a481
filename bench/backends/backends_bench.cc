// What the gateway's backends add to an inquiry, and how many a second go through them: to an endpoint that answers at
// once, and over HTTP and gRPC to the empty model, whose process is this one and shares its cores: the processor time
// is both sides'. And the soak: pools switched while inquiries flow, every frame counted.
#include <benchmark/benchmark.h>

#include <atomic>
#include <stop_token>
#include <thread>
#include <vector>

#include "base/log.h"
#include "fleet.h"
#include "gateway/backends/inquiry_codec.h"
#include "server/empty_model.h"
#include "tools/load_run.h"
#include "workers.h"

namespace pawsight::house {
namespace {

using std::chrono::steady_clock;

constexpr size_t kImageBytes = 30000;
constexpr int kQuestions = 5;

/// Answers within Infer.
class InstantClient : public client::InferenceClient {
 public:
  CallId Infer(std::shared_ptr<const protocol::InferRequest> request, client::Deadline, Done done) override {
    const auto count = static_cast<int64_t>(request->Find("question")->elements.size());
    protocol::InferResponse response{"vqa", "1", {}, {}};
    const std::vector<float> p_yes(static_cast<size_t>(count), 0.5F);
    response.outputs.push_back(
        protocol::BytesOutput("answer", {1, count}, std::vector<std::string>(p_yes.size(), "no")));
    response.outputs.push_back(protocol::Fp32Output("p_yes", {1, count}, p_yes));
    done({std::move(response), true, {}});
    return 0;
  }
  void Cancel(CallId) override {}
  void CheckReady(client::Deadline, std::function<void(Status)> done) override { done(Ok()); }
  void GetMetadata(const std::string&, client::Deadline,
                   std::function<void(Result<protocol::ModelMetadata>)> done) override {
    done(NotFound("none"));
  }
};

gateway::Inquiry Inquire(const std::shared_ptr<const std::vector<uint8_t>>& image) {
  gateway::Inquiry inquiry;
  inquiry.frame_id = "frm_0123456789";
  inquiry.encoded = image;
  for (int n = 0; n < kQuestions; ++n) inquiry.questions.push_back("is there a cat on sofa " + std::to_string(n) + "?");
  inquiry.deadline = steady_clock::now() + std::chrono::seconds(20);
  return inquiry;
}

tools::CallOutcome OutcomeOf(const Result<gateway::Reply>& reply) {
  if (reply.ok()) return {};
  return {std::string(StatusCodeName(reply.status().code()))};
}

/// `state.range(0)` inquiries under way at all times.
void Flow(benchmark::State& state, Fleet& fleet) {
  const auto image = std::make_shared<const std::vector<uint8_t>>(kImageBytes, 'x');
  const tools::SendFrame send = [&](int64_t, client::Deadline, tools::OnEnded on_ended) {
    fleet.backends().Ask(Inquire(image), [on_ended = std::move(on_ended)](const Result<gateway::Reply>& reply) {
      on_ended(OutcomeOf(reply));
    });
  };
  const SystemClock clock;
  for (auto _ : state) {
    const tools::LoadSeen seen = tools::RunLoad(send,
                                                {.clients = static_cast<int>(state.range(0)),
                                                 .warmup = std::chrono::milliseconds(500),
                                                 .duration = std::chrono::seconds(3)},
                                                clock, {}, [](double) {}, {[] {}, [] {}});
    state.counters["inquiries/s"] = static_cast<double>(seen.answered) / seen.seconds;
    state.counters["p50_us"] = 1000 * seen.latency.At(0.5).ms;
    state.counters["p99_us"] = 1000 * seen.latency.At(0.99).ms;
    state.counters["failed"] = static_cast<double>(seen.offered - seen.latency.count());
  }
}

/// One after another, on this thread; nothing is waited for.
void Instant(benchmark::State& state) {
  SetLogLevel(LogLevel::kError);
  Fleet fleet({}, [](const std::string&) {
    return Result<std::shared_ptr<client::InferenceClient>>(std::make_shared<InstantClient>());
  });
  fleet.Set({PoolOf("here", {{"embedded", "", ""}})}, {{{"here", 1}}, {}, {}});
  fleet.AwaitAll("healthy");
  const auto image = std::make_shared<const std::vector<uint8_t>>(kImageBytes, 'x');
  int64_t failed = 0;
  for (auto _ : state) {
    fleet.backends().Ask(Inquire(image), [&](const Result<gateway::Reply>& reply) { failed += reply.ok() ? 0 : 1; });
  }
  state.counters["inquiries/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
  state.counters["failed"] = static_cast<double>(failed);
}

/// The same client without the backends around it: what they add is the difference.
void Bare(benchmark::State& state) {
  InstantClient client;
  const auto image = std::make_shared<const std::vector<uint8_t>>(kImageBytes, 'x');
  for (auto _ : state) {
    const auto inquiry = std::make_shared<const gateway::Inquiry>(Inquire(image));
    client.Infer(gateway::ToRequest(inquiry, "vqa"), inquiry->deadline, [&](const client::InferResult& result) {
      benchmark::DoNotOptimize(gateway::ToAnswers(*inquiry, *result.response).ok());
    });
  }
}

/// A worker with the empty model.
struct EmptyWorker {
  EmptyWorker() : endpoint(repository, clock) {
    repository.Put(std::make_shared<server::EmptyModel>());
    endpoint.AddRoutes(router);
    net::HttpServerOptions options;
    options.max_connections = 1024;
    http = std::move(net::HttpServer::Start(options, router).value());
    rpc::GrpcEndpointOptions rpc_options;
    rpc_options.listen = "127.0.0.1:0";
    grpc = std::move(rpc::GrpcEndpoint::Start(rpc_options, repository, clock).value());
  }
  SystemClock clock;
  server::Repository repository;
  server::HttpEndpoint endpoint;
  net::Router router;
  std::unique_ptr<net::HttpServer> http;
  std::unique_ptr<rpc::GrpcEndpoint> grpc;
};

void OverTheWire(benchmark::State& state, bool grpc) {
  SetLogLevel(LogLevel::kError);
  EmptyWorker worker;
  Fleet fleet;
  fleet.Set({PoolOf("a", {grpc ? Grpc("127.0.0.1:" + std::to_string(worker.grpc->port())) : Http(worker.http->url())})},
            {{{"a", 1}}, {}, {}});
  fleet.AwaitAll("healthy");
  Flow(state, fleet);
}

/// Two pools of two workers, changed a hundred times a second, 64 inquiries in flight. One iteration is one inquiry.
void Soak(benchmark::State& state) {
  SetLogLevel(LogLevel::kError);
  std::vector<std::unique_ptr<FakeWorker>> workers;
  for (int n = 0; n < 4; ++n) workers.push_back(std::make_unique<FakeWorker>("w" + std::to_string(n) + "/"));
  Fleet fleet;
  const auto change = [&](int n) {
    const auto at = [&](int i) -> FakeWorker& { return *workers[static_cast<size_t>((n + i) % 4)]; };
    fleet.Set({PoolOf("http", {Http(at(0).http()), Http(at(1).http())}),
               PoolOf("grpc", {Grpc(at(2).grpc()), Grpc(at(3).grpc())})},
              {{{"http", n % 3}, {"grpc", 1 + n % 2}}, {{"http", {"grpc"}}, {"grpc", {"http"}}}, {}});
  };
  change(0);
  fleet.AwaitAll("healthy");
  int changes = 0;
  for (auto _ : state) {
    std::atomic<int64_t> done{0}, foreign{0};
    std::stop_source enough;
    const tools::SendFrame send = [&](int64_t number, client::Deadline, tools::OnEnded on_ended) {
      const std::string image = "f" + std::to_string(number);
      const std::string question = "is " + image + " there?";
      const auto ended = [&, image, question, on_ended = std::move(on_ended)](const Result<gateway::Reply>& reply) {
        if (reply.ok() && !reply->answers[0].text.ends_with(image + ": " + question)) ++foreign;
        if (++done == state.range(0)) enough.request_stop();
        on_ended(OutcomeOf(reply));
      };
      fleet.backends().Ask(Asking(image, {question, "and else?"}), ended);
    };
    const std::jthread changer([&] {
      while (!enough.stop_requested()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
        change(++changes);
      }
    });
    const SystemClock clock;
    const tools::LoadSeen seen = tools::RunLoad(send, {.clients = 64, .duration = std::chrono::hours(24)}, clock,
                                                enough.get_token(), [](double) {}, {[] {}, [] {}});
    state.counters["failed"] += static_cast<double>(seen.offered - seen.latency.count());
    state.counters["foreign"] += static_cast<double>(foreign);
    state.counters["inquiries/s"] = benchmark::Counter(static_cast<double>(done), benchmark::Counter::kIsRate);
  }
  state.counters["changes"] = changes;
}

const bool kRegistered = [] {
  benchmark::RegisterBenchmark("backends/bare", Bare);
  benchmark::RegisterBenchmark("backends/instant", Instant)->UseRealTime();
  for (const bool grpc : {false, true}) {
    benchmark::RegisterBenchmark(grpc ? "backends/grpc" : "backends/http",
                                 [grpc](auto& state) { OverTheWire(state, grpc); })
        ->Arg(1)
        ->Arg(32)
        ->Iterations(1)
        ->UseRealTime();
  }
  benchmark::RegisterBenchmark("backends/soak", Soak)
      ->Arg(200000)
      ->Iterations(1)
      ->UseRealTime()
      ->Unit(benchmark::kSecond);
  return true;
}();

}  // namespace
}  // namespace pawsight::house
