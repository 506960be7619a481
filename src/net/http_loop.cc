#include "net/http_loop.h"

#include <algorithm>
#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "net/connection.h"
#include "net/http_reader.h"

namespace pawsight::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr size_t kReadBytes = 64U << 10U;       // at once; one buffer a thread, none a connection
constexpr size_t kReadAheadBytes = 16U << 10U;  // of requests to come, while one is answered
constexpr size_t kStreamWriteBytes = 64U << 10U;
constexpr size_t kMaxDrainedBytes = 1U << 20U;
constexpr std::chrono::seconds kDrainTimeout{2};
constexpr int kClientGone = 499;
constexpr std::chrono::milliseconds kSweepEvery{250};  // how late a time limit may be noticed

class Session;

/// Where other threads leave work for the loop; outlives it.
class Mailbox {
 public:
  explicit Mailbox(asio::io_context* io) : io_(io) {}
  template <typename Function>
  void Post(Function&& function) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (io_ != nullptr) asio::post(*io_, std::forward<Function>(function));
  }
  void Close() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    io_ = nullptr;
  }
  /// On the loop's thread.
  bool IsHere() const { return here == this; }
  void EnterThread() const { here = this; }

 private:
  inline static thread_local const Mailbox* here = nullptr;
  Mutex mu_;
  asio::io_context* io_ GUARDED_BY(mu_);
};

/// What the sessions of a loop share. Used by the loop's thread only, but the mailbox.
struct Shared {
  const HttpService& service;
  const HttpServerOptions& options;
  asio::io_context& io;
  std::shared_ptr<Mailbox> mailbox;
  std::unordered_map<Session*, std::shared_ptr<Session>> sessions;
  std::array<char, kReadBytes> scratch;
  bool stopping = false;
};

/// The promise of a response to one request of a session.
class Reply : public HttpResponder::Slot {
 public:
  Reply(std::shared_ptr<Mailbox> mailbox, std::weak_ptr<Session> session, std::stop_source gone,
        const HttpServerOptions& options)
      : mailbox_(std::move(mailbox)), session_(std::move(session)), gone_(std::move(gone)), refuse_(options.refuse) {}
  ~Reply() override {
    if (!answered_) Send(refuse_(500, "no_answer", "the request was given up"));
  }
  void Respond(HttpResponse response) override {
    CHECK(!answered_.exchange(true));
    Send(std::move(response));
  }
  std::stop_token Gone() const override { return gone_.get_token(); }

 private:
  void Send(HttpResponse response);

  const std::shared_ptr<Mailbox> mailbox_;
  const std::weak_ptr<Session> session_;
  const std::stop_source gone_;
  const decltype(HttpServerOptions::refuse) refuse_;
  std::atomic<bool> answered_{false};
};

/// One connection: request after request, or a stream. Used by the loop's thread only. The loop owns it until Close.
///
/// Bytes are read when there are some, into the thread's one buffer; a connection without a request holds none. At most
/// one wait for bytes is pending, in every phase but kWriting; in kAnswering it sees the client go.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket&& socket, Accepted accepted, Shared& shared)
      : shared_(shared),
        socket_(std::move(socket)),
        connection_(accepted.socket, std::move(accepted.tls)),
        reader_(shared.options),
        peer_(HostNameOf(ToString(accepted.peer))),
        record_(shared.service, accepted.peer) {}
  ~Session() { CHECK(phase_ == Phase::kClosed); }

  void Start() {
    Enter(Phase::kShaking, shared_.options.handshake_timeout);
    record_.begun = steady_clock::now();
    Shake();
  }

  /// The server stops: what is not being answered or written ends now.
  void EndSoon() {
    if (phase_ == Phase::kShaking || phase_ == Phase::kIdle || phase_ == Phase::kStreaming) Close();
  }

  void Close() {
    if (phase_ == Phase::kClosed) return;
    const std::shared_ptr<Session> self = shared_from_this();  // until this returns
    EndSubscription();
    if (phase_ == Phase::kAnswering) record_.Answered(kClientGone);
    if (phase_ == Phase::kAnswering || phase_ == Phase::kWriting || phase_ == Phase::kStreaming)
      record_.End(false, sent_);
    phase_ = Phase::kClosed;
    if (connection_.is_tls()) connection_.EndSending();
    error_code ignored;  // closing what the peer has closed fails; nothing is to be done about it
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
    counted_.reset();
    --shared_.service.counts->connections;
    shared_.sessions.erase(this);
    Gone();
    if (shared_.stopping && shared_.sessions.empty()) shared_.io.stop();
  }

  bool IsLate(steady_clock::time_point now) const { return now >= deadline_ || IsSlowBody(now); }
  /// What a time limit that has passed means here.
  void OnLate() {
    switch (phase_) {
      case Phase::kReading:
        return Refuse(shared_.options.refuse(408, "too_slow", "the request came too slowly"));
      case Phase::kStreaming:
        return writing_ ? Close() : Beat();
      case Phase::kShaking:
        return GiveUpHandshake();
      case Phase::kIdle:
      case Phase::kWriting:
      case Phase::kDraining:
        return Close();
      case Phase::kAnswering:
      case Phase::kClosed:
        return;
    }
  }

  /// The response to the request that is being answered.
  void OnResponse(HttpResponse response) {
    if (phase_ != Phase::kAnswering) return;  // closed
    const bool keep_alive = reader_.keep_alive() && !shared_.stopping && !peer_closed_;
    Write(std::move(response), keep_alive);
    if (!running_) Run({});
  }

  void Flush() {
    if (writing_ || phase_ != Phase::kStreaming) return;
    out_ = match_.stream->broadcast->Take(*subscriber_, kStreamWriteBytes);
    if (!out_.empty()) return WriteStream();
    if (match_.stream->broadcast->Ended(*subscriber_)) Close();
  }

 private:
  enum class Phase { kShaking, kIdle, kReading, kAnswering, kWriting, kDraining, kStreaming, kClosed };

  void Enter(Phase phase, steady_clock::duration limit) {
    phase_ = phase;
    deadline_ = steady_clock::now() + limit;
  }
  void EnterWithoutLimit(Phase phase) {
    phase_ = phase;
    deadline_ = steady_clock::time_point::max();
  }
  void EnterReading() {
    Enter(Phase::kReading, shared_.options.header_timeout);
    record_.begun = deadline_ - shared_.options.header_timeout;
  }

  void GiveUpHandshake() {
    ++shared_.service.counts->handshakes_failed;
    record_.NoRequest("handshake_failed");
    Close();
  }

  void Shake() {
    switch (connection_.Handshake()) {
      case Io::kDone:
        Enter(Phase::kIdle, shared_.options.idle_timeout);
        return Await();
      case Io::kWantRead:
        return Await();
      case Io::kWantWrite:
        return AwaitWrite();
      case Io::kEnded:
      case Io::kFailed:
        return GiveUpHandshake();
    }
  }

  bool IsSlowBody(steady_clock::time_point now) const {
    return phase_ == Phase::kReading && in_body_ && IsTooSlow(shared_.options, reader_.body_bytes(), now - body_start_);
  }

  void Await() {
    if (awaiting_ || phase_ == Phase::kClosed) return;
    awaiting_ = true;
    if (connection_.has_more()) {
      return asio::post(shared_.io, [self = shared_from_this()] { self->Readable(error_code()); });
    }
    socket_.async_wait(tcp::socket::wait_read,
                       [self = shared_from_this()](error_code error) { self->Readable(error); });
  }

  void Readable(error_code error) {
    awaiting_ = false;
    if (phase_ == Phase::kClosed || phase_ == Phase::kWriting) return;  // read on when that is done
    if (error) return Close();
    if (phase_ == Phase::kShaking) return Shake();
    Receive();
  }

  void Receive() {
    const size_t room = phase_ == Phase::kAnswering ? kReadAheadBytes - reader_.held_bytes() : kReadBytes;
    size_t num_bytes = 0;
    const Io io = connection_.Read(shared_.scratch.data(), room, &num_bytes);
    if (io == Io::kWantRead || io == Io::kWantWrite) {
      if (phase_ == Phase::kIdle && connection_.HoldsPart()) EnterReading();  // a record that trickles
      return Await();
    }
    if (io == Io::kEnded && phase_ == Phase::kAnswering) {
      peer_closed_ = true;  // perhaps only its sending half: the response is still tried
      return Gone();
    }
    if (io != Io::kDone) return Close();
    shared_.service.counts->bytes_in.fetch_add(num_bytes, std::memory_order_relaxed);
    const std::string_view bytes(shared_.scratch.data(), num_bytes);
    switch (phase_) {
      case Phase::kIdle:
        EnterReading();
        return Run(bytes);
      case Phase::kReading:
        return Run(bytes);
      case Phase::kAnswering:
        reader_.Hold(bytes);
        return AwaitAhead();
      case Phase::kDraining:
        drained_bytes_ += num_bytes;
        if (drained_bytes_ > kMaxDrainedBytes || shared_.stopping) return Close();
        return Await();
      case Phase::kStreaming:  // what a stream's client says is not read
        return Await();
      case Phase::kShaking:
      case Phase::kWriting:
      case Phase::kClosed:
        return;
    }
  }

  /// While a request is answered, the next ones may come, up to a limit; the client's going is seen behind no more.
  void AwaitAhead() {
    if (reader_.held_bytes() < kReadAheadBytes) Await();
  }

  /// Reads requests out of what is held and `bytes`, and answers them, until one takes its time or bytes are missing.
  void Run(std::string_view bytes) {
    running_ = true;
    while (phase_ == Phase::kReading || phase_ == Phase::kIdle) {
      if (phase_ == Phase::kIdle && bytes.empty() && !reader_.started()) break;
      if (phase_ == Phase::kIdle) EnterReading();
      const HttpReader::Event event = reader_.Read(&bytes);
      if (event == HttpReader::Event::kRefused) {
        Refuse(reader_.refusal());
      } else if (event == HttpReader::Event::kHeader) {
        OnHeader();
      } else if (!CountBody()) {
        Refuse(shared_.service.TooManyBytes());
      } else if (event == HttpReader::Event::kWhole) {
        Answer();
      } else {
        break;
      }
    }
    running_ = false;
    if (phase_ == Phase::kClosed) return;
    if (!bytes.empty()) reader_.Hold(bytes);
    if (phase_ == Phase::kAnswering) return AwaitAhead();
    if (phase_ != Phase::kWriting) Await();
  }

  bool CountBody() {
    if (!in_body_) return true;
    if (counted_ == nullptr) counted_ = std::make_shared<CountedRequest>(shared_.service.counts);
    return counted_->Count(reader_.body_bytes(), shared_.options.max_bytes_in_flight);
  }

  void OnHeader() {
    head_ = reader_.request().method == "HEAD";
    reader_.request().peer = peer_;
    record_.Asked(reader_.request());
    if (std::optional<HttpResponse> refusal = shared_.service.FindRoute(reader_.request(), &match_)) {
      if (reader_.has_body() || !reader_.keep_alive()) return Refuse(*std::move(refusal));
      return Write(*std::move(refusal), !shared_.stopping);
    }
    in_body_ = true;
    body_start_ = steady_clock::now();
    deadline_ = body_start_ + shared_.options.body_timeout;
    if (!reader_.expects_continue() || !reader_.has_body()) return;
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    size_t written = 0;
    (void)connection_.Write(kContinue, {}, &written);
    if (written != kContinue.size()) Close();  // 25 bytes always fit, unless the client reads nothing
  }

  void Answer() {
    record_.bytes_in = reader_.body_bytes();
    if (match_.stream != nullptr) return StartStream();
    in_body_ = false;
    HttpRequest& request = reader_.request();
    request.parameters = std::move(match_.parameters);
    EnterWithoutLimit(Phase::kAnswering);
    if (match_.handler != nullptr) {
      counted_.reset();
      return OnResponse((*match_.handler)(request));
    }
    const std::shared_ptr<CountedRequest> counted = std::exchange(counted_, nullptr);
    counted->request = std::move(request);
    gone_ = std::stop_source();
    (*match_.later)(std::shared_ptr<const HttpRequest>(counted, &counted->request),
                    HttpResponder(std::make_shared<Reply>(shared_.mailbox, weak_from_this(), gone_, shared_.options)));
  }

  /// Tells whoever answers that nobody waits for it.
  void Gone() {
    const std::stop_source gone = std::exchange(gone_, std::stop_source(std::nostopstate));
    if (gone.stop_possible()) gone.request_stop();
  }

  /// Answers what was not read to its end and closes.
  void Refuse(HttpResponse response) {
    if (in_body_) record_.bytes_in = reader_.body_bytes();
    Write(std::move(response), false);
  }

  void Write(HttpResponse response, bool keep_alive) {
    gone_ = std::stop_source(std::nostopstate);
    keep_alive_ = keep_alive;
    out_ = FormatResponseHead(response, keep_alive, reader_.version());
    out_body_ = head_ ? std::string() : std::move(response.body);
    head_ = false;
    record_.Answered(response.status, std::move(response.reason), std::move(response.notes));
    Enter(Phase::kWriting, shared_.options.write_timeout);
    sent_ = 0;
    if (Send()) Written();
  }

  /// True: all of it is with the kernel. Else it goes on by itself in time, or the connection is closed.
  bool Send() {
    const size_t of_head = std::min(sent_, out_.size());
    size_t count = 0;
    const Io io = connection_.Write(std::string_view(out_).substr(of_head),
                                    std::string_view(out_body_).substr(sent_ - of_head), &count);
    sent_ += count;
    shared_.service.counts->bytes_out.fetch_add(count, std::memory_order_relaxed);
    if (sent_ == out_.size() + out_body_.size()) return true;
    if (io == Io::kDone || io == Io::kWantWrite) {
      AwaitWrite();
    } else {
      Close();
    }
    return false;
  }

  void AwaitWrite() {
    socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](error_code error) {
      if (self->phase_ == Phase::kClosed) return;
      if (error) return self->Close();
      if (self->phase_ == Phase::kShaking) return self->Shake();
      if (!self->Send()) return;
      if (self->phase_ == Phase::kStreaming) return self->StreamWritten();
      self->Written();
      if (self->phase_ != Phase::kClosed) self->Run({});
    });
  }

  /// A response is with the kernel: on to the next request.
  void Written() {
    record_.End(true, sent_);
    out_ = {};
    out_body_ = {};
    match_ = {};
    counted_.reset();
    in_body_ = false;
    if (!keep_alive_) return Drain();
    reader_.Reset();
    if (shared_.stopping) return Close();
    Enter(Phase::kIdle, shared_.options.idle_timeout);
  }

  /// Closing with unread bytes would reset the connection and take the response away from the peer: read some first.
  void Drain() {
    if (peer_closed_) return Close();
    connection_.EndSending();
    Enter(Phase::kDraining, kDrainTimeout);
    Await();
  }

  void StartStream() {
    if (shared_.stopping) return Refuse(shared_.options.refuse(503, "stopping", "the server is stopping"));
    Broadcast::Interest interest;
    if (auto refusal = shared_.service.FindInterest(&reader_.request(), &match_, &interest)) return Refuse(*refusal);
    Result<Broadcast::SubscriberId> subscriber = match_.stream->broadcast->Subscribe(
        [weak = weak_from_this(), mailbox = shared_.mailbox] {
          mailbox->Post([weak] {
            if (const std::shared_ptr<Session> self = weak.lock()) self->Flush();
          });
        },
        std::move(interest));
    if (!subscriber.ok()) {
      const int status = subscriber.status().code() == StatusCode::kUnauthenticated ? 401 : 503;
      return Refuse(shared_.service.Refusal(status, subscriber.status()));
    }
    subscriber_ = *subscriber;
    counted_.reset();
    EnterWithoutLimit(Phase::kStreaming);
    record_.Answered(200);
    out_ = kStreamHead;
    if (match_.stream->greeting) out_ += match_.stream->greeting();
    WriteStream();
  }

  void EndSubscription() {
    if (subscriber_) match_.stream->broadcast->Unsubscribe(*subscriber_);
    subscriber_.reset();
  }

  void WriteStream() {
    writing_ = true;
    deadline_ = steady_clock::now() + shared_.options.write_timeout;
    sent_ = 0;
    if (Send()) asio::post(shared_.io, [self = shared_from_this()] { self->StreamWritten(); });
  }
  void StreamWritten() {
    writing_ = false;
    if (phase_ == Phase::kClosed) return;
    deadline_ = steady_clock::now() + shared_.options.stream_heartbeat;
    Flush();
  }

  void Beat() {
    out_ = ": beat\n\n";
    WriteStream();
  }

  Shared& shared_;
  tcp::socket socket_;  // to wait for, and to close
  Connection connection_;
  HttpReader reader_;
  Router::Match match_;
  const std::string peer_;  // its IP address
  Phase phase_ = Phase::kIdle;
  steady_clock::time_point deadline_;  // of the phase
  bool awaiting_ = false;
  bool running_ = false;
  bool peer_closed_ = false;
  bool keep_alive_ = false;  // after what is being written
  bool head_ = false;        // the request is HEAD
  bool in_body_ = false;
  steady_clock::time_point body_start_;
  size_t drained_bytes_ = 0;
  std::shared_ptr<CountedRequest> counted_;  // of the request being read
  std::stop_source gone_{std::nostopstate};  // of the request being answered
  std::string out_;                          // being written
  std::string out_body_;
  size_t sent_ = 0;  // of these
  HttpRecord record_;
  // Of a stream:
  std::optional<Broadcast::SubscriberId> subscriber_;
  bool writing_ = false;
};

void Reply::Send(HttpResponse response) {
  if (mailbox_->IsHere()) {
    if (const std::shared_ptr<Session> session = session_.lock()) session->OnResponse(std::move(response));
    return;
  }
  mailbox_->Post([weak = session_, response = std::move(response)]() mutable {
    if (const std::shared_ptr<Session> session = weak.lock()) session->OnResponse(std::move(response));
  });
}

}  // namespace

class HttpLoop::Impl {
 public:
  explicit Impl(const HttpService& service)
      : mailbox_(std::make_shared<Mailbox>(&io_)),
        shared_{service, service.options, io_, mailbox_, {}, {}, false},
        sweep_(io_),
        stop_(io_) {
    Sweep();
    thread_ = std::thread([this] {
      mailbox_->EnterThread();
      io_.run();
    });
  }
  ~Impl() { EndStop(); }

  void Adopt(Accepted accepted) {
    asio::post(io_, [this, accepted = std::move(accepted)] {
      tcp::socket socket(io_);
      error_code error;
      socket.assign(tcp::v4(), accepted.socket, error);  // the family is told to nobody
      CHECK(!error);
      socket.native_non_blocking(true, error);
      socket.non_blocking(true, error);
      const auto session = std::make_shared<Session>(std::move(socket), accepted, shared_);
      shared_.sessions.emplace(session.get(), session);
      session->Start();
      if (shared_.stopping) session->EndSoon();
    });
  }

  void BeginStop() {
    asio::post(io_, [this] {
      shared_.stopping = true;
      for (const std::shared_ptr<Session>& session : All()) session->EndSoon();
      if (shared_.sessions.empty()) return io_.stop();
      stop_.expires_after(shared_.options.stop_timeout);
      stop_.async_wait([this](error_code error) {
        if (!error) io_.stop();
      });
    });
  }

  void EndStop() {
    if (!thread_.joinable()) return;
    BeginStop();
    thread_.join();
    mailbox_->Close();
    // Those that took longer than stop_timeout. Their thread is gone, so they are ours.
    for (const std::shared_ptr<Session>& session : All()) session->Close();
  }

 private:
  std::vector<std::shared_ptr<Session>> All() const {
    std::vector<std::shared_ptr<Session>> all;
    for (const auto& [key, session] : shared_.sessions) all.push_back(session);
    return all;
  }

  /// One timer for all connections: setting a limit is storing a time, and an idle connection has no timer.
  void Sweep() {
    sweep_.expires_after(kSweepEvery);
    sweep_.async_wait([this](error_code error) {
      if (error) return;
      const steady_clock::time_point now = steady_clock::now();
      std::vector<std::shared_ptr<Session>> late;
      for (const auto& [key, session] : shared_.sessions) {
        if (session->IsLate(now)) late.push_back(session);
      }
      for (const std::shared_ptr<Session>& session : late) session->OnLate();
      Sweep();
    });
  }

  std::shared_ptr<Mailbox> mailbox_;
  Shared shared_;  // outlives io_, whose end takes the last sessions with it
  asio::io_context io_{1};
  asio::steady_timer sweep_;
  asio::steady_timer stop_;
  std::thread thread_;
};

HttpLoop::HttpLoop(const HttpService& service) : impl_(std::make_unique<Impl>(service)) {}
HttpLoop::~HttpLoop() = default;
void HttpLoop::Adopt(Accepted accepted) { impl_->Adopt(std::move(accepted)); }
void HttpLoop::BeginStop() { impl_->BeginStop(); }
void HttpLoop::EndStop() { impl_->EndStop(); }

}  // namespace pawsight::net
