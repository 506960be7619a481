#include "client/http_client.h"

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "client/http_exchange.h"
#include "net/http.h"
#include "protocol/json_client.h"

namespace pawsight::client {
namespace {

namespace asio = boost::asio;
namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr size_t kReadBytes = 8U << 10U;  // at once, a connection
constexpr size_t kMaxConnections = 4096;
constexpr size_t kMaxTokenBytes = 8U << 10U;

/// What became of an exchange: a response, or why there is none and whether the request may have run.
struct Exchanged {
  Status error;
  bool may_have_run = false;
  net::ReceivedResponse response;
};

/// A request on its way. Used by the I/O thread only, once it is there.
struct Call {
  explicit Call(asio::io_context& io) : timer(io) {}

  InferenceClient::CallId id = 0;
  std::string head;
  std::string body;
  Deadline deadline;
  std::function<void(Exchanged)> done;
  asio::steady_timer timer;
  size_t counted_bytes = 0;
};

/// A socket, with or without TLS around it.
class Transport {
 public:
  Transport(asio::io_context& io, ssl::context* tls) : socket_(io) {
    if (tls != nullptr) tls_.emplace(socket_, *tls);
  }

  tcp::socket& socket() { return socket_; }

  /// `on_end(error)`. The certificate has to be `host`'s.
  template <typename OnEnd>
  void Shake(const std::string& host, OnEnd on_end) {
    if (!tls_) return on_end(error_code());
    error_code error;
    tls_->set_verify_callback(ssl::host_name_verification(host), error);
    if (!net::IsIpAddress(host)) {  // SSL_set_tlsext_host_name, without its cast
      SSL_ctrl(tls_->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(host.c_str()));
    }
    if (error) return on_end(error);
    tls_->async_handshake(ssl::stream_base::client, std::move(on_end));
  }
  template <typename OnEnd>
  void Write(const std::array<asio::const_buffer, 2>& parts, OnEnd on_end) {
    tls_ ? asio::async_write(*tls_, parts, std::move(on_end)) : asio::async_write(socket_, parts, std::move(on_end));
  }
  template <typename OnEnd>
  void Read(asio::mutable_buffer room, OnEnd on_end) {
    tls_ ? tls_->async_read_some(room, std::move(on_end)) : socket_.async_read_some(room, std::move(on_end));
  }
  void Close() {
    error_code ignored;  // closing what the peer has closed fails; nothing is to be done about it
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }

 private:
  tcp::socket socket_;
  std::optional<ssl::stream<tcp::socket&>> tls_;
};

/// What is fixed for a client's life.
struct Settings {
  HttpClientOptions options;
  ServerUrl url;
  std::string authority;
  std::optional<ssl::context> tls;
};

Status SetUpTls(const HttpClientOptions& options, ssl::context& tls) {
  error_code error;
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  tls.set_verify_mode(ssl::verify_peer, error);
  if (options.ca_pem.empty()) {
    tls.set_default_verify_paths(error);
  } else {
    tls.add_certificate_authority(asio::buffer(options.ca_pem), error);
  }
  if (error) return InvalidArgument("ca: " + error.message());
  if (options.certificate_pem.empty() != options.key_pem.empty()) {
    return InvalidArgument("certificate: want both it and its key, or neither");
  }
  if (options.certificate_pem.empty()) return Ok();
  tls.use_certificate_chain(asio::buffer(options.certificate_pem), error);
  if (error) return InvalidArgument("certificate: " + error.message());
  tls.use_private_key(asio::buffer(options.key_pem), ssl::context::pem, error);
  return error ? InvalidArgument("key: " + error.message()) : Ok();
}

/// One connection: connects, then call after call. Used by the I/O thread only. A read is always pending once it is
/// connected: it sees an answer, and between calls the server's going.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// What the connection tells its owner, which may then destroy it.
  struct Owner {
    virtual ~Owner() = default;
    virtual void OnConnected(Connection& connection) = 0;
    virtual void OnIdle(Connection& connection) = 0;
    /// It is closed; `error` says why it could not connect, or is OK.
    virtual void OnClosed(Connection& connection, const Status& error) = 0;
    virtual void OnEnded(const std::shared_ptr<Call>& call, Exchanged exchanged) = 0;
  };

  Connection(asio::io_context& io, Settings& settings, std::weak_ptr<Owner> owner)
      : settings_(settings),
        owner_(std::move(owner)),
        transport_(io, settings.tls ? &*settings.tls : nullptr),
        resolver_(io),
        timer_(io),
        reader_(settings.options.response) {}

  void Connect() {
    Limit(settings_.options.connect_timeout);
    const std::string port = std::to_string(settings_.url.port);
    if (net::IsIpAddress(settings_.url.host)) {
      const tcp::endpoint endpoint(asio::ip::make_address(settings_.url.host),
                                   static_cast<uint16_t>(settings_.url.port));
      return ConnectTo(std::array{endpoint});
    }
    resolver_.async_resolve(settings_.url.host, port,
                            [self = shared_from_this()](error_code error, const tcp::resolver::results_type& found) {
                              if (self->phase_ != Phase::kConnecting) return;
                              if (error) return self->Fail("its name: " + error.message());
                              self->ConnectTo(found);
                            });
  }

  bool connecting() const { return phase_ == Phase::kConnecting; }
  bool busy() const { return call_ != nullptr; }
  const std::shared_ptr<Call>& call() const { return call_; }

  void Run(std::shared_ptr<Call> call) {
    call_ = std::move(call);
    timer_.cancel();
    reader_.Reset();
    written_ = false;
    transport_.Write({asio::buffer(call_->head), asio::buffer(call_->body)},
                     [self = shared_from_this(), mine = call_](error_code error, size_t) {
                       if (self->call_ != mine) return;
                       self->written_ = !error;
                       if (self->lost_) return self->Break(kServerClosed);
                       if (error) return self->Break("the connection broke while the request was sent");
                     });
  }

  /// Ends the call, if there is one, and the connection.
  void Abandon(Status why) {
    if (call_ != nullptr) End({std::move(why), written_, {}});
    Close({});
  }

  void Close(const Status& error) {
    if (phase_ == Phase::kClosed) return;
    const std::shared_ptr<Connection> self = shared_from_this();  // until this returns
    phase_ = Phase::kClosed;
    timer_.cancel();
    resolver_.cancel();
    transport_.Close();
    CHECK(call_ == nullptr);
    if (const std::shared_ptr<Owner> owner = owner_.lock()) owner->OnClosed(*this, error);
  }

 private:
  static constexpr const char* kServerClosed = "the server closed the connection";

  enum class Phase { kConnecting, kOpen, kClosed };

  void Limit(std::chrono::milliseconds limit) {
    timer_.expires_after(limit);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (error || self->call_ != nullptr) return;  // cancelled, perhaps too late to be
      if (self->timer_.expiry() > steady_clock::now()) return;
      if (self->phase_ == Phase::kConnecting) return self->Fail("no connection in time");
      self->Close({});
    });
  }

  void Fail(const std::string& why) {
    Close(Unavailable("cannot connect to " + settings_.authority + ": " + why, "connect_failed"));
  }

  template <typename Endpoints>
  void ConnectTo(const Endpoints& endpoints) {
    asio::async_connect(transport_.socket(), endpoints,
                        [self = shared_from_this()](error_code error, const tcp::endpoint&) {
                          if (self->phase_ != Phase::kConnecting) return;
                          if (error) return self->Fail(error.message());
                          self->Shake();
                        });
  }

  void Shake() {
    error_code ignored;  // a slower connection is one all the same
    transport_.socket().set_option(tcp::no_delay(true), ignored);
    transport_.Shake(settings_.url.host, [self = shared_from_this()](error_code error) {
      if (self->phase_ != Phase::kConnecting) return;
      if (error) return self->Fail("TLS: " + error.message());
      self->phase_ = Phase::kOpen;
      self->timer_.cancel();
      self->Read();
      if (const std::shared_ptr<Owner> owner = self->owner_.lock()) owner->OnConnected(*self);
      self->Rest();
    });
  }

  /// Waits for a call.
  void Rest() {
    if (phase_ == Phase::kOpen && call_ == nullptr) Limit(settings_.options.idle_timeout);
  }

  void Read() {
    transport_.Read(asio::buffer(scratch_), [self = shared_from_this()](error_code error, size_t count) {
      if (self->phase_ != Phase::kOpen) return;
      if (error && self->call_ != nullptr) return self->Lose();
      if (error || self->call_ == nullptr) return self->Close({});  // or it speaks without having been asked
      self->Take({self->scratch_.data(), count});
      if (self->phase_ == Phase::kOpen) self->Read();
    });
  }

  void Take(std::string_view bytes) {
    switch (reader_.Read(&bytes)) {
      case net::HttpResponseReader::Event::kNeedMore:
        return;
      case net::HttpResponseReader::Event::kRefused:
        End({DataLoss(reader_.error().message(), reader_.error().reason()), true, {}});
        return Close({});
      case net::HttpResponseReader::Event::kWhole:
        break;
    }
    // An answer before the whole request was sent leaves the rest of it on the way: nothing else can follow.
    const bool keep = reader_.keep_alive() && written_ && bytes.empty();
    End({Ok(), true, reader_.Take()});
    if (!keep) return Close({});
    if (phase_ != Phase::kOpen) return;  // what was called has closed it
    if (const std::shared_ptr<Owner> owner = owner_.lock()) owner->OnIdle(*this);
    Rest();
  }

  /// The server has closed. Whether it has the whole request, so that it may have run, is known when the write ends:
  /// its end may wait behind this one's, and closing brings it about.
  void Lose() {
    if (written_) return Break(kServerClosed);
    lost_ = true;
    transport_.Close();
  }

  void Break(const std::string& why) {
    const std::string where = reader_.started() ? " in the middle of its answer" : "";
    End({Unavailable(settings_.authority + ": " + why + where, "connection_broken"), written_, {}});
    Close({});
  }

  void End(Exchanged exchanged) {
    const std::shared_ptr<Call> call = std::exchange(call_, nullptr);
    if (const std::shared_ptr<Owner> owner = owner_.lock()) owner->OnEnded(call, std::move(exchanged));
  }

  Settings& settings_;
  const std::weak_ptr<Owner> owner_;
  Transport transport_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;  // of connecting, of resting
  net::HttpResponseReader reader_;
  std::array<char, kReadBytes> scratch_;
  Phase phase_ = Phase::kConnecting;
  std::shared_ptr<Call> call_;
  bool written_ = false;  // the call's request, whole
  bool lost_ = false;     // the server has closed while the request was being written
};

}  // namespace

/// The connections and the calls. Everything but the counts is used by the I/O thread only.
class HttpClient::Pool : public Connection::Owner, public std::enable_shared_from_this<HttpClient::Pool> {
 public:
  Pool(Settings settings, IoThread& io) : settings_(std::move(settings)), io_(io.context()) {}

  /// From any thread. False: refused, `why` says why; `done` was not called.
  Status Admit(size_t bytes) {
    const HttpClientOptions& options = settings_.options;
    if (num_calls_.fetch_add(1) >= options.max_connections + options.max_waiting) {
      num_calls_.fetch_sub(1);
      return ResourceExhausted(settings_.authority + ": too many calls wait for a connection", "client_full");
    }
    if (num_bytes_.fetch_add(bytes) + bytes > options.max_bytes_in_flight) {
      Leave(bytes);
      return ResourceExhausted(settings_.authority + ": too many bytes are in flight", "client_full");
    }
    return Ok();
  }

  CallId Start(std::string head, std::string body, Deadline deadline, std::function<void(Exchanged)> done) {
    const CallId id = next_id_.fetch_add(1);
    const size_t bytes = body.size();
    if (Status admitted = Admit(bytes); !admitted.ok()) {
      done({std::move(admitted), false, {}});
      return id;
    }
    auto call = std::make_shared<Call>(io_);
    call->id = id;
    call->head = std::move(head);
    call->body = std::move(body);
    call->deadline = std::min(deadline, steady_clock::now() + settings_.options.call_timeout);
    call->done = std::move(done);
    call->counted_bytes = bytes;
    asio::post(io_, [self = shared_from_this(), call = std::move(call)] { self->Begin(call); });
    return id;
  }

  void Cancel(CallId id) {
    asio::post(io_, [self = shared_from_this(), id] {
      const auto found = self->calls_.find(id);
      if (found != self->calls_.end()) self->GiveUp(found->second, Cancelled("the call was given up"));
    });
  }

  void CloseAll() {
    asio::post(io_, [self = shared_from_this()] {
      self->closed_ = true;
      while (!self->calls_.empty()) self->GiveUp(self->calls_.begin()->second, Cancelled("the client was closed"));
      while (!self->connections_.empty()) self->connections_.begin()->second->Close({});
    });
  }

  const Settings& settings() const { return settings_; }
  size_t num_connections() const { return num_connections_; }
  size_t num_calls() const { return num_calls_; }

  void OnConnected(Connection& connection) override { OnIdle(connection); }
  void OnIdle(Connection& connection) override {
    if (!waiting_.empty()) {
      const std::shared_ptr<Call> call = std::move(waiting_.front());
      waiting_.pop_front();
      return connection.Run(call);
    }
    idle_.push_back(&connection);
  }
  void OnClosed(Connection& connection, const Status& error) override {
    std::erase(idle_, &connection);
    connections_.erase(&connection);
    num_connections_ = connections_.size();
    if (error.ok()) return Grow();
    // The server takes no more connections: those that are left serve as many of who waits, the others go elsewhere.
    // Not tried again for them: a server that refuses at once would be tried without end.
    while (waiting_.size() > connections_.size()) End(waiting_.front(), {error, false, {}});
  }
  void OnEnded(const std::shared_ptr<Call>& call, Exchanged exchanged) override { End(call, std::move(exchanged)); }

 private:
  void Begin(const std::shared_ptr<Call>& call) {
    calls_.emplace(call->id, call);
    if (closed_) return End(call, {Cancelled("the client was closed"), false, {}});
    call->timer.expires_at(call->deadline);
    call->timer.async_wait([self = shared_from_this(), weak = std::weak_ptr(call)](error_code error) {
      const std::shared_ptr<Call> late = weak.lock();
      if (error || late == nullptr || self->calls_.count(late->id) == 0) return;
      self->GiveUp(late, DeadlineExceeded(self->settings_.authority + ": no answer in time"));
    });
    if (!idle_.empty()) {
      Connection* connection = idle_.back();  // the one used last is the likeliest to live
      idle_.pop_back();
      return connection->Run(call);
    }
    waiting_.push_back(call);
    Grow();
  }

  /// Connects for those who wait and have no connection on its way to them.
  void Grow() {
    size_t num_connecting = 0;
    for (const auto& [key, connection] : connections_) num_connecting += connection->connecting() ? 1 : 0;
    while (!closed_ && waiting_.size() > num_connecting && connections_.size() < settings_.options.max_connections) {
      auto connection = std::make_shared<Connection>(io_, settings_, std::weak_ptr<Owner>(shared_from_this()));
      connections_.emplace(connection.get(), connection);
      num_connections_ = connections_.size();
      ++num_connecting;
      connection->Connect();
    }
  }

  /// Ends a call before its answer.
  void GiveUp(const std::shared_ptr<Call>& call, Status why) {
    for (const auto& [key, connection] : connections_) {
      if (connection->call() == call) return connection->Abandon(std::move(why));
    }
    End(call, {std::move(why), false, {}});
  }

  void End(const std::shared_ptr<Call>& which, Exchanged exchanged) {
    const std::shared_ptr<Call> call = which;  // `which` may be an element of waiting_
    std::erase(waiting_, call);
    calls_.erase(call->id);
    call->timer.cancel();
    Leave(call->counted_bytes);
    std::exchange(call->done, nullptr)(std::move(exchanged));
  }

  void Leave(size_t bytes) {
    num_bytes_.fetch_sub(bytes);
    num_calls_.fetch_sub(1);
  }

  Settings settings_;
  asio::io_context& io_;
  std::atomic<CallId> next_id_{1};
  std::atomic<size_t> num_calls_{0};
  std::atomic<size_t> num_bytes_{0};
  std::atomic<size_t> num_connections_{0};
  std::unordered_map<CallId, std::shared_ptr<Call>> calls_;
  std::deque<std::shared_ptr<Call>> waiting_;
  std::unordered_map<Connection*, std::shared_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;
  bool closed_ = false;
};

Result<std::unique_ptr<HttpClient>> HttpClient::Make(const HttpClientOptions& options, IoThread& io) {
  Settings settings;
  settings.options = options;
  PAWSIGHT_ASSIGN_OR_RETURN(settings.url, ParseServerUrl(options.url));
  settings.authority = settings.url.Authority();
  if (options.max_connections < 1 || options.max_connections > kMaxConnections) {
    return InvalidArgument("max_connections: want 1.." + std::to_string(kMaxConnections));
  }
  if (options.token.size() > kMaxTokenBytes ||
      std::ranges::any_of(options.token, [](unsigned char c) { return c <= ' ' || c >= 0x7F; })) {
    return InvalidArgument("token: want plain characters without spaces");
  }
  if (settings.url.tls) {
    settings.tls.emplace(ssl::context::tls_client);
    PAWSIGHT_RETURN_IF_ERROR(SetUpTls(options, *settings.tls));
  }
  return std::unique_ptr<HttpClient>(new HttpClient(std::make_shared<Pool>(std::move(settings), io)));
}

HttpClient::~HttpClient() { pool_->CloseAll(); }

HttpClient::CallId HttpClient::Infer(std::shared_ptr<const protocol::InferRequest> request, Deadline deadline,
                                     Done done) {
  const Settings& settings = pool_->settings();
  const std::chrono::nanoseconds left = deadline - steady_clock::now();
  protocol::EncodedResponse encoded;
  {
    protocol::InferRequest timed = *request;  // its inputs view what `request` owns
    timed.timeout = std::max(std::chrono::duration_cast<std::chrono::microseconds>(left), std::chrono::microseconds(1));
    encoded = protocol::EncodeInferRequest(timed);
  }
  const auto read = [done = std::move(done), pool = pool_](Exchanged exchanged) {
    if (!exchanged.error.ok()) return done({std::move(exchanged.error), exchanged.may_have_run, std::nullopt});
    done(ReadInferResult(exchanged.response, pool->settings().options.infer));
  };
  if (left.count() <= 0) {
    read({DeadlineExceeded("the deadline has passed"), false, {}});
    return 0;
  }
  if (!net::IsPlainPath("/" + request->model)) {
    read({InvalidArgument("model: want letters, digits and -._~"), false, {}});
    return 0;
  }
  std::string head = InferHead(settings.authority, settings.options.token, request->model, encoded.json_bytes.value(),
                               encoded.body.size());
  return pool_->Start(std::move(head), std::move(encoded.body), deadline, read);
}

void HttpClient::Cancel(CallId call) { pool_->Cancel(call); }

void HttpClient::CheckReady(Deadline deadline, std::function<void(Status)> done) {
  const Settings& settings = pool_->settings();
  pool_->Start(GetHead(settings.authority, settings.options.token, "/v2/health/ready"), "", deadline,
               [done = std::move(done)](Exchanged exchanged) {
                 done(exchanged.error.ok() ? StatusOf(exchanged.response) : std::move(exchanged.error));
               });
}

void HttpClient::GetMetadata(const std::string& model, Deadline deadline,
                             std::function<void(Result<protocol::ModelMetadata>)> done) {
  const Settings& settings = pool_->settings();
  if (!net::IsPlainPath("/" + model)) return done(InvalidArgument("model: want letters, digits and -._~"));
  pool_->Start(GetHead(settings.authority, settings.options.token, "/v2/models/" + model), "", deadline,
               [done = std::move(done), pool = pool_](Exchanged exchanged) {
                 Status status = exchanged.error.ok() ? StatusOf(exchanged.response) : std::move(exchanged.error);
                 if (!status.ok()) return done(std::move(status));
                 auto parsed = protocol::ParseModelMetadata(exchanged.response.body, pool->settings().options.infer);
                 if (!parsed.ok()) return done(DataLoss("the server's metadata: " + parsed.status().message()));
                 done(std::move(parsed));
               });
}

HttpClient::CallId HttpClient::Exchange(Request request, Deadline deadline,
                                        std::function<void(Result<net::ReceivedResponse>)> done) {
  const Settings& settings = pool_->settings();
  std::string head = RequestHead(settings.authority, request.token.empty() ? settings.options.token : request.token,
                                 request.method, request.target, request.content_type, request.body.size());
  return pool_->Start(std::move(head), std::move(request.body), deadline,
                      [done = std::move(done)](Exchanged exchanged) {
                        if (!exchanged.error.ok()) return done(std::move(exchanged.error));
                        done(std::move(exchanged.response));
                      });
}

size_t HttpClient::num_connections() const { return pool_->num_connections(); }
size_t HttpClient::num_calls() const { return pool_->num_calls(); }

}  // namespace pawsight::client
