// notify/testing.h: what tests of receivers share: a server on real sockets that does whatever a test says, a resolver
// with a table, certificates. For tests; thread-safety as written.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/base64.h"
#include "base/check.h"
#include "base/mutex.h"
#include "notify/lookup.h"
#include "notify/receiver_config.h"

namespace pawsight::notify::testing {

/// Loopback stands in for the public network in tests.
inline ReceiverPolicy LoopbackAllowed() { return {ParseAddressPolicy({"127.0.0.1"}).value(), true}; }

/// Answers from a table; each question takes the next answer of its name, the last one stays. Thread-safe.
class TableResolver : public Resolver {
 public:
  void Set(const std::string& name, std::vector<std::vector<std::string>> answers) {
    MutexLock lock(mu_);
    answers_[name] = std::move(answers);
  }
  Result<std::vector<IpAddress>> Resolve(const std::string& name) override {
    MutexLock lock(mu_);
    auto& answers = answers_[name];
    if (answers.empty()) return Unavailable("no such name");
    std::vector<IpAddress> addresses;
    for (const std::string& text : answers.front()) addresses.push_back(IpAddress::Parse(text).value());
    if (answers.size() > 1) answers.erase(answers.begin());
    return addresses;
  }

 private:
  Mutex mu_;
  std::map<std::string, std::vector<std::vector<std::string>>> answers_ GUARDED_BY(mu_);
};

/// One accepted connection: blocking, with TLS from the start or later when the test says so. Used by one thread.
class Connection {
 public:
  explicit Connection(int fd) : fd_(fd) {
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~Connection() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    close(fd_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool StartTls(SSL_CTX* context) {
    static const auto ignored = std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to closed sockets
    CHECK(ignored != SIG_ERR);
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, fd_);
    return SSL_accept(ssl_) == 1;
  }
  /// False when the other end has gone.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ssl_ != nullptr ? SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()))
                                        : static_cast<int>(send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  /// Up to and with `mark`; what came, without it, when the other end has gone.
  std::string ReadUntil(std::string_view mark) {
    while (read_.find(mark) == std::string::npos && ReadSome()) {
    }
    const size_t at = read_.find(mark);
    return Take(at == std::string::npos ? read_.size() : at + mark.size());
  }
  std::string ReadBytes(size_t count) {
    while (read_.size() < count && ReadSome()) {
    }
    return Take(std::min(count, read_.size()));
  }
  /// A whole request with a Content-Length; "" when the other end has gone.
  std::string ReadRequest() {
    std::string request = ReadUntil("\r\n\r\n");
    const size_t at = request.find("Content-Length: ");
    return at == std::string::npos ? request
                                   : request + ReadBytes(static_cast<size_t>(std::atol(request.c_str() + at + 16)));
  }
  /// Until the other end goes.
  void Linger() {
    while (ReadSome()) read_.clear();
  }

 private:
  std::string Take(size_t count) {
    std::string text = read_.substr(0, count);
    read_.erase(0, count);
    return text;
  }
  bool ReadSome() {
    char chunk[16384];
    const auto got =
        ssl_ != nullptr ? SSL_read(ssl_, chunk, sizeof chunk) : static_cast<int>(recv(fd_, chunk, sizeof chunk, 0));
    if (got <= 0) return false;
    read_.append(chunk, static_cast<size_t>(got));
    return true;
  }
  int fd_;
  SSL* ssl_ = nullptr;
  std::string read_;
};

/// A server that gives every connection to `talk`, on a thread of its own. Destroyed, it shuts the connections down.
class TalkServer {
 public:
  using Talk = std::function<void(Connection&)>;
  explicit TalkServer(Talk talk, const char* address = "127.0.0.1") : talk_(std::move(talk)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    inet_pton(AF_INET, address, &at.sin_addr);
    CHECK(bind(listener_, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0 && listen(listener_, 64) == 0);
    socklen_t size = sizeof at;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~TalkServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    {
      MutexLock lock(mu_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
  }
  TalkServer(const TalkServer&) = delete;
  TalkServer& operator=(const TalkServer&) = delete;

  int port() const { return port_; }
  int num_connections() const { return num_connections_; }

 private:
  void Accept() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++num_connections_;
      MutexLock lock(mu_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        const int own = dup(fd);  // `fd` stays open for the destructor to shut down
        {
          Connection connection(own);
          talk_(connection);
        }
        shutdown(fd, SHUT_RDWR);
        MutexLock inner(mu_);
        std::erase(open_, fd);
        close(fd);
      });
    }
  }
  const Talk talk_;
  int listener_;
  int port_ = 0;
  std::atomic<int> num_connections_{0};
  Mutex mu_;
  std::vector<int> open_ GUARDED_BY(mu_);
  std::vector<std::thread> threads_;  // grown by the acceptor only
  std::thread acceptor_;
};

/// A folder of its own, removed at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "pawsight-notify-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A self-signed certificate for one DNS name, as files in a folder. Thread-compatible.
class TestCertificate {
 public:
  TestCertificate(const ScratchFolder& folder, const std::string& name, bool expired = false)
      : cert_file_(folder / (name + ".crt")),
        key_file_(folder / (name + ".key")),
        key_(EVP_EC_gen("P-256")),
        cert_(X509_new()) {
    const long day = 24L * 3600;
    X509_set_version(cert_, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert_), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert_), -10 * day);
    X509_gmtime_adj(X509_getm_notAfter(cert_), expired ? -day : day);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert_), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(cert_, X509_get_subject_name(cert_));
    X509_set_pubkey(cert_, key_);
    Extend(NID_subject_alt_name, "DNS:" + name);
    Extend(NID_basic_constraints, "critical,CA:TRUE");
    CHECK(X509_sign(cert_, key_, EVP_sha256()) != 0);
    std::FILE* file = std::fopen(cert_file_.c_str(), "w");
    PEM_write_X509(file, cert_);
    std::fclose(file);
    file = std::fopen(key_file_.c_str(), "w");
    PEM_write_PrivateKey(file, key_, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    context_ = SSL_CTX_new(TLS_server_method());
    CHECK(SSL_CTX_use_certificate(context_, cert_) == 1 && SSL_CTX_use_PrivateKey(context_, key_) == 1);
  }
  ~TestCertificate() {
    SSL_CTX_free(context_);
    X509_free(cert_);
    EVP_PKEY_free(key_);
  }
  TestCertificate(const TestCertificate&) = delete;
  TestCertificate& operator=(const TestCertificate&) = delete;

  SSL_CTX* context() const { return context_; }
  const std::string& cert_file() const { return cert_file_; }
  const std::string& key_file() const { return key_file_; }
  Pin pin() const {
    unsigned char* der = nullptr;
    const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert_), &der);
    Pin pin{};
    CHECK(EVP_Digest(der, static_cast<size_t>(size), pin.data(), nullptr, EVP_sha256(), nullptr) == 1);
    OPENSSL_free(der);
    return pin;
  }
  std::string pin_text() const {
    const Pin bytes = pin();
    return "sha256//" + EncodeBase64({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }

 private:
  void Extend(int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, cert_, cert_, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    CHECK(extension != nullptr);
    X509_add_ext(cert_, extension, -1);
    X509_EXTENSION_free(extension);
  }
  const std::string cert_file_;
  const std::string key_file_;
  EVP_PKEY* key_;
  X509* cert_;
  SSL_CTX* context_ = nullptr;
};

}  // namespace pawsight::notify::testing
