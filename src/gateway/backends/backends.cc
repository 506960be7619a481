#include "gateway/backends/backends.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "gateway/backends/inquiry_codec.h"
#include "gateway/backends/status.h"

namespace pawsight::gateway {
namespace {

using client::InferenceClient;
using client::InferResult;
using std::chrono::steady_clock;

client::Deadline At(Nanos monotonic) {
  return client::Deadline(std::chrono::duration_cast<steady_clock::duration>(monotonic));
}

/// Given and shadow answers of one inquiry, until both are there. Guarded by State's lock.
struct Comparison {
  std::shared_ptr<Pool> pool;  // the shadow's
  std::optional<std::vector<double>> given, shadow;
  Nanos given_took{0}, shadow_took{0};
};

std::vector<double> YesOf(const std::vector<Answer>& answers) {
  std::vector<double> p_yes;
  p_yes.reserve(answers.size());
  for (const Answer& answer : answers) p_yes.push_back(answer.p_yes);
  return p_yes;
}

/// What a client's result is to the books and to the inquiry.
struct Judged {
  Attempt how = Attempt::kFailed;
  Result<std::vector<Answer>> answers;  // or the error, in the seam's codes
  std::string model_version;
  std::optional<Nanos> retry_after;
  bool may_go_on = false;  // to another endpoint
  std::string why;         // for people
};

Attempt HowItEnded(const Status& status, bool may_have_run) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return Attempt::kUnfit;
    case StatusCode::kResourceExhausted:
      return may_have_run ? Attempt::kFailed : Attempt::kRefused;
    case StatusCode::kDeadlineExceeded:
      return Attempt::kLate;
    case StatusCode::kCancelled:
      return Attempt::kGivenUp;
    case StatusCode::kOk:
    case StatusCode::kUnknown:
    case StatusCode::kNotFound:
    case StatusCode::kAlreadyExists:
    case StatusCode::kPermissionDenied:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kAborted:
    case StatusCode::kOutOfRange:
    case StatusCode::kUnimplemented:
    case StatusCode::kInternal:
    case StatusCode::kUnavailable:
    case StatusCode::kDataLoss:
    case StatusCode::kUnauthenticated:
      return Attempt::kFailed;
  }
  CHECK(false);
}

Status ToSeam(const Status& status, Attempt how) {
  switch (how) {
    case Attempt::kUnfit:
      return status;
    case Attempt::kRefused:
      return ResourceExhausted(status.message(), "backends_full");
    case Attempt::kLate:
      return DeadlineExceeded(status.message(), "backend_late");
    case Attempt::kAnswered:
    case Attempt::kFailed:
    case Attempt::kGivenUp:
      return Unavailable(status.message(), "backend_failed");
  }
  CHECK(false);
}

Judged Judge(const Inquiry& inquiry, InferResult result) {
  Result<std::vector<Answer>> answers = result.response.ok() ? ToAnswers(inquiry, *result.response)
                                                             : Result<std::vector<Answer>>(result.response.status());
  if (answers.ok()) return {Attempt::kAnswered, std::move(answers), result.response->version, {}, false, {}};
  const bool may_have_run = result.response.ok() || result.may_have_run;
  const Status& status = answers.status();
  const Attempt how = HowItEnded(status, may_have_run);
  // The model's own word about the frame is final; what was refused or never left may be asked elsewhere.
  const bool may_go_on = !may_have_run && how != Attempt::kUnfit && how != Attempt::kGivenUp;
  return {how, ToSeam(status, how), {}, result.retry_after, may_go_on, status.ToString()};
}

}  // namespace

class Backends::State : public std::enable_shared_from_this<Backends::State> {
 public:
  State(const BackendsOptions& options, const Clock& clock) : options_(options), clock_(clock), books_(options.books) {}

  void Ask(Inquiry inquiry, std::function<void(Result<Reply>)> done) {
    const auto work = std::make_shared<Work>();
    work->inquiry = std::move(inquiry);
    work->done = std::move(done);
    work->asked = clock_.Monotonic();
    if (Status admitted = Admit(*work); !admitted.ok()) {
      Count(admitted);
      return std::exchange(work->done, nullptr)(std::move(admitted));
    }
    Try(work, Ok());
  }

  std::vector<std::pair<std::string, EndpointConfig>> Missing(const PoolsConfig& pools) const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return books_.Missing(pools);
  }
  void Apply(const PoolsConfig& pools, const RoutingConfig& routing, const Books::Clients& clients) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    books_.Apply(pools, routing, clients, clock_.Monotonic());
    changed_.NotifyAll();
  }

  /// The thread: sends probes when they are due, closes what is drained.
  void Run() EXCLUDES(mu_) {
    for (;;) {
      std::vector<Ticket> probes;
      std::vector<std::shared_ptr<InferenceClient>> closable;  // die here, on no thread of their own, outside the lock
      {
        MutexLock lock(mu_);
        const auto due = [&]() REQUIRES(mu_) {
          probes = books_.TakeProbes(clock_.Monotonic());
          closable = books_.TakeClosable();
          return stopping_ || !probes.empty() || !closable.empty();
        };
        while (!due()) clock_.WaitUntil(mu_, changed_, books_.NextProbeAt());
        if (stopping_) return;  // probes that were taken are never sent; nothing asks any more
      }
      if (!closable.empty()) LogInfo("backends_drained", {{"count", std::to_string(closable.size())}});
      closable.clear();
      for (const Ticket& probe : probes) SendProbe(probe);
    }
  }

  /// No more is taken, what runs is given up.
  void BeginStop() EXCLUDES(mu_) {
    std::vector<std::shared_ptr<InferenceClient>> clients;  // die outside the lock
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.NotifyAll();
    for (const auto& pool : books_.pools()) {
      for (const auto& endpoint : pool->endpoints) clients.push_back(std::move(endpoint->client));
    }
    for (const auto& endpoint : books_.leaving()) clients.push_back(std::move(endpoint->client));
  }
  /// Waits until everything has ended, with its callbacks.
  void EndStop() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    while (in_flight_ > 0 || num_shadows_ > 0 || num_probes_ > 0) changed_.Wait(mu_);
  }

  Json StatusJson() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    books_.Accrue(clock_.Monotonic());
    return BooksToJson(books_, Now());
  }
  std::string Metrics() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    books_.Accrue(clock_.Monotonic());
    return BooksToMetrics(books_, Now());
  }
  bool HasHealthyEndpoint() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    for (const auto& pool : books_.pools()) {
      if (pool->weight == 0) continue;
      for (const auto& endpoint : pool->endpoints) {
        if (endpoint->health.state() == HealthState::kHealthy) return true;
      }
    }
    return false;
  }
  size_t num_leaving() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return books_.num_leaving();
  }
  size_t num_in_flight() const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return in_flight_;
  }

 private:
  /// One inquiry.
  struct Work {
    Inquiry inquiry;
    std::function<void(Result<Reply>)> done;
    Nanos asked{0};
    Journey journey;  // used by whoever has the inquiry in hand, under the lock
    std::shared_ptr<Comparison> comparison;
  };

  BackendsNow Now() const REQUIRES(mu_) {
    return {counts_, in_flight_, options_.max_in_flight, bytes_, options_.max_bytes_in_flight};
  }

  Status Admit(Work& work) EXCLUDES(mu_) {
    PAWSIGHT_RETURN_IF_ERROR(CheckInquiry(work.inquiry));
    if (At(work.asked) >= work.inquiry.deadline) return DeadlineExceeded("the deadline has passed", "deadline_passed");
    const size_t bytes = work.inquiry.encoded->size();
    MutexLock lock(mu_);
    if (stopping_) return Unavailable("the gateway is stopping", "stopping");
    if (in_flight_ >= options_.max_in_flight || bytes_ + bytes > options_.max_bytes_in_flight) {
      return ResourceExhausted("too many inquiries are in flight", "backends_full");
    }
    ++in_flight_;
    bytes_ += bytes;
    work.journey = books_.Begin();
    return Ok();
  }

  void Try(const std::shared_ptr<Work>& work, const Status& last) EXCLUDES(mu_) {
    Result<Ticket> ticket = Unavailable("the gateway is stopping", "stopping");
    std::optional<Ticket> shadow;
    {
      MutexLock lock(mu_);
      const Nanos now = clock_.Monotonic();
      if (!stopping_) {
        const bool first = work->journey.tried.empty();
        ticket = books_.Next(work->journey, now);
        const bool shed = static_cast<double>(in_flight_ + num_shadows_) >=
                          options_.shadow_below * static_cast<double>(options_.max_in_flight);
        if (first && ticket.ok()) shadow = books_.NextShadow(shed, now);
        if (shadow) ++num_shadows_;
      }
    }
    if (!ticket.ok()) {
      // What the last endpoint said tells more than that there is no other.
      return Finish(work, last.ok() ? ticket.status() : Annotate(last, "no other backend could take over"));
    }
    if (shadow) work->comparison = std::make_shared<Comparison>(Comparison{shadow->pool, {}, {}, {}, {}});
    const std::shared_ptr<Comparison> comparison = work->comparison;
    Send(work, *ticket);
    if (shadow) SendShadow(work, *shadow, comparison);
  }

  std::shared_ptr<InferenceClient> ClientOf(const Ticket& ticket) const EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return ticket.endpoint->client;
  }

  void Send(const std::shared_ptr<Work>& work, const Ticket& ticket) {
    SendTo(ticket, std::shared_ptr<const Inquiry>(work, &work->inquiry), work->inquiry.deadline,
           [self = shared_from_this(), work, ticket](InferResult result) {
             self->OnResult(work, ticket, Judge(work->inquiry, std::move(result)));
           });
  }

  void SendTo(const Ticket& ticket, std::shared_ptr<const Inquiry> inquiry, client::Deadline deadline,
              InferenceClient::Done done) EXCLUDES(mu_) {
    const std::shared_ptr<InferenceClient> client = ClientOf(ticket);
    if (client == nullptr) return done({Cancelled("the gateway is stopping"), false, {}});
    client->Infer(ToRequest(std::move(inquiry), ticket.model), std::min(deadline, At(ticket.start + ticket.limit)),
                  std::move(done));
  }

  void OnResult(const std::shared_ptr<Work>& work, const Ticket& ticket, Judged judged) EXCLUDES(mu_) {
    const Nanos now = clock_.Monotonic();
    bool ejected = false;
    {
      MutexLock lock(mu_);
      ejected = books_.End(ticket, judged.how, judged.retry_after, judged.why, now);
      if (judged.how == Attempt::kRefused) work->journey.met_full = true;
      if (judged.answers.ok()) books_.Answered(*ticket.pool, judged.answers->size(), false);
      if (ejected || ticket.endpoint->removed) changed_.NotifyAll();  // the thread has a probe to plan, or to close it
    }
    if (ejected) LogEjected(ticket, judged.why);
    if (!judged.answers.ok()) {
      if (judged.may_go_on && At(now) < work->inquiry.deadline) return Try(work, judged.answers.status());
      return Finish(work, judged.answers.status());
    }
    if (work->comparison) Compare(*work->comparison, true, YesOf(*judged.answers), now - ticket.start);
    Finish(work, Reply{*std::move(judged.answers), ticket.pool->name, ticket.endpoint->config.name(),
                       std::move(judged.model_version), now - work->asked});
  }

  void Finish(const std::shared_ptr<Work>& work, Result<Reply> result) EXCLUDES(mu_) {
    Count(result.ok() ? Ok() : result.status());
    std::exchange(work->done, nullptr)(std::move(result));
    MutexLock lock(mu_);
    --in_flight_;
    bytes_ -= work->inquiry.encoded->size();
    if (stopping_) changed_.NotifyAll();
  }

  void Count(const Status& status) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (status.ok()) {
      ++counts_.answered;
    } else if (status.code() == StatusCode::kInvalidArgument) {
      ++counts_.unfit;
    } else if (status.code() == StatusCode::kResourceExhausted) {
      ++counts_.full;
    } else if (status.code() == StatusCode::kDeadlineExceeded) {
      ++counts_.late;
    } else {
      ++counts_.unavailable;
    }
  }

  void SendShadow(const std::shared_ptr<Work>& work, const Ticket& ticket,
                  const std::shared_ptr<Comparison>& comparison) {
    SendTo(ticket, std::shared_ptr<const Inquiry>(work, &work->inquiry), work->inquiry.deadline,
           [self = shared_from_this(), work, ticket, comparison](InferResult result) {
             self->OnShadow(ticket, comparison, Judge(work->inquiry, std::move(result)));
           });
  }

  void OnShadow(const Ticket& ticket, const std::shared_ptr<Comparison>& comparison, Judged judged) EXCLUDES(mu_) {
    const Nanos now = clock_.Monotonic();
    bool ejected = false;
    {
      MutexLock lock(mu_);
      ejected = books_.End(ticket, judged.how, judged.retry_after, judged.why, now);
      if (judged.answers.ok()) {
        books_.Answered(*ticket.pool, judged.answers->size(), true);
      } else {
        ++ticket.pool->shadow.failed;
      }
      if (ejected) changed_.NotifyAll();
    }
    if (ejected) LogEjected(ticket, judged.why);
    if (judged.answers.ok()) Compare(*comparison, false, YesOf(*judged.answers), now - ticket.start);
    MutexLock lock(mu_);
    --num_shadows_;
    if (stopping_ || ticket.endpoint->removed) changed_.NotifyAll();
  }

  /// Takes one side; with both there the difference goes to the shadow's pool.
  void Compare(Comparison& comparison, bool given, std::vector<double> p_yes, Nanos took) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    (given ? comparison.given : comparison.shadow) = std::move(p_yes);
    (given ? comparison.given_took : comparison.shadow_took) = took;
    if (!comparison.given || !comparison.shadow) return;
    CompareShadow(*comparison.given, *comparison.shadow,
                  std::chrono::duration<double>(comparison.shadow_took - comparison.given_took).count(),
                  &comparison.pool->shadow);
  }

  void SendProbe(const Ticket& ticket) EXCLUDES(mu_) {
    {
      MutexLock lock(mu_);
      ++num_probes_;
    }
    const client::Deadline deadline = At(ticket.start + ticket.limit);
    if (options_.canary) {
      auto inquiry = std::make_shared<Inquiry>();
      inquiry->encoded = options_.canary->encoded;
      inquiry->questions = options_.canary->questions;
      const std::shared_ptr<const Inquiry> canary = inquiry;
      return SendTo(ticket, canary, deadline, [self = shared_from_this(), ticket, canary](InferResult result) {
        self->OnCanary(ticket, Judge(*canary, std::move(result)));
      });
    }
    const std::shared_ptr<InferenceClient> client = ClientOf(ticket);
    if (client == nullptr) return OnProbe(ticket, Books::Probe::kGivenUp, "");
    client->CheckReady(deadline, [self = shared_from_this(), ticket](const Status& status) {
      const bool given_up = status.code() == StatusCode::kCancelled;
      self->OnProbe(ticket,
                    status.ok() ? Books::Probe::kAnswered
                    : given_up  ? Books::Probe::kGivenUp
                                : Books::Probe::kFailed,
                    status.ToString());
    });
  }

  void OnCanary(const Ticket& ticket, const Judged& judged) {
    // A full endpoint is a healthy one: refusing is what it should do.
    if (judged.how == Attempt::kRefused) return OnProbe(ticket, Books::Probe::kAnswered, "");
    if (judged.how == Attempt::kGivenUp) return OnProbe(ticket, Books::Probe::kGivenUp, "");
    if (!judged.answers.ok()) return OnProbe(ticket, Books::Probe::kFailed, judged.why);
    const std::vector<double> p_yes = YesOf(*judged.answers);
    for (size_t i = 0; i < p_yes.size(); ++i) {
      if ((p_yes[i] >= 0.5) == options_.canary->yes[i]) continue;
      return OnProbe(ticket, Books::Probe::kWrong, "a canary's answer is wrong");
    }
    OnProbe(ticket, Books::Probe::kAnswered, "");
  }

  void OnProbe(const Ticket& ticket, Books::Probe how, const std::string& why) EXCLUDES(mu_) {
    Books::Change change = Books::Change::kNone;
    {
      MutexLock lock(mu_);
      change = books_.EndProbe(ticket, how, why, clock_.Monotonic());
    }
    if (change == Books::Change::kEjected) LogEjected(ticket, why);
    if (change == Books::Change::kHealthy) {
      LogInfo("backend_healthy", {{"pool", ticket.pool->name}, {"endpoint", ticket.endpoint->config.name()}});
    }
    MutexLock lock(mu_);
    --num_probes_;
    changed_.NotifyAll();
  }

  static void LogEjected(const Ticket& ticket, const std::string& why) {
    LogWarning(
        "backend_ejected",
        {{"pool", ticket.pool->name}, {"endpoint", ticket.endpoint->config.name()}, {"reason", why.substr(0, 200)}});
  }

  const BackendsOptions options_;
  const Clock& clock_;
  mutable Mutex mu_;
  CondVar changed_;
  Books books_ GUARDED_BY(mu_);
  InquiryCounts counts_ GUARDED_BY(mu_);
  size_t in_flight_ GUARDED_BY(mu_) = 0;
  size_t bytes_ GUARDED_BY(mu_) = 0;
  size_t num_shadows_ GUARDED_BY(mu_) = 0;
  size_t num_probes_ GUARDED_BY(mu_) = 0;  // sent
  bool stopping_ GUARDED_BY(mu_) = false;
};

Backends::Backends(const BackendsOptions& options, ClientFactory factory, const Clock& clock)
    : factory_(std::move(factory)), state_(std::make_shared<State>(options, clock)) {
  CHECK(!options.canary || (options.canary->questions.size() == options.canary->yes.size()));
  thread_ = std::thread([state = state_] { state->Run(); });
}

Backends::~Backends() {
  state_->BeginStop();
  thread_.join();
  state_->EndStop();
}

void Backends::Ask(Inquiry inquiry, std::function<void(Result<Reply>)> done) {
  state_->Ask(std::move(inquiry), std::move(done));
}

Status Backends::SetPools(const PoolsConfig& pools) {
  MutexLock lock(change_mu_);
  return Change(pools, routing_);
}

Status Backends::SetRouting(const RoutingConfig& routing) {
  MutexLock lock(change_mu_);
  return Change(pools_, routing);
}

Status Backends::Set(const PoolsConfig& pools, const RoutingConfig& routing) {
  MutexLock lock(change_mu_);
  return Change(pools, routing);
}

void Backends::RenewCredentials() {
  MutexLock lock(change_mu_);
  ++generation_;
}

Status Backends::Change(PoolsConfig pools, const std::optional<RoutingConfig>& routing) {
  if (routing) PAWSIGHT_RETURN_IF_ERROR(CheckRouting(*routing, pools));
  for (PoolConfig& pool : pools.pools) {
    for (EndpointConfig& endpoint : pool.endpoints) endpoint.generation = endpoint.credential.empty() ? 0 : generation_;
  }
  Books::Clients clients;
  for (const auto& [pool, endpoint] : state_->Missing(pools)) {
    Result<std::shared_ptr<InferenceClient>> client = factory_(endpoint);
    if (!client.ok()) return Annotate(client.status(), "pool " + pool + ", endpoint " + endpoint.name());
    clients.emplace(std::pair(pool, endpoint.name()), *std::move(client));
  }
  state_->Apply(pools, routing.value_or(RoutingConfig{}), clients);
  pools_ = std::move(pools);
  routing_ = routing;
  return Ok();
}

Json Backends::StatusJson() const { return state_->StatusJson(); }
std::string Backends::Metrics() const { return state_->Metrics(); }
bool Backends::HasHealthyEndpoint() const { return state_->HasHealthyEndpoint(); }
size_t Backends::num_leaving() const { return state_->num_leaving(); }
size_t Backends::num_in_flight() const { return state_->num_in_flight(); }

}  // namespace pawsight::gateway
