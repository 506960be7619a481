// The gRPC door: infer requests of 30 kB to a model that is empty, over loopback, the client in the same process and on
// the same cores. `calls` are under way at once on one connection.
// clang-format off: gRPC's headers define names of base/mutex.h again
#include "rpc/grpc_endpoint.h"
// clang-format on

#include <benchmark/benchmark.h>
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "open_inference.grpc.pb.h"
#include "server/empty_model.h"
#include "server/fake_engine.h"
#include "server/vqa_model.h"

namespace pawsight::rpc {
namespace {

constexpr size_t kImageBytes = 30000;

inference::ModelInferRequest RawRequest() {
  inference::ModelInferRequest request;
  request.set_model_name("vqa");
  const auto add = [&](const std::string& name, const std::string& bytes) {
    auto* input = request.add_inputs();
    input->set_name(name);
    input->set_datatype("BYTES");
    input->add_shape(1);
    std::string tensor;
    for (unsigned shift = 0; shift < 32; shift += 8) tensor += static_cast<char>(bytes.size() >> shift);
    request.add_raw_input_contents(tensor + bytes);
  };
  add("image", std::string(kImageBytes, 'x'));
  add("question", "Is there a dog?");
  return request;
}

/// Keeps calls under way until enough have ended.
class Load {
 public:
  Load(inference::GRPCInferenceService::Stub& stub, int64_t calls) : stub_(stub), slots_(static_cast<size_t>(calls)) {}

  void Run(int64_t wanted) {
    left_ = wanted;
    for (Slot& slot : slots_) Next(slot);
    std::unique_lock lock(mu_);
    ended_.wait(lock, [&] { return left_ <= 0 && under_way_ == 0; });
  }
  int64_t failed() const { return failed_; }

 private:
  struct Slot {
    std::unique_ptr<grpc::ClientContext> context;
    inference::ModelInferResponse response;
  };

  void Next(Slot& slot) {
    {
      const std::unique_lock lock(mu_);
      if (left_-- <= 0) {
        ended_.notify_all();
        return;
      }
      ++under_way_;
    }
    slot.context = std::make_unique<grpc::ClientContext>();
    stub_.async()->ModelInfer(slot.context.get(), &request_, &slot.response, [this, &slot](const grpc::Status& status) {
      {
        const std::unique_lock lock(mu_);
        failed_ += status.ok() ? 0 : 1;
        --under_way_;
      }
      Next(slot);
    });
  }

  inference::GRPCInferenceService::Stub& stub_;
  const inference::ModelInferRequest request_ = RawRequest();
  std::mutex mu_;
  std::condition_variable ended_;
  int64_t left_ = 0;
  int64_t under_way_ = 0;
  int64_t failed_ = 0;
  std::vector<Slot> slots_;
};

void BM_GrpcInfer30kB(benchmark::State& state) {
  const SystemClock clock;
  server::Repository repository;
  repository.Put(std::make_shared<server::EmptyModel>());
  GrpcEndpointOptions options;
  options.listen = "127.0.0.1:0";
  auto endpoint = GrpcEndpoint::Start(options, repository, clock);
  CHECK(endpoint.ok());
  const auto stub = inference::GRPCInferenceService::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string((*endpoint)->port()), grpc::InsecureChannelCredentials()));
  Load load(*stub, state.range(0));
  constexpr int64_t kCalls = 2000;
  for (auto _ : state) load.Run(kCalls);
  CHECK(load.failed() == 0);
  state.SetItemsProcessed(state.iterations() * kCalls);
  state.SetBytesProcessed(state.iterations() * kCalls * static_cast<int64_t>(kImageBytes));
}
BENCHMARK(BM_GrpcInfer30kB)->ArgName("calls")->Arg(1)->Arg(64)->UseRealTime()->Unit(benchmark::kMillisecond);

/// From a client's cancelling its call to its slot's being free, as for HTTP's http/client_goes.
void BM_GrpcClientGoes(benchmark::State& state) {
  const SystemClock clock;
  const auto engine = std::make_shared<server::testing::FakeEngine>();
  const auto batcher = std::move(server::Batcher::Start({}, engine, clock).value());
  server::Repository repository;
  repository.Put(std::make_shared<server::VqaModel>("1", *batcher, [] { return true; }));
  GrpcEndpointOptions options;
  options.listen = "127.0.0.1:0";
  auto endpoint = GrpcEndpoint::Start(options, repository, clock);
  CHECK(endpoint.ok());
  const auto stub = inference::GRPCInferenceService::NewStub(
      grpc::CreateChannel("127.0.0.1:" + std::to_string((*endpoint)->port()), grpc::InsecureChannelCredentials()));
  const inference::ModelInferRequest request = RawRequest();
  std::vector<double> micros;
  int came = 0;
  for (auto _ : state) {
    engine->look.Close();
    grpc::ClientContext context;
    inference::ModelInferResponse response;
    std::promise<void> ended;
    stub->async()->ModelInfer(&context, &request, &response, [&](const grpc::Status&) { ended.set_value(); });
    engine->look.Await(++came);
    const auto start = std::chrono::steady_clock::now();
    context.TryCancel();
    while (batcher->health().num_requests != 0) std::this_thread::yield();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    state.SetIterationTime(taken.count());
    micros.push_back(taken.count() * 1e6);
    engine->look.Open();
    while (batcher->health().num_running != 0) std::this_thread::yield();
    ended.get_future().wait();
  }
  std::sort(micros.begin(), micros.end());
  state.counters["p50_us"] = micros[micros.size() / 2];
  state.counters["p99_us"] = micros[micros.size() * 99 / 100];
  state.counters["slowest_us"] = micros.back();
}
BENCHMARK(BM_GrpcClientGoes)->Iterations(1000)->UseManualTime();

}  // namespace
}  // namespace pawsight::rpc
