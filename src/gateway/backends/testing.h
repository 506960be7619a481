// gateway/backends/testing.h: clients that do as a test says, without a network. Thread-safe.
#pragma once

#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "client/inference_client.h"
#include "gateway/backend.h"
#include "gateway/backends/backends.h"

namespace pawsight::gateway::testing {

/// p_yes is `p_yes` for every question; the answer says who answered what: "name|image|question".
inline protocol::InferResponse EchoAnswer(const std::string& name, const protocol::InferRequest& request,
                                          float p_yes = 0.9F) {
  protocol::InferResponse response{request.model, "1", {}, {}};
  std::vector<std::string> texts;
  const std::string image(request.Find("image")->elements.at(0));
  for (const std::string_view question : request.Find("question")->elements) {
    texts.push_back(name + "|" + image + "|" + std::string(question));
  }
  const std::vector<float> yes(texts.size(), p_yes);
  const auto count = static_cast<int64_t>(texts.size());
  response.outputs.push_back(protocol::BytesOutput("answer", {1, count}, std::move(texts)));
  response.outputs.push_back(protocol::Fp32Output("p_yes", {1, count}, yes));
  return response;
}

/// Answers at once, on the caller's thread, by `act`; or keeps calls until they are taken.
class FakeClient : public client::InferenceClient {
 public:
  using Act = std::function<client::InferResult(const protocol::InferRequest&)>;
  struct Kept {
    std::shared_ptr<const protocol::InferRequest> request;
    Done done;
  };

  explicit FakeClient(std::string name) : name_(std::move(name)) {}
  ~FakeClient() override {
    for (Kept& kept : kept_) kept.done({Cancelled("closed"), false, {}});
  }

  /// Null: echoes.
  void SetAct(Act act) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    act_ = std::move(act);
  }
  void Keep(bool keep) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    keep_ = keep;
  }
  /// The oldest that is kept; `request` null: there is none.
  Kept Take() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (kept_.empty()) return {};
    Kept kept = std::move(kept_.front());
    kept_.pop_front();
    return kept;
  }
  int num_calls() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return num_calls_;
  }
  void SetReady(Status ready) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    ready_ = std::move(ready);
  }

  CallId Infer(std::shared_ptr<const protocol::InferRequest> request, client::Deadline, Done done) override
      EXCLUDES(mu_) {
    Act act;
    {
      MutexLock lock(mu_);
      ++num_calls_;
      if (keep_) {
        kept_.push_back({std::move(request), std::move(done)});
        return 0;
      }
      act = act_;
    }
    done(act ? act(*request) : client::InferResult{EchoAnswer(name_, *request), true, {}});
    return 0;
  }
  void Cancel(CallId) override {}
  void CheckReady(client::Deadline, std::function<void(Status)> done) override EXCLUDES(mu_) {
    Status ready;
    {
      MutexLock lock(mu_);
      ready = ready_;
    }
    done(std::move(ready));
  }
  void GetMetadata(const std::string&, client::Deadline,
                   std::function<void(Result<protocol::ModelMetadata>)> done) override {
    done(NotFound("none"));
  }

 private:
  const std::string name_;
  mutable Mutex mu_;
  Act act_ GUARDED_BY(mu_);
  bool keep_ GUARDED_BY(mu_) = false;
  std::deque<Kept> kept_ GUARDED_BY(mu_);
  int num_calls_ GUARDED_BY(mu_) = 0;
  Status ready_ GUARDED_BY(mu_);
};

inline client::InferResult Refused() { return {ResourceExhausted("full"), false, {}}; }
inline client::InferResult Unreachable() { return {Unavailable("cannot connect"), false, {}}; }
inline client::InferResult Broken() { return {Unavailable("the connection broke"), true, {}}; }

/// A pool of "http" endpoints by address.
inline PoolConfig PoolOf(const std::string& name, const std::vector<std::string>& addresses) {
  PoolConfig pool;
  pool.name = name;
  for (const std::string& address : addresses) pool.endpoints.push_back({"http", address, ""});
  return pool;
}

inline Inquiry Asking(const std::string& image, std::vector<std::string> questions = {"a cat?"},
                      std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max()) {
  Inquiry inquiry;
  inquiry.frame_id = "frm_" + image;
  inquiry.encoded = std::make_shared<const std::vector<uint8_t>>(image.begin(), image.end());
  inquiry.questions = std::move(questions);
  inquiry.deadline = deadline;
  return inquiry;
}

}  // namespace pawsight::gateway::testing
