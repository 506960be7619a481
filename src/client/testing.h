// client/testing.h: servers that do what a test says, over real sockets, with TLS or without: they answer by script,
// hang, send garbage, close. Thread-safe.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/mutex.h"
#include "net/testing.h"

namespace pawsight::client::testing {

/// A certificate that signs itself, and its key.
struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;

  /// `name` as subjectAltName has it: "DNS:localhost", "IP:127.0.0.1".
  explicit TestCertificate(const std::string& name) {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* x509 = X509_new();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_set_pubkey(x509, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    X509_set_issuer_name(x509, X509_get_subject_name(x509));
    X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, name.c_str());
    CHECK(names != nullptr);
    X509_add_ext(x509, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(x509, key, EVP_sha256());
    certificate_pem = Pem([&](BIO* out) { PEM_write_bio_X509(out, x509); });
    key_pem = Pem([&](BIO* out) { PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(x509);
    EVP_PKEY_free(key);
  }

 private:
  template <typename Write>
  static std::string Pem(const Write& write) {
    BIO* out = BIO_new(BIO_s_mem());
    write(out);
    char* data = nullptr;
    const long size = BIO_ctrl(out, BIO_CTRL_INFO, 0, &data);
    std::string text(data, static_cast<size_t>(size));
    BIO_free(out);
    return text;
  }
};

/// One connection as its script sees it. Blocks.
class Peer {
 public:
  Peer(int fd, SSL_CTX* tls) : fd_(fd) {
    if (tls == nullptr) return;
    tls_ = SSL_new(tls);
    SSL_set_fd(tls_, fd);
    shaken_ = SSL_accept(tls_) == 1;
  }
  ~Peer() { SSL_free(tls_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  bool shaken() const { return shaken_; }
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = tls_ != nullptr ? SSL_write(tls_, bytes.data(), static_cast<int>(bytes.size()))
                                           : send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  /// The next request, head and body; "" when the client has gone.
  std::string Request() {
    size_t end = 0;
    while ((end = read_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadSome()) return "";
    }
    size_t length = 0;
    if (const size_t at = read_.find("\r\nContent-Length: "); at < end) {
      std::from_chars(read_.data() + at + 18, read_.data() + end, length);
    }
    while (read_.size() < end + 4 + length) {
      if (!ReadSome()) return "";
    }
    std::string request = read_.substr(0, end + 4 + length);
    read_.erase(0, request.size());
    return request;
  }
  /// At least `count` bytes of whatever comes, unless the client goes.
  std::string Some(size_t count) {
    while (read_.size() < count && ReadSome()) {
    }
    return std::exchange(read_, {});
  }
  /// Until the client goes.
  void AwaitEnd() {
    while (ReadSome()) {
    }
  }
  void Close() { shutdown(fd_, SHUT_RDWR); }

 private:
  bool ReadSome() {
    char chunk[4096];
    const ssize_t got = tls_ != nullptr ? SSL_read(tls_, chunk, sizeof chunk) : recv(fd_, chunk, sizeof chunk, 0);
    if (got <= 0) return false;
    read_.append(chunk, static_cast<size_t>(got));
    return true;
  }

  const int fd_;
  SSL* tls_ = nullptr;
  bool shaken_ = true;
  std::string read_;
};

/// Runs the script for each connection, on a thread of its own; the connection is closed when it returns.
class ScriptedServer {
 public:
  using Script = std::function<void(Peer&)>;

  /// `certificate` null: without TLS.
  explicit ScriptedServer(Script script, const TestCertificate* certificate = nullptr) : script_(std::move(script)) {
    if (certificate != nullptr) SetUpTls(*certificate);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~ScriptedServer() {
    listener_.Stop();
    acceptor_.join();
    {
      MutexLock lock(mu_);
      for (const int fd : fds_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int fd : fds_) close(fd);
    SSL_CTX_free(tls_);
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  /// From now on connections are refused; those there are stay.
  void StopListening() { listener_.Stop(); }
  int port() const { return listener_.port(); }
  std::string url(const std::string& host = "127.0.0.1") const {
    return (tls_ != nullptr ? "https://" : "http://") + host + ":" + std::to_string(listener_.port());
  }
  int num_connections() const { return num_connections_; }

 private:
  void SetUpTls(const TestCertificate& certificate) {
    signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to peers that have gone
    tls_ = SSL_CTX_new(TLS_server_method());
    const auto in = [](const std::string& text) { return BIO_new_mem_buf(text.data(), static_cast<int>(text.size())); };
    BIO* bio = in(certificate.certificate_pem);
    X509* x509 = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    CHECK(SSL_CTX_use_certificate(tls_, x509) == 1);
    X509_free(x509);
    BIO_free(bio);
    bio = in(certificate.key_pem);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    CHECK(SSL_CTX_use_PrivateKey(tls_, key) == 1);
    EVP_PKEY_free(key);
    BIO_free(bio);
  }
  void Accept() {
    for (int fd = listener_.Accept(); fd >= 0; fd = listener_.Accept()) {
      ++num_connections_;
      MutexLock lock(mu_);
      fds_.push_back(fd);
      threads_.emplace_back([this, fd] {
        Peer peer(fd, tls_);
        if (peer.shaken()) script_(peer);
        peer.Close();
      });
    }
  }

  const Script script_;
  net::testing::Listener listener_;
  SSL_CTX* tls_ = nullptr;
  std::atomic<int> num_connections_{0};
  Mutex mu_;
  std::vector<int> fds_;              // by the acceptor, then by the destructor
  std::vector<std::thread> threads_;  // as well
  std::thread acceptor_;
};

}  // namespace pawsight::client::testing
