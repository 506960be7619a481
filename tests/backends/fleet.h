// A gateway's backends over whatever endpoints a test has, and a load that counts what became of it.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "apps/backend_clients.h"
#include "gateway/backends/backends.h"

namespace pawsight::house {

inline gateway::EndpointConfig Http(std::string address, std::string credential = "") {
  return {"http", std::move(address), std::move(credential)};
}
inline gateway::EndpointConfig Grpc(std::string address) { return {"grpc", std::move(address), ""}; }

inline gateway::PoolConfig PoolOf(std::string name, std::vector<gateway::EndpointConfig> endpoints) {
  gateway::PoolConfig pool;
  pool.name = std::move(name);
  pool.endpoints = std::move(endpoints);
  pool.endpoint_in_flight = 512;
  return pool;
}

inline gateway::Inquiry Asking(const std::string& image, std::vector<std::string> questions,
                               std::chrono::milliseconds limit = std::chrono::seconds(20)) {
  gateway::Inquiry inquiry;
  inquiry.frame_id = "frm_1";
  inquiry.encoded = std::make_shared<const std::vector<uint8_t>>(image.begin(), image.end());
  inquiry.questions = std::move(questions);
  inquiry.deadline = std::chrono::steady_clock::now() + limit;
  return inquiry;
}

class Fleet {
 public:
  explicit Fleet(std::map<std::string, BackendCredential> credentials = {}, BackendClients::Embedded embedded = nullptr,
                 gateway::BackendsOptions options = Quick())
      : clients_(std::move(credentials), std::move(embedded)),
        backends_(
            options, [this](const gateway::EndpointConfig& e) { return clients_.Make(e); }, clock_) {}

  /// Health is decided fast, so that a test need not wait.
  static gateway::BackendsOptions Quick() {
    gateway::BackendsOptions options;
    options.books.health.check_interval = std::chrono::milliseconds(50);
    options.books.health.first_pause = std::chrono::milliseconds(20);
    options.books.health.max_pause = std::chrono::milliseconds(200);
    return options;
  }

  gateway::Backends& backends() { return backends_; }
  void Set(std::vector<gateway::PoolConfig> pools, gateway::RoutingConfig routing) {
    const Status set = backends_.Set({std::move(pools)}, routing);
    if (!set.ok()) CheckFailed(__FILE__, __LINE__, set.message().c_str());
  }
  /// Until all of them are in that state.
  void AwaitAll(const std::string& state) const {
    for (;;) {
      bool all = true;
      const Json status = backends_.StatusJson();
      for (const Json& pool : status.Find("pools")->as_array()) {
        for (const Json& endpoint : pool.Find("endpoints")->as_array()) {
          all = all && endpoint.Find("state")->as_string() == state;
        }
      }
      if (all) return;
      std::this_thread::yield();
    }
  }
  std::string StateOf(size_t pool, size_t endpoint) const {
    const Json status = backends_.StatusJson();
    const Json& found = status.Find("pools")->as_array().at(pool).Find("endpoints")->as_array().at(endpoint);
    return found.Find("state")->as_string();
  }
  void Await(const std::string& state, size_t pool, size_t endpoint) const {
    while (StateOf(pool, endpoint) != state) std::this_thread::yield();
  }
  std::future<Result<gateway::Reply>> Begin(gateway::Inquiry inquiry) {
    auto promise = std::make_shared<std::promise<Result<gateway::Reply>>>();
    backends_.Ask(std::move(inquiry),
                  [promise](Result<gateway::Reply> reply) { promise->set_value(std::move(reply)); });
    return promise->get_future();
  }
  Result<gateway::Reply> Ask(const std::string& image, std::chrono::milliseconds limit = std::chrono::seconds(20)) {
    return Begin(Asking(image, {"a cat?", "a dog?"}, limit)).get();
  }

 private:
  const SystemClock clock_;
  BackendClients clients_;
  gateway::Backends backends_;
};

/// Keeps a number of inquiries in flight until it is stopped.
class Load {
 public:
  Load(gateway::Backends& backends, int in_flight) : backends_(backends) {
    for (int n = 0; n < in_flight; ++n) Next();
  }
  ~Load() { Stop(); }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void Stop() {
    stopping_ = true;
    while (num_running_ > 0) std::this_thread::yield();
  }
  void AwaitDone(int count) const {
    while (num_done < count) std::this_thread::yield();
  }

  std::atomic<int> num_done{0}, num_failed{0}, num_foreign{0};

 private:
  void Next() {
    ++num_running_;
    const std::string image = "f" + std::to_string(next_++);
    const std::string question = "is " + image + " there?";
    backends_.Ask(Asking(image, {question, "and else?"}), [this, image, question](const Result<gateway::Reply>& reply) {
      if (!reply.ok()) {
        ++num_failed;
      } else if (!reply->answers[0].text.ends_with(image + ": " + question) ||
                 !reply->answers[1].text.ends_with(image + ": and else?") || reply->answers[0].question != question) {
        ++num_foreign;
      }
      ++num_done;
      if (!stopping_) Next();
      --num_running_;
    });
  }

  gateway::Backends& backends_;
  std::atomic<int> next_{0};
  std::atomic<int> num_running_{0};
  std::atomic<bool> stopping_{false};
};

}  // namespace pawsight::house
