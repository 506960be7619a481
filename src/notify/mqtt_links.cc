#include "notify/mqtt_links.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <set>
#include <thread>
#include <variant>

#include "base/mutex.h"
#include "notify/broken_pipe.h"
#include "notify/mqtt_connection.h"

namespace pawsight::notify {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Done = std::function<void(Outcome)>;
using Publications = std::vector<MqttPublication>;

constexpr milliseconds kTick{1000};
constexpr milliseconds kWriteWhileConnecting{20};  // a handshake that waits for the broker always "wants to write"

struct Opened {
  std::string owner;
  MqttConfig config;
  std::string client_id;
  std::shared_ptr<std::atomic<bool>> connected;
};
struct Closed {};
struct Published {
  Publications publications;
  Done done;
};
struct Born {
  Publications publications;
};
struct Found {
  Result<std::vector<IpAddress>> addresses;
};
/// What is left for the links' thread about a link.
struct Mail {
  uint64_t link;
  std::variant<Opened, Closed, Published, Born, Found> what;
};

/// What is left for the links' thread; shared with handles and lookups, which may outlive it.
class Box {
 public:
  Box() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) { CHECK(wake_ >= 0); }
  ~Box() { close(wake_); }
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  void Put(Mail mail) EXCLUDES(mu_) {
    {
      MutexLock lock(mu_);
      if (!closed_) {
        mail_.push_back(std::move(mail));
        Wake();
        return;
      }
    }
    if (auto* published = std::get_if<Published>(&mail.what)) published->done(Failed("closing"));
  }
  void Close() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    closed_ = true;
    Wake();
  }
  /// False when the thread is to end; `mail` is what came till then.
  bool Take(std::deque<Mail>& mail) EXCLUDES(mu_) {
    uint64_t count = 0;
    (void)!read(wake_, &count, sizeof count);  // empties it; nothing to read is fine too
    MutexLock lock(mu_);
    mail.swap(mail_);
    return !closed_;
  }
  int descriptor() const { return wake_; }

 private:
  void Wake() {
    const uint64_t one = 1;
    (void)!write(wake_, &one, sizeof one);  // full: it is awake already
  }
  const int wake_;
  Mutex mu_;
  bool closed_ GUARDED_BY(mu_) = false;
  std::deque<Mail> mail_ GUARDED_BY(mu_);
};

class Handle : public MqttLink {
 public:
  Handle(std::shared_ptr<Box> box, uint64_t link, std::shared_ptr<std::atomic<bool>> connected)
      : box_(std::move(box)), link_(link), connected_(std::move(connected)) {}
  ~Handle() override { box_->Put({link_, Closed{}}); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  void Publish(Publications publications, Done done) override {
    box_->Put({link_, Published{std::move(publications), std::move(done)}});
  }
  void SetBirth(Publications publications) override { box_->Put({link_, Born{std::move(publications)}}); }
  bool connected() const override { return *connected_; }

 private:
  const std::shared_ptr<Box> box_;
  const uint64_t link_;
  const std::shared_ptr<std::atomic<bool>> connected_;
};

/// A message until the broker has acknowledged all of it.
struct Delivery {
  Publications publications;
  Done done;
  steady_clock::time_point deadline;
  std::set<int> unacknowledged;
};

/// One link's state; the links' thread's own.
class Link : public MqttConnection::Listener {
 public:
  Link(Opened opened, const MqttOptions& options) : opened_(std::move(opened)), options_(options) {}
  ~Link() override {
    Lose(Unavailable("closing"));
    FailAll("closing");
  }

  const std::string& owner() const { return opened_.owner; }
  const Host& host() const { return opened_.config.host; }
  MqttConnection* connection() const { return connection_.get(); }

  void Add(Published published, steady_clock::time_point now) {
    if (waiting_.size() + sent_.size() >= options_.max_waiting)
      return published.done(Failed("too many messages wait for the broker"));
    waiting_.push_back({std::move(published.publications), std::move(published.done), now + options_.timeout, {}});
    next_try_ = std::min(next_try_, last_try_ + options_.reconnect_first);  // there is something to say
    SendWaiting();
  }

  void SetBirth(Publications publications) {
    birth_ = std::move(publications);
    if (connection_ != nullptr && connection_->connected()) SendBirth();
  }

  /// Time to look the name up and connect.
  bool IsDue(steady_clock::time_point now) const { return !looking_up_ && connection_ == nullptr && next_try_ <= now; }
  void StartLookup(steady_clock::time_point now) {
    looking_up_ = true;
    last_try_ = now;
    deadline_ = now + options_.timeout;
  }
  void OnFound(const Result<std::vector<IpAddress>>& addresses) {
    if (!looking_up_) return;  // it came too late
    looking_up_ = false;
    if (Status status = addresses.ok() ? Connect(*addresses) : addresses.status(); !status.ok()) Lose(status);
  }

  /// What poll said about the connection.
  void OnPolled(short events, steady_clock::time_point now) {
    Status status;
    if ((events & (POLLIN | POLLERR | POLLHUP)) != 0) status = connection_->Read();
    if (status.ok() && (events & POLLOUT) != 0) {
      status = connection_->Write();
      next_write_ = now + kWriteWhileConnecting;
    }
    if (!status.ok()) Lose(status);
  }

  void OnTick(steady_clock::time_point now) {
    if (connection_ != nullptr && now >= next_tick_) {
      next_tick_ = now + kTick;
      if (Status status = connection_->Tick(); !status.ok()) Lose(status);
    }
    const bool connecting = looking_up_ || (connection_ != nullptr && !connection_->connected());
    if (connecting && now >= deadline_) Lose(DeadlineExceeded("no answer from the broker in time"));
    // A broker that does not acknowledge is connected to anew, so that nothing old comes after something new.
    if (!sent_.empty() && sent_.front().deadline <= now)
      Lose(DeadlineExceeded("the broker did not acknowledge in time"));
    while (!waiting_.empty() && waiting_.front().deadline <= now) {
      Delivery late = std::move(waiting_.front());
      waiting_.pop_front();
      late.done(Failed("not connected to the broker: " + error_.message()));
    }
  }

  pollfd Poll(steady_clock::time_point now) const {
    const bool throttled = !connection_->connected() && now < next_write_;
    const bool write = connection_->WantsToWrite() && !throttled;
    return {connection_->descriptor(), static_cast<short>(POLLIN | (write ? POLLOUT : 0)), 0};
  }
  /// When OnTick or IsDue has something to do next.
  steady_clock::time_point Next(steady_clock::time_point now) const {
    auto next = connection_ == nullptr && !looking_up_ ? next_try_ : now + kTick;
    if (looking_up_ || (connection_ != nullptr && !connection_->connected())) next = std::min(next, deadline_);
    if (connection_ != nullptr && !connection_->connected() && connection_->WantsToWrite())
      next = std::min(next, std::max(now, next_write_));
    if (!sent_.empty()) next = std::min(next, sent_.front().deadline);
    if (!waiting_.empty()) next = std::min(next, waiting_.front().deadline);
    return next;
  }

  void OnConnected() override {
    *opened_.connected = true;
    num_failures_ = 0;
    (void)connection_->Publish(
        {MqttAvailabilityTopic(opened_.config), "online", true});  // a failure ends the connection
    SendBirth();
    SendWaiting();
  }

  void OnAcknowledged(int number) override {
    for (auto each = sent_.begin(); each != sent_.end(); ++each) {
      if (each->unacknowledged.erase(number) == 0) continue;
      if (!each->unacknowledged.empty()) return;
      const Delivery delivery = std::move(*each);
      sent_.erase(each);
      delivery.done(Delivered());
      return;
    }
  }

 private:
  Status Connect(const std::vector<IpAddress>& addresses) {
    PAWSIGHT_RETURN_IF_ERROR(CheckAddresses(addresses, options_.addresses));
    if (opened_.config.tls) {
      PAWSIGHT_ASSIGN_OR_RETURN(tls_, BrokerTls::Make(opened_.config.host, opened_.config.pins, options_.ca_file));
    }
    const IpAddress& address = addresses[static_cast<size_t>(num_failures_) % addresses.size()];
    PAWSIGHT_ASSIGN_OR_RETURN(connection_,
                              MqttConnection::Start(opened_.config, opened_.client_id, address, tls_.get(), *this));
    return Ok();
  }

  /// The connection is over: what was sent and not acknowledged has failed, what waits goes on waiting.
  void Lose(const Status& why) {
    connection_.reset();
    tls_.reset();
    looking_up_ = false;
    *opened_.connected = false;
    error_ = why;
    ++num_failures_;
    milliseconds wait = options_.reconnect_first;
    for (int i = 1; i < num_failures_ && wait < options_.reconnect_longest; ++i) wait *= 2;
    next_try_ = steady_clock::now() + std::min(wait, options_.reconnect_longest);
    std::deque<Delivery> sent;
    sent.swap(sent_);
    for (const Delivery& delivery : sent)
      delivery.done(Failed("the connection to the broker was lost: " + why.message()));
  }

  void FailAll(const std::string& why) {
    for (const Delivery& delivery : waiting_) delivery.done(Failed(why));
    waiting_.clear();
  }

  void SendBirth() {
    for (const MqttPublication& publication : birth_) (void)connection_->Publish(publication);  // as above
  }

  void SendWaiting() {
    while (!waiting_.empty() && connection_ != nullptr && connection_->connected()) {
      Delivery delivery = std::move(waiting_.front());
      waiting_.pop_front();
      Status status;
      for (const MqttPublication& publication : delivery.publications) {
        const Result<int> number = connection_->Publish(publication);
        if (!number.ok()) status = number.status();
        if (!number.ok()) break;
        delivery.unacknowledged.insert(*number);
      }
      if (status.ok()) {
        sent_.push_back(std::move(delivery));
        continue;
      }
      Outcome outcome = Failed(status.message());
      if (status.code() == StatusCode::kInvalidArgument) outcome.kind = Outcome::Kind::kRefused;
      delivery.done(outcome);
    }
  }

  Opened opened_;
  const MqttOptions& options_;
  std::unique_ptr<BrokerTls> tls_;
  std::unique_ptr<MqttConnection> connection_;
  bool looking_up_ = false;
  int num_failures_ = 0;
  Status error_ = Unavailable("not yet tried");
  steady_clock::time_point next_try_{}, last_try_{}, deadline_{}, next_tick_{}, next_write_{};
  Publications birth_;
  std::deque<Delivery> waiting_;  // not sent; the oldest first
  std::deque<Delivery> sent_;     // not wholly acknowledged
};

}  // namespace

class MqttLinks::Loop {
 public:
  Loop(Lookup& lookup, const MqttOptions& options) : lookup_(lookup), options_(options), box_(std::make_shared<Box>()) {
    thread_ = std::thread([this] { Run(); });
  }
  ~Loop() {
    box_->Close();
    thread_.join();
  }

  std::shared_ptr<MqttLink> Open(const std::string& id, const std::string& owner, const MqttConfig& config) {
    const auto connected = std::make_shared<std::atomic<bool>>(false);
    const uint64_t link = ++last_link_;
    box_->Put({link, Opened{owner, config, config.client_id.empty() ? "pawsight-" + id : config.client_id, connected}});
    return std::make_shared<Handle>(box_, link, connected);
  }

 private:
  void Run();
  void Open(Mail mail);
  void Poll();

  Lookup& lookup_;
  const MqttOptions options_;
  const std::shared_ptr<Box> box_;
  std::atomic<uint64_t> last_link_{0};
  std::map<uint64_t, std::unique_ptr<Link>> links_;  // the thread's own
  std::thread thread_;
};

void MqttLinks::Loop::Open(Mail mail) {
  if (auto* opened = std::get_if<Opened>(&mail.what)) {
    if (links_.size() < options_.max_links) links_[mail.link] = std::make_unique<Link>(std::move(*opened), options_);
    return;
  }
  const auto at = links_.find(mail.link);
  if (at == links_.end()) {
    if (auto* published = std::get_if<Published>(&mail.what)) published->done(Failed("too many brokers are connected"));
    return;
  }
  Link& link = *at->second;
  if (std::holds_alternative<Closed>(mail.what)) links_.erase(at);
  if (auto* published = std::get_if<Published>(&mail.what)) link.Add(std::move(*published), steady_clock::now());
  if (auto* born = std::get_if<Born>(&mail.what)) link.SetBirth(std::move(born->publications));
  if (auto* found = std::get_if<Found>(&mail.what)) link.OnFound(found->addresses);
}

void MqttLinks::Loop::Poll() {
  const auto now = steady_clock::now();
  auto next = now + std::chrono::minutes(1);
  std::vector<pollfd> polled = {{box_->descriptor(), POLLIN, 0}};
  std::vector<Link*> of;
  for (const auto& [number, link] : links_) {
    next = std::min(next, link->Next(now));
    if (link->connection() == nullptr || link->connection()->descriptor() < 0) continue;
    polled.push_back(link->Poll(now));
    of.push_back(link.get());
  }
  const auto wait = std::chrono::ceil<milliseconds>(next - now);
  (void)poll(polled.data(), polled.size(),
             static_cast<int>(std::clamp<int64_t>(wait.count(), 0, 60000)));  // or a signal
  for (size_t i = 0; i < of.size(); ++i) {
    if (polled[i + 1].revents != 0) of[i]->OnPolled(polled[i + 1].revents, steady_clock::now());
  }
}

void MqttLinks::Loop::Run() {
  BlockBrokenPipes();
  std::deque<Mail> mail;
  while (box_->Take(mail)) {
    for (Mail& each : mail) Open(std::move(each));
    mail.clear();
    const auto now = steady_clock::now();
    for (const auto& [number, link] : links_) {
      link->OnTick(now);
      if (!link->IsDue(now)) continue;
      link->StartLookup(now);
      lookup_.Find(link->host(), link->owner(), [box = box_, n = number](Result<std::vector<IpAddress>> addresses) {
        box->Put({n, Found{std::move(addresses)}});
      });
    }
    Poll();
  }
  for (Mail& each : mail) {
    if (auto* published = std::get_if<Published>(&each.what)) published->done(Failed("closing"));
  }
  links_.clear();
}

MqttLinks::MqttLinks(Lookup& lookup, const MqttOptions& options) : loop_(std::make_unique<Loop>(lookup, options)) {}
MqttLinks::~MqttLinks() = default;
std::shared_ptr<MqttLink> MqttLinks::Open(const std::string& id, const std::string& owner, const MqttConfig& config) {
  return loop_->Open(id, owner, config);
}

}  // namespace pawsight::notify
