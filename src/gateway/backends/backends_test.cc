#include "gateway/backends/backends.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <thread>

#include "gateway/backends/testing.h"

namespace pawsight::gateway {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::AnyOf;
using testing::Asking;
using testing::Broken;
using testing::FakeClient;
using ::testing::HasSubstr;
using testing::PoolOf;
using testing::Refused;
using testing::Unreachable;

class BackendsTest : public ::testing::Test {
 protected:
  explicit BackendsTest(BackendsOptions options = {}) { Restart(std::move(options)); }
  void Restart(BackendsOptions options) {
    backends_.reset();
    clients_.clear();
    backends_ = std::make_unique<Backends>(
        options,
        [this](const EndpointConfig& endpoint) -> Result<std::shared_ptr<client::InferenceClient>> {
          if (endpoint.address == "bad") return InvalidArgument("no such thing");
          auto client = std::make_shared<FakeClient>(endpoint.name());
          clients_[endpoint.name()] = client;
          return std::shared_ptr<client::InferenceClient>(std::move(client));
        },
        clock_);
  }
  void Set(std::vector<PoolConfig> pools, RoutingConfig routing) {
    ASSERT_TRUE(backends_->Set({std::move(pools)}, std::move(routing)).ok());
  }
  std::future<Result<Reply>> Begin(Inquiry inquiry) {
    auto promise = std::make_shared<std::promise<Result<Reply>>>();
    backends_->Ask(std::move(inquiry), [promise](Result<Reply> reply) { promise->set_value(std::move(reply)); });
    return promise->get_future();
  }
  Result<Reply> Ask(const std::string& image = "x") { return Begin(Asking(image, {"a cat?", "a dog?"})).get(); }
  /// The first pool's first endpoint's, or another's.
  std::string StateOf(size_t pool = 0, size_t endpoint = 0) const {
    const Json status = backends_->StatusJson();
    return status.Find("pools")
        ->as_array()
        .at(pool)
        .Find("endpoints")
        ->as_array()
        .at(endpoint)
        .Find("state")
        ->as_string();
  }
  /// Until the thread has probed.
  void AwaitState(const std::string& state, size_t pool = 0, size_t endpoint = 0) const {
    while (StateOf(pool, endpoint) != state) std::this_thread::yield();
  }
  FakeClient& At(const std::string& address) { return *clients_.at(address); }

  ManualClock clock_;
  std::map<std::string, std::shared_ptr<FakeClient>> clients_;
  std::unique_ptr<Backends> backends_;
};

TEST_F(BackendsTest, AfterCredentialsWereRenewedWhoIsShownOneIsAnotherAtTheNextChange) {
  PoolConfig pool = PoolOf("cpu", {"shown", "plain"});
  pool.endpoints[0].credential = "workers";
  const RoutingConfig routing{{{"cpu", 1}}, {}, {}};
  Set({pool}, routing);
  const auto shown = clients_.at("shown"), plain = clients_.at("plain");
  Set({pool}, routing);
  EXPECT_EQ(clients_.at("shown"), shown);
  backends_->RenewCredentials();
  EXPECT_EQ(clients_.at("shown"), shown) << "not before the next change";
  Set({pool}, routing);
  EXPECT_NE(clients_.at("shown"), shown);
  EXPECT_EQ(clients_.at("plain"), plain);
  const auto again = clients_.at("shown");
  ASSERT_TRUE(backends_->SetRouting(routing).ok());
  EXPECT_EQ(clients_.at("shown"), again);
}

TEST_F(BackendsTest, AnInquiryIsAnsweredInItsOrder) {
  Set({PoolOf("cpu", {"w1"})}, {{{"cpu", 1}}, {}, {}});
  const Result<Reply> reply = Ask("frame");
  ASSERT_TRUE(reply.ok()) << reply.status().ToString();
  EXPECT_EQ(reply->answers.at(0).text, "w1|frame|a cat?");
  EXPECT_EQ(reply->answers.at(1).question, "a dog?");
  EXPECT_NEAR(reply->answers.at(1).p_yes, 0.9, 1e-6);
  EXPECT_EQ(reply->pool, "cpu");
  EXPECT_EQ(reply->endpoint, "w1");
  EXPECT_EQ(reply->model_version, "1");
}

TEST_F(BackendsTest, WhatIsUnfitNeverLeaves) {
  EXPECT_EQ(Ask().status().code(), StatusCode::kUnavailable);  // no routing
  Set({PoolOf("cpu", {"w1"})}, {{{"cpu", 1}}, {}, {}});
  AwaitState("healthy");
  EXPECT_EQ(Begin(Asking("")).get().status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Begin(Asking("x", {})).get().status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Begin(Asking("x", {std::string(513, 'q')})).get().status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Begin(Asking("x", std::vector<std::string>(65, "q"))).get().status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Begin(Asking("x", {"q"}, {})).get().status().code(), StatusCode::kDeadlineExceeded);
  EXPECT_EQ(At("w1").num_calls(), 0);
}

TEST_F(BackendsTest, OnlyWhatDidNotRunIsAskedElsewhere) {
  Set({PoolOf("a", {"a1"}), PoolOf("b", {"b1"})}, {{{"a", 1}}, {{"a", {"b"}}}, {}});
  AwaitState("healthy", 0);
  AwaitState("healthy", 1);
  At("a1").SetAct([](const auto&) { return Refused(); });
  EXPECT_EQ(Ask()->endpoint, "b1");
  At("a1").SetAct([](const auto&) { return Unreachable(); });
  EXPECT_EQ(Ask()->endpoint, "b1");
  At("a1").SetAct([](const auto&) { return Broken(); });
  const int calls = At("b1").num_calls();
  const Result<Reply> broken = Ask();
  EXPECT_EQ(broken.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(At("b1").num_calls(), calls);
  At("a1").SetAct([](const auto&) { return client::InferResult{InvalidArgument("no image"), false, {}}; });
  EXPECT_EQ(Ask().status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(At("b1").num_calls(), calls);
}

TEST_F(BackendsTest, WhenAllAreFullOrGoneItIsSaid) {
  Set({PoolOf("a", {"a1"})}, {{{"a", 1}}, {}, {}});
  AwaitState("healthy");
  At("a1").SetAct([](const auto&) { return Refused(); });
  EXPECT_EQ(Ask().status().code(), StatusCode::kResourceExhausted);
  At("a1").SetAct([](const auto&) { return Unreachable(); });
  for (int n = 0; n < 3; ++n) EXPECT_EQ(Ask().status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(StateOf(), "ejected");
  EXPECT_THAT(Ask().status().message(), HasSubstr("none is healthy"));
  At("a1").SetAct(nullptr);
  clock_.Advance(seconds(2));
  AwaitState("healthy");
  EXPECT_TRUE(Ask().ok());
}

TEST_F(BackendsTest, AnswersThatBreakTheirWordAreNotGivenOut) {
  Set({PoolOf("a", {"a1"})}, {{{"a", 1}}, {}, {}});
  const auto answer = [&](auto change) {
    At("a1").SetAct([change](const protocol::InferRequest& request) {
      protocol::InferResponse response = testing::EchoAnswer("a1", request);
      change(response);
      return client::InferResult{std::move(response), true, {}};
    });
    return Ask();
  };
  using Response = protocol::InferResponse;
  EXPECT_EQ(answer([](Response& r) { r.outputs.clear(); }).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(answer([](Response& r) { r.outputs[0].elements.pop_back(); }).status().code(), StatusCode::kUnavailable);
  while (StateOf() != "ejected") (void)Ask();  // at the first failure while it is new, else at the third in a row
  clock_.Advance(seconds(100));
  AwaitState("healthy");
  EXPECT_EQ(answer([](Response& r) { r.outputs[1].data.resize(4); }).status().code(), StatusCode::kUnavailable);
  const float over[] = {0.5F, 1.5F};
  EXPECT_THAT(answer([&](Response& r) { r.outputs[1] = protocol::Fp32Output("p_yes", {2}, over); }).status().message(),
              HasSubstr("want a p_yes from 0 to 1"));
  const float nan[] = {0.5F, NAN};
  EXPECT_EQ(answer([&](Response& r) { r.outputs[1] = protocol::Fp32Output("p_yes", {2}, nan); })->answers[1].p_yes,
            0.5);
}

TEST_F(BackendsTest, ACanaryThatIsAnsweredWronglyEjects) {
  BackendsOptions options;
  const Inquiry canary = Asking("canary", {"a dog?", "a car?"});
  options.canary = Canary{canary.encoded, canary.questions, {true, false}};
  Restart(options);
  Set({PoolOf("a", {"a1"})}, {{{"a", 1}}, {}, {}});
  const auto act = [&](std::vector<float> p_yes) {
    At("a1").SetAct([p_yes](const protocol::InferRequest& request) {
      protocol::InferResponse response = testing::EchoAnswer("a1", request);
      const auto count = static_cast<size_t>(response.outputs[0].shape[1]);
      response.outputs[1] = protocol::Fp32Output("p_yes", {static_cast<int64_t>(count)}, std::span(p_yes).first(count));
      return client::InferResult{std::move(response), true, {}};
    });
  };
  AwaitState("ejected");  // says yes to everything
  act({0.9F, 0.1F});
  clock_.Advance(seconds(2));
  AwaitState("healthy");
  act({0.1F, 0.1F});
  clock_.Advance(seconds(11));
  AwaitState("ejected");
}

TEST_F(BackendsTest, AShadowsAnswersAreComparedAndNeverGiven) {
  Set({PoolOf("a", {"a1"}), PoolOf("s", {"s1"})}, {{{"a", 1}}, {}, ShadowConfig{"s", 1}});
  AwaitState("healthy", 1);
  AwaitState("healthy", 0);
  At("s1").SetAct([](const protocol::InferRequest& request) {
    return client::InferResult{testing::EchoAnswer("s1", request, 0.1F), true, {}};
  });
  for (int n = 0; n < 10; ++n) EXPECT_EQ(Ask()->answers[0].text, "a1|x|a cat?");
  At("s1").SetAct([](const auto&) { return Broken(); });
  EXPECT_TRUE(Ask().ok());
  const Json status = backends_->StatusJson();
  const Json& shadow = *status.Find("pools")->as_array().at(1).Find("shadow");
  EXPECT_EQ(shadow.Find("compared_frames")->as_integer(), 10);
  EXPECT_EQ(shadow.Find("flip_rate")->as_number(), 1);
  EXPECT_EQ(shadow.Find("failed")->as_integer(), 1);
}

TEST_F(BackendsTest, AFullGatewayRefusesAndShedsShadowsFirst) {
  BackendsOptions options;
  options.max_in_flight = 4;
  Restart(options);
  Set({PoolOf("a", {"a1"}), PoolOf("s", {"s1"})}, {{{"a", 1}}, {}, ShadowConfig{"s", 1}});
  AwaitState("healthy", 0);
  AwaitState("healthy", 1);
  At("a1").Keep(true);
  std::vector<std::future<Result<Reply>>> waiting;
  for (int n = 0; n < 4; ++n) waiting.push_back(Begin(Asking("x")));
  EXPECT_EQ(Ask().status().code(), StatusCode::kResourceExhausted);
  EXPECT_EQ(At("s1").num_calls(), 1);  // those from the second on were shed
  for (auto& one : waiting) {
    FakeClient::Kept kept = At("a1").Take();
    kept.done({testing::EchoAnswer("a1", *kept.request), true, {}});
    EXPECT_TRUE(one.get().ok());
  }
}

TEST_F(BackendsTest, AnEndpointThatIsTakenOutFinishesWhatItHasAndIsClosed) {
  Set({PoolOf("a", {"old"})}, {{{"a", 1}}, {}, {}});
  AwaitState("healthy");
  At("old").Keep(true);
  std::future<Result<Reply>> running = Begin(Asking("x"));
  std::weak_ptr<FakeClient> old = clients_.at("old");
  ASSERT_TRUE(backends_->SetPools({{PoolOf("a", {"new"})}}).ok());
  EXPECT_EQ(backends_->num_leaving(), 1U);
  EXPECT_EQ(Ask()->endpoint, "new");
  FakeClient::Kept kept = At("old").Take();
  clients_.erase("old");
  kept.done({testing::EchoAnswer("old", *kept.request), true, {}});
  EXPECT_EQ(running.get()->endpoint, "old");
  kept = {};
  while (backends_->num_leaving() > 0 || !old.expired()) std::this_thread::yield();
}

TEST_F(BackendsTest, AChangeIsAllOrNothing) {
  Set({PoolOf("a", {"a1"})}, {{{"a", 1}}, {}, {}});
  EXPECT_THAT(backends_->SetPools({{PoolOf("b", {"b1"})}}).message(), HasSubstr("weights.a: there is no pool 'a'"));
  EXPECT_THAT(backends_->SetRouting({{{"b", 1}}, {}, {}}).message(), HasSubstr("weights.b: there is no pool 'b'"));
  EXPECT_THAT(backends_->SetPools({{PoolOf("a", {"a1", "bad"})}}).message(),
              HasSubstr("pool a, endpoint bad: no such thing"));
  EXPECT_EQ(Ask()->endpoint, "a1");
  ASSERT_TRUE(backends_->Set({{PoolOf("b", {"b1"})}}, {{{"b", 1}}, {}, {}}).ok());
  EXPECT_EQ(Ask()->endpoint, "b1");
}

TEST_F(BackendsTest, WhoIsLeftAtTheEndIsAnswered) {
  Set({PoolOf("a", {"a1"})}, {{{"a", 1}}, {}, {}});
  AwaitState("healthy");
  At("a1").Keep(true);
  std::vector<std::future<Result<Reply>>> waiting;
  for (int n = 0; n < 10; ++n) waiting.push_back(Begin(Asking("x")));
  clients_.clear();
  backends_.reset();
  for (auto& one : waiting) EXPECT_EQ(one.get().status().code(), StatusCode::kUnavailable);
}

TEST_F(BackendsTest, NumbersAreThereForPeopleAndScrapers) {
  PoolConfig pool = PoolOf("a", {"http://a\"1"});
  pool.price_per_hour = 3.6;
  Set({pool}, {{{"a", 1}}, {}, {}});
  for (int n = 0; n < 10; ++n) ASSERT_TRUE(Ask().ok());
  clock_.Advance(seconds(1000));
  const std::string metrics = backends_->Metrics();
  EXPECT_THAT(metrics, HasSubstr("pawsight_gateway_backend_inquiries_total{outcome=\"answered\"} 10\n"));
  EXPECT_THAT(metrics, HasSubstr("pawsight_gateway_backend_pool_answers_total{pool=\"a\"} 20\n"));
  EXPECT_THAT(metrics, HasSubstr("pawsight_gateway_backend_pool_cost_dollars_total{pool=\"a\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("endpoint=\"http://a\\\"1\",outcome=\"answered\"} 10\n"));
  EXPECT_THAT(metrics, HasSubstr("pawsight_gateway_backend_pool_latency_seconds_count{pool=\"a\"} 10\n"));
  const Json status = backends_->StatusJson();
  const Json& cost = *status.Find("pools")->as_array().at(0).Find("cost");
  EXPECT_NEAR(cost.Find("per_million_frames")->as_number(), 100000, 1e-3);
  EXPECT_NEAR(cost.Find("per_million_answers")->as_number(), 50000, 1e-3);
}

/// An endpoint that answers on a thread of its own, a little later, now and then refusing, breaking or out of reach.
class BusyClient : public client::InferenceClient {
 public:
  BusyClient(std::string name, uint64_t seed) : name_(std::move(name)), rng_(seed), thread_([this] { Run(); }) {}
  ~BusyClient() override {
    {
      MutexLock lock(mu_);
      stopping_ = true;
      changed_.NotifyAll();
    }
    thread_.join();
  }
  CallId Infer(std::shared_ptr<const protocol::InferRequest> request, client::Deadline, Done done) override
      EXCLUDES(mu_) {
    MutexLock lock(mu_);
    queue_.emplace_back(std::move(request), std::move(done));
    changed_.NotifyAll();
    return 0;
  }
  void Cancel(CallId) override {}
  void CheckReady(client::Deadline, std::function<void(Status)> done) override { done(Ok()); }
  void GetMetadata(const std::string&, client::Deadline,
                   std::function<void(Result<protocol::ModelMetadata>)> done) override {
    done(NotFound("none"));
  }

 private:
  void Run() EXCLUDES(mu_) {
    for (;;) {
      std::vector<std::pair<std::shared_ptr<const protocol::InferRequest>, Done>> batch;
      {
        MutexLock lock(mu_);
        while (queue_.empty() && !stopping_) changed_.Wait(mu_);
        if (queue_.empty()) return;
        batch.swap(queue_);
      }
      for (size_t i = batch.size(); i > 1; --i)
        std::swap(batch[i - 1], batch[static_cast<size_t>(rng_.Below(static_cast<int>(i)))]);
      for (auto& [request, done] : batch) {
        const double chance = rng_.Uniform();
        done(chance < 0.02    ? Refused()
             : chance < 0.025 ? Unreachable()
                              : client::InferResult{testing::EchoAnswer(name_, *request), true, {}});
      }
    }
  }
  const std::string name_;
  Rng rng_;
  Mutex mu_;
  CondVar changed_;
  std::vector<std::pair<std::shared_ptr<const protocol::InferRequest>, Done>> queue_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

/// Every one of many inquiries is answered exactly once, with its own answer, while pools and routing change.
void SwitchUnderLoad(int num_inquiries) {
  const SystemClock clock;
  BackendsOptions options;
  options.books.health.first_pause = milliseconds(1);
  Backends backends(
      options,
      [seed = std::make_shared<std::atomic<uint64_t>>(1)](
          const EndpointConfig& endpoint) -> Result<std::shared_ptr<client::InferenceClient>> {
        return std::shared_ptr<client::InferenceClient>(std::make_shared<BusyClient>(endpoint.name(), (*seed)++));
      },
      clock);
  const auto change = [&](int n) {
    const std::string fresh = "b" + std::to_string(n / 7);  // an endpoint goes and another comes
    const RoutingConfig routings[] = {{{{"a", 1}}, {{"a", {"b", "c"}}}, {}},
                                      {{{"b", 3}, {"a", 1}}, {{"b", {"c"}}, {"a", {"c"}}}, ShadowConfig{"c", 0.2}},
                                      {{{"c", 1}, {"b", 0}}, {{"c", {"a"}}}, {}}};
    PoolsConfig pools{{PoolOf("a", {"a1", "a2"}), PoolOf("b", {fresh}), PoolOf("c", {"c1"})}};
    for (PoolConfig& pool : pools.pools) pool.endpoint_in_flight = 1000;
    ASSERT_TRUE(backends.Set(pools, routings[n % 3]).ok());
  };
  change(0);
  struct Slot {
    std::atomic<int> times{0};
    std::atomic<bool> own{false};
  };
  std::vector<Slot> slots(static_cast<size_t>(num_inquiries));
  std::atomic<int> num_done{0};
  std::atomic<int> num_failed{0};
  std::jthread switcher([&](const std::stop_token& stop) {
    for (int n = 1; !stop.stop_requested(); ++n) {
      change(n);
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  const auto ask = [&](int from, int step) {
    for (int n = from; n < num_inquiries; n += step) {
      while (n - num_done > 500) std::this_thread::yield();
      const std::string image = "frame" + std::to_string(n);
      const std::string question = "q" + std::to_string(n) + "?";
      backends.Ask(Asking(image, {question, "second"}), [&, n, image, question](Result<Reply> reply) {
        Slot& slot = slots[static_cast<size_t>(n)];
        ++slot.times;
        slot.own = reply.ok() && reply->answers.size() == 2 && reply->answers[0].question == question &&
                   reply->answers[0].text == reply->endpoint + "|" + image + "|" + question &&
                   reply->answers[1].text == reply->endpoint + "|" + image + "|second";
        if (!reply.ok()) ++num_failed;
        ++num_done;
      });
    }
  };
  {
    std::jthread second([&] { ask(1, 2); });
    ask(0, 2);
  }
  while (num_done < num_inquiries) std::this_thread::yield();
  switcher.request_stop();
  switcher.join();
  int wrong = 0;
  for (const Slot& slot : slots) {
    ASSERT_EQ(slot.times, 1);
    wrong += slot.own ? 0 : 1;
  }
  EXPECT_EQ(wrong, num_failed);  // none got another's answer
  EXPECT_LT(num_failed, num_inquiries / 100);
}

TEST(BackendsUnderLoad, EveryInquiryIsAnsweredOnceWithItsOwnAnswerWhileRoutingIsSwitched) { SwitchUnderLoad(200000); }

}  // namespace
}  // namespace pawsight::gateway
