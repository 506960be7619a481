#include "net/http_server.h"

#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/mutex.h"
#include "net/http_loop.h"

namespace pawsight::net {
namespace {

constexpr int kAcceptRetryMs = 100;  // after "too many open files"

/// A file descriptor that is closed at its end.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void Set(int fd) {
    Close();
    fd_ = fd;
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpServerOptions& options, const Router& router)
      : options_(options), service_{options_, router, {}, std::make_shared<HttpCounts>()} {
    service_.hosts.insert(options_.allowed_hosts.begin(), options_.allowed_hosts.end());
  }
  ~Impl() { Stop(); }

  Status Listen() {
    if (options_.tls.wanted()) PAWSIGHT_RETURN_IF_ERROR(SetTls(options_.tls));
    SocketAddress address;
    socklen_t length = ToSocketAddress(options_.listen, &address);
    const int on = 1;
    errno = EINVAL;
    if (length != 0) listener_.Set(socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (listener_.get() < 0 || setsockopt(listener_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(listener_.get(), &address.any, length) != 0 || listen(listener_.get(), SOMAXCONN) != 0 ||
        getsockname(listener_.get(), &address.any, &length) != 0) {
      return Unavailable("listen on " + options_.listen.host + ":" + std::to_string(options_.listen.port) + ": " +
                         std::strerror(errno) + "; choose another port, or 0 for any free one");
    }
    port_ = ntohs(address.any.sa_family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
    if (IsLoopback(address)) service_.hosts.insert("localhost");
    wake_.Set(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (wake_.get() < 0) return Unavailable(std::string("eventfd: ") + std::strerror(errno));
    CHECK(options_.io_threads >= 1 && options_.io_threads <= 64);
    for (int n = 0; n < options_.io_threads; ++n) loops_.push_back(std::make_unique<HttpLoop>(service_));
    thread_ = std::thread([this] { AcceptAll(); });
    return Ok();
  }

  void Stop() {
    if (!thread_.joinable()) return;
    const uint64_t one = 1;
    CHECK(write(wake_.get(), &one, sizeof one) == sizeof one);
    thread_.join();
    listener_.Close();
    for (const auto& loop : loops_) loop->BeginStop();
    for (const auto& loop : loops_) loop->EndStop();
  }

  int port() const { return port_; }
  std::string url() const {
    const bool is_ipv6 = options_.listen.host.find(':') != std::string::npos;
    return (options_.tls.wanted() ? "https://" : "http://") +
           (is_ipv6 ? "[" + options_.listen.host + "]" : options_.listen.host) + ":" + std::to_string(port_);
  }
  const HttpCounts& counts() const { return *service_.counts; }
  size_t max_connections() const { return options_.max_connections; }

  Status SetTls(const TlsText& tls) EXCLUDES(mu_) {
    CHECK(options_.tls.wanted());
    PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<const TlsContext> context, TlsContext::Make(tls));
    const MutexLock lock(mu_);
    tls_.swap(context);  // the old one dies after the lock
    return Ok();
  }
  std::shared_ptr<const TlsContext> tls() const EXCLUDES(mu_) {
    const MutexLock lock(mu_);
    return tls_;
  }

 private:
  void AcceptAll() {
    std::array<pollfd, 2> watched = {{{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}}};
    while (true) {
      if (poll(watched.data(), watched.size(), -1) < 0) continue;  // a signal
      if (watched[0].revents != 0) return;
      Accepted accepted;
      socklen_t length = sizeof accepted.peer;
      accepted.socket = accept4(listener_.get(), &accepted.peer.any, &length, SOCK_CLOEXEC | SOCK_NONBLOCK);
      if (accepted.socket >= 0) {
        Welcome(std::move(accepted));
      } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        LogWarning("http.accept_failed", {{"reason", std::strerror(errno)}});
        if (poll(watched.data(), 1, kAcceptRetryMs) > 0) return;
      }  // else the client has gone again
    }
  }

  void Welcome(Accepted accepted) {
    const int fd = accepted.socket;
    const int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // without it it is slower, not wrong
    accepted.tls = tls();
    const bool is_tls = accepted.tls != nullptr;
    ++service_.counts->accepted;
    if (service_.counts->connections.fetch_add(1) < options_.max_connections) {
      return loops_[next_loop_++ % loops_.size()]->Adopt(std::move(accepted));
    }
    --service_.counts->connections;
    ++service_.counts->turned_away;
    static constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    if (!is_tls) (void)send(fd, kFull.data(), kFull.size(), MSG_NOSIGNAL);  // a client that has gone is not told
    close(fd);
  }

  const HttpServerOptions options_;
  HttpService service_;
  std::vector<std::unique_ptr<HttpLoop>> loops_;
  Descriptor listener_;
  Descriptor wake_;
  int port_ = 0;
  size_t next_loop_ = 0;  // the accepting thread's
  mutable Mutex mu_;
  std::shared_ptr<const TlsContext> tls_ GUARDED_BY(mu_);  // of new connections
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
const HttpCounts& HttpServer::counts() const { return impl_->counts(); }
Status HttpServer::SetTls(const TlsText& tls) { return impl_->SetTls(tls); }
size_t HttpServer::num_connections() const { return impl_->counts().connections; }
size_t HttpServer::max_connections() const { return impl_->max_connections(); }
int64_t HttpServer::certificate_expires_unix_s() const {
  const std::shared_ptr<const TlsContext> tls = impl_->tls();
  return tls == nullptr ? 0 : tls->expires_unix_s();
}
size_t HttpServer::bytes_in_flight() const { return impl_->counts().bytes_in_flight; }
void HttpServer::Stop() { impl_->Stop(); }

}  // namespace pawsight::net
