#include "net/http_server.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/log.h"

namespace pawsight::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kBufferBytes = 128U << 10U;  // reserved: a flat_buffer that grows by doubling costs nine times the CPU
constexpr size_t kStreamWriteBytes = 64U << 10U;
constexpr size_t kMaxDrainedBytes = 1U << 20U;
constexpr std::chrono::seconds kDrainTimeout{2};
constexpr std::chrono::milliseconds kAcceptRetry{100};  // after "too many open files"

class Session;

/// What the sessions share. Used by the server's thread only.
struct Shared {
  const HttpServerOptions& options;
  const Router& router;
  asio::io_context& io;
  std::set<std::string, std::less<>> hosts;
  std::set<Session*> sessions;
  bool stopping = false;
};

std::string ToString(beast::string_view text) { return {text.data(), text.size()}; }

std::string LowerCase(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

/// "LocalHost:80" -> "localhost"; "[::1]:80" -> "::1".
std::string HostName(std::string host) {
  host = LowerCase(std::move(host));
  if (!host.empty() && host.front() == '[') return host.substr(1, std::min(host.find(']'), host.size()) - 1);
  return host.substr(0, host.find(':'));
}

/// One connection: request after request, or a stream. Lives as long as an operation on it is pending; used by the
/// server's thread only.
class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(tcp::socket&& socket, Shared& shared) : shared_(shared), stream_(std::move(socket)), timer_(shared.io) {
    shared_.sessions.insert(this);
    buffer_.reserve(kBufferBytes);
  }
  ~Session() {
    EndSubscription();
    shared_.sessions.erase(this);
  }

  /// Waits for the first byte of a request.
  void WaitForRequest() {
    parser_.reset();
    if (shared_.stopping) return Close();         // the response before this was still being written
    if (buffer_.size() > 0) return ReadHeader();  // pipelined
    idle_ = true;
    stream_.expires_after(shared_.options.idle_timeout);
    stream_.async_read_some(buffer_.prepare(4096), [self = shared_from_this()](error_code error, size_t num_bytes) {
      self->idle_ = false;
      if (error) return self->Close();
      self->buffer_.commit(num_bytes);
      self->ReadHeader();
    });
  }

  /// The server stops: an idle connection or a stream ends now, a request being answered after its response.
  void EndSoon() {
    if (idle_ || subscriber_) Close();
  }
  void Close() {
    EndSubscription();
    timer_.cancel();
    error_code ignored;  // closing what the peer has closed fails; nothing is to be done about it
    stream_.socket().shutdown(tcp::socket::shutdown_both, ignored);
    stream_.close();
  }

 private:
  void ReadHeader() {
    parser_.emplace();
    parser_->header_limit(static_cast<uint32_t>(shared_.options.max_header_bytes));
    parser_->body_limit(shared_.options.max_body_bytes);
    StartDeadline(shared_.options.header_timeout);
    http::async_read_header(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Refuse(self->ReadErrorResponse(error));
      self->OnHeader();
    });
  }

  /// Reading is cancelled after `limit`. Not the stream's own timeout: that closes the socket before a 408 can be told.
  void StartDeadline(std::chrono::seconds limit) {
    stream_.expires_never();
    timer_.expires_after(limit);
    timer_.async_wait([weak = weak_from_this()](error_code error) {
      const std::shared_ptr<Session> self = weak.lock();
      if (error || self == nullptr) return;
      self->too_slow_ = true;
      self->stream_.cancel();
    });
  }

  /// What is wrong with a request whose bytes could not be read; nullopt when the peer is gone and nothing can be told.
  std::optional<HttpResponse> ReadErrorResponse(const error_code& error) const {
    if (too_slow_) return ProblemResponse(408, "too_slow", "the request came too slowly");
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return ProblemResponse(431, "header_too_large", "the header is too large");
    }
    if (error == http::error::body_limit) return ProblemResponse(413, "body_too_large", "the body is too large");
    if (error == http::error::bad_version) return ProblemResponse(505, "http_version", "want HTTP/1.1 or HTTP/1.0");
    if (error == http::error::end_of_stream || error == http::error::partial_message) return std::nullopt;
    static const boost::system::error_code any_http_error = http::make_error_code(http::error::bad_method);
    if (error.category() != any_http_error.category()) return std::nullopt;  // reset, aborted
    return ProblemResponse(400, "malformed", "not an HTTP request: " + error.message());
  }

  void OnHeader() {
    if (std::optional<HttpResponse> refusal = CheckHeader()) return Refuse(std::move(refusal));
    const auto& header = parser_->get();
    if (beast::iequals(header[http::field::expect], "100-continue")) return SendContinue();
    if (!header[http::field::expect].empty())
      return Refuse(ProblemResponse(400, "expectation", "only Expect: 100-continue"));
    ReadBody();
  }

  /// Everything that can be refused before the body is read.
  std::optional<HttpResponse> CheckHeader() {
    const auto& header = parser_->get();
    const auto num_headers = static_cast<size_t>(std::distance(header.begin(), header.end()));
    if (num_headers > shared_.options.max_headers) return ProblemResponse(431, "too_many_headers", "too many headers");
    if (header.version() != 11 && header.version() != 10) return ProblemResponse(505, "http_version", "want HTTP/1.1");
    if (header.target().size() > shared_.options.max_target_bytes)
      return ProblemResponse(414, "target_too_long", "the target is too long");
    if (header.count(http::field::host) > 1 || (header.version() == 11 && header.count(http::field::host) == 0)) {
      return ProblemResponse(400, "host", "want one Host header");
    }
    const std::string host = HostName(ToString(header[http::field::host]));
    if (!host.empty() && !IsIpAddress(host) && shared_.hosts.count(host) == 0)
      return ProblemResponse(421, "host_unknown", "this server has another name");
    if (header.count(http::field::transfer_encoding) > 0 &&
        (header.count(http::field::transfer_encoding) > 1 ||
         !beast::iequals(header[http::field::transfer_encoding], "chunked") ||
         header.count(http::field::content_length) > 0)) {
      return ProblemResponse(400, "transfer_encoding", "want one Transfer-Encoding, chunked, without Content-Length");
    }
    if (header.count(http::field::content_length) > 1)
      return ProblemResponse(400, "content_length", "want one Content-Length");
    if (header.count(http::field::content_encoding) > 0)
      return ProblemResponse(415, "content_encoding", "send the body as it is");
    return CheckTarget();
  }

  std::optional<HttpResponse> CheckTarget() {
    const auto& header = parser_->get();
    const std::string target = ToString(header.target());
    const size_t mark = std::min(target.find('?'), target.size());
    request_ = {};
    request_.method = ToString(header.method_string());
    request_.path = target.substr(0, mark);
    request_.query = mark < target.size() ? target.substr(mark + 1) : "";
    if (!IsPlainPath(request_.path)) return ProblemResponse(400, "path", "want a plain absolute path");
    match_ = shared_.router.Find(request_.method, request_.path);
    if (match_.allowed.empty()) return ProblemResponse(404, "no_such_path", "there is nothing here");
    if (match_.handler == nullptr && match_.stream == nullptr) {
      HttpResponse response = ProblemResponse(405, "method", "this path has " + match_.allowed);
      response.headers.emplace_back("Allow", match_.allowed);
      return response;
    }
    return std::nullopt;
  }

  void SendContinue() {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    stream_.expires_after(shared_.options.body_timeout);
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      [self = shared_from_this()](error_code error, size_t) {
                        if (error) return self->Close();
                        self->ReadBody();
                      });
  }

  void ReadBody() {
    if (parser_->is_done()) return Answer();
    StartDeadline(shared_.options.body_timeout);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Refuse(self->ReadErrorResponse(error));
      self->Answer();
    });
  }

  void Answer() {
    if (match_.stream != nullptr) return StartStream();
    auto message = parser_->release();
    for (const auto& field : message) {
      request_.headers.emplace_back(LowerCase(ToString(field.name_string())), ToString(field.value()));
    }
    request_.body = std::move(message.body());
    request_.parameters = match_.parameters;
    Write((*match_.handler)(request_), message.keep_alive() && !shared_.stopping, request_.method == "HEAD",
          message.version());
  }

  /// Answers what was not read to its end and closes; with nothing to say, only closes.
  void Refuse(std::optional<HttpResponse> response) {
    if (!response) return Close();
    Write(std::move(*response), false, request_.method == "HEAD", 11);
  }

  void Write(HttpResponse response, bool keep_alive, bool head, unsigned version) {
    timer_.cancel();
    out_ = http::response<http::string_body>();
    out_.version(version);
    out_.result(static_cast<unsigned>(response.status));
    out_.reason(HttpReasonPhrase(response.status));
    out_.set(http::field::content_type, response.content_type);
    out_.set(http::field::cache_control, "no-store");
    out_.set("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) out_.set(name, value);
    out_.keep_alive(keep_alive);
    out_.content_length(response.body.size());
    if (!head) out_.body() = std::move(response.body);
    stream_.expires_after(shared_.options.write_timeout);
    http::async_write(stream_, out_, [self = shared_from_this(), keep_alive](error_code error, size_t) {
      if (error) return self->Close();
      if (!keep_alive) return self->Drain();
      self->WaitForRequest();
    });
  }

  /// Closing with unread bytes would reset the connection and take the response away from the peer: read some first.
  void Drain() {
    error_code ignored;  // the peer may be gone
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    stream_.expires_after(kDrainTimeout);
    buffer_.clear();
    DrainMore();
  }
  void DrainMore() {
    stream_.async_read_some(buffer_.prepare(kBufferBytes / 2),
                            [self = shared_from_this()](error_code error, size_t num_bytes) {
                              self->drained_bytes_ += num_bytes;
                              if (error || self->drained_bytes_ > kMaxDrainedBytes || self->shared_.stopping)
                                return self->Close();
                              self->DrainMore();
                            });
  }

  void StartStream() {
    if (shared_.stopping) return Refuse(ProblemResponse(503, "stopping", "the server is stopping"));
    Result<Broadcast::SubscriberId> subscriber =
        match_.stream->broadcast->Subscribe([weak = weak_from_this(), &io = shared_.io] {
          asio::post(io, [weak] {
            if (const std::shared_ptr<Session> self = weak.lock()) self->Flush();
          });
        });
    if (!subscriber.ok())
      return Refuse(ProblemResponse(503, subscriber.status().reason(), subscriber.status().message()));
    subscriber_ = *subscriber;
    pending_ =
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nretry: 2000\n\n";
    if (match_.stream->greeting) pending_ += match_.stream->greeting();
    WriteStream();
    WatchPeer();
    Beat();
  }

  void EndSubscription() {
    if (subscriber_) match_.stream->broadcast->Unsubscribe(*subscriber_);
    subscriber_.reset();
  }

  void Flush() {
    if (writing_ || !subscriber_) return;
    pending_ = match_.stream->broadcast->Take(*subscriber_, kStreamWriteBytes);
    if (!pending_.empty()) WriteStream();
  }

  void WriteStream() {
    writing_ = true;
    stream_.expires_after(shared_.options.write_timeout);
    asio::async_write(stream_, asio::buffer(pending_), [self = shared_from_this()](error_code error, size_t) {
      self->writing_ = false;
      if (error) return self->Close();
      self->Flush();
    });
  }

  /// A stream's peer says nothing; reading is how its going away is seen.
  void WatchPeer() {
    stream_.socket().async_read_some(asio::buffer(ignored_), [self = shared_from_this()](error_code error, size_t) {
      if (error) return self->Close();
      self->WatchPeer();
    });
  }

  void Beat() {
    timer_.expires_after(shared_.options.stream_heartbeat);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      if (error || !self->subscriber_) return;
      if (!self->writing_) {
        self->pending_ = ": beat\n\n";
        self->WriteStream();
      }
      self->Beat();
    });
  }

  Shared& shared_;
  beast::tcp_stream stream_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  Router::Match match_;
  http::response<http::string_body> out_;
  bool idle_ = false;
  size_t drained_bytes_ = 0;
  asio::steady_timer timer_;  // of reading a request; of a stream's heartbeat
  bool too_slow_ = false;
  // Of a stream:
  std::optional<Broadcast::SubscriberId> subscriber_;
  std::string pending_;
  bool writing_ = false;
  char ignored_[256];
};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpServerOptions& options, const Router& router)
      : options_(options), shared_{options_, router, io_, {}, {}, false}, acceptor_(io_), retry_(io_), deadline_(io_) {
    shared_.hosts.insert(options_.allowed_hosts.begin(), options_.allowed_hosts.end());
  }
  ~Impl() { Stop(); }

  Status Listen() {
    error_code error;
    const asio::ip::address address = asio::ip::make_address(options_.listen.host, error);
    const tcp::endpoint endpoint(address, static_cast<uint16_t>(options_.listen.port));
    if (address.is_loopback()) shared_.hosts.insert("localhost");
    if (!error) acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (error) {
      return Unavailable("listen on " + options_.listen.host + ":" + std::to_string(options_.listen.port) + ": " +
                         error.message() + "; choose another port, or 0 for any free one");
    }
    port_ = acceptor_.local_endpoint(error).port();
    Accept();
    thread_ = std::thread([this] { io_.run(); });
    return Ok();
  }

  void Stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] {
      shared_.stopping = true;
      error_code ignored;  // nothing is to be done when closing fails
      acceptor_.close(ignored);
      retry_.cancel();
      const std::vector<Session*> sessions(shared_.sessions.begin(), shared_.sessions.end());
      for (Session* session : sessions) session->EndSoon();
      deadline_.expires_after(options_.stop_timeout);
      deadline_.async_wait([this](error_code error) {
        if (!error) io_.stop();
      });
      EndWhenIdle();
    });
    thread_.join();
    // Those that took longer than stop_timeout. Their thread is gone, so they are ours.
    for (Session* session : shared_.sessions) session->Close();
  }

  int port() const { return port_; }
  std::string url() const {
    const bool is_ipv6 = options_.listen.host.find(':') != std::string::npos;
    return "http://" + (is_ipv6 ? "[" + options_.listen.host + "]" : options_.listen.host) + ":" +
           std::to_string(port_);
  }

 private:
  void Accept() {
    acceptor_.async_accept([this](error_code error, tcp::socket socket) {
      if (shared_.stopping) return;
      if (error) {
        LogWarning("http.accept_failed", {{"reason", error.message()}});
        retry_.expires_after(kAcceptRetry);
        retry_.async_wait([this](error_code cancelled) {
          if (!cancelled) Accept();
        });
        return;
      }
      Welcome(std::move(socket));
      Accept();
    });
  }

  void Welcome(tcp::socket socket) {
    error_code ignored;  // without these options it is slower, not wrong
    socket.set_option(tcp::no_delay(true), ignored);
    if (shared_.sessions.size() < options_.max_connections) {
      std::make_shared<Session>(std::move(socket), shared_)->WaitForRequest();
      return;
    }
    static constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    socket.non_blocking(true, ignored);
    socket.send(asio::buffer(kFull.data(), kFull.size()), 0, ignored);
  }

  /// Ends the run as soon as the last session is gone.
  void EndWhenIdle() {
    if (shared_.sessions.empty()) return io_.stop();
    retry_.expires_after(std::chrono::milliseconds(5));
    retry_.async_wait([this](error_code) { EndWhenIdle(); });
  }

  const HttpServerOptions options_;
  Shared shared_;  // outlives io_, whose end takes the last sessions with it
  asio::io_context io_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  asio::steady_timer deadline_;
  int port_ = 0;
  std::thread thread_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options, const Router& router) {
  auto impl = std::make_unique<Impl>(options, router);
  PAWSIGHT_RETURN_IF_ERROR(impl->Listen());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const { return impl_->port(); }
std::string HttpServer::url() const { return impl_->url(); }
void HttpServer::Stop() { impl_->Stop(); }

}  // namespace pawsight::net
