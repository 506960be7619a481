#include "notify/lookup.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <list>
#include <map>
#include <thread>

#include "base/mutex.h"

namespace pawsight::notify {

namespace {
constexpr size_t kMaxAddresses = 64;
}  // namespace

Result<std::vector<IpAddress>> SystemResolver::Resolve(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  if (const int error = getaddrinfo(name.c_str(), nullptr, &hints, &list); error != 0)
    return Unavailable(std::string("the receiver's name was not found: ") + gai_strerror(error));
  std::vector<IpAddress> addresses;
  bool too_many = false;
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    const auto address = IpAddress::FromSockaddr(each->ai_addr);
    if (!address.ok() || std::find(addresses.begin(), addresses.end(), *address) != addresses.end()) continue;
    addresses.push_back(*address);
    too_many = addresses.size() > kMaxAddresses;
    if (too_many) break;
  }
  freeaddrinfo(list);
  if (too_many) {
    return PermissionDenied("the receiver's name has more than " + std::to_string(kMaxAddresses) + " addresses",
                            "address_refused");
  }
  if (addresses.empty()) return Unavailable("the receiver's name has no address");
  return addresses;
}

/// Outlives the Lookup for as long as a thread is in the resolver.
struct Lookup::State {
  struct Question {
    std::string name;
    std::string owner;
    Done done;
  };

  State(std::shared_ptr<Resolver> its_resolver, const LookupOptions& its_options)
      : resolver(std::move(its_resolver)), options(its_options) {}

  const std::shared_ptr<Resolver> resolver;
  const LookupOptions options;
  Mutex mu;
  bool closing GUARDED_BY(mu) = false;
  int num_threads GUARDED_BY(mu) = 0;
  std::list<Question> waiting GUARDED_BY(mu);
  std::list<Question> running GUARDED_BY(mu);

  int NumRunning(const std::string& owner) REQUIRES(mu) {
    return static_cast<int>(
        std::count_if(running.begin(), running.end(), [&](const Question& each) { return each.owner == owner; }));
  }

  /// Moves the first question whose owner has a thread left to `running`; its place, or the end.
  std::list<Question>::iterator Take() REQUIRES(mu) {
    for (auto each = waiting.begin(); each != waiting.end(); ++each) {
      if (NumRunning(each->owner) >= options.threads_an_owner) continue;
      running.splice(running.begin(), waiting, each);
      return running.begin();
    }
    return running.end();
  }
};

namespace {

/// One thread: asks until there is nothing it may ask.
template <typename State>
void Work(const std::shared_ptr<State>& state) {
  while (true) {
    state->mu.Lock();
    const auto question = state->closing ? state->running.end() : state->Take();
    if (question == state->running.end()) {
      --state->num_threads;
      state->mu.Unlock();
      return;
    }
    const std::string name = question->name;
    state->mu.Unlock();
    Result<std::vector<IpAddress>> addresses = state->resolver->Resolve(name);
    state->mu.Lock();
    if (state->closing) {  // the destructor has ended all of them
      --state->num_threads;
      state->mu.Unlock();
      return;
    }
    Lookup::Done done = std::move(question->done);
    state->running.erase(question);
    state->mu.Unlock();
    done(std::move(addresses));
  }
}

}  // namespace

Lookup::Lookup(std::shared_ptr<Resolver> resolver, const LookupOptions& options)
    : state_(std::make_shared<State>(std::move(resolver), options)) {}

Lookup::~Lookup() {
  std::list<State::Question> ended;
  {
    MutexLock lock(state_->mu);
    state_->closing = true;
    ended.splice(ended.end(), state_->waiting);
    ended.splice(ended.end(), state_->running);
  }
  for (const State::Question& question : ended) question.done(Cancelled("closing"));
}

void Lookup::Find(const Host& host, const std::string& owner, Done done) {
  if (host.is_address) {
    auto address = IpAddress::Parse(host.name);
    if (!address.ok()) return done(address.status());
    return done(std::vector<IpAddress>{*address});
  }
  bool start = false;
  {
    MutexLock lock(state_->mu);
    if (state_->waiting.size() < state_->options.max_waiting) {
      start = state_->num_threads < state_->options.threads;
      if (start) ++state_->num_threads;
      state_->waiting.push_back({host.name, owner, std::move(done)});
      done = nullptr;
    }
  }
  if (done != nullptr) return done(ResourceExhausted("too many names are being looked up"));
  // A thread that hangs in the resolver cannot be ended; detached, it holds what it needs.
  if (start) std::thread([state = state_] { Work(state); }).detach();
}

}  // namespace pawsight::notify
