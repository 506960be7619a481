// net/tls/testing.h: certificates made on the spot, and a client that speaks TLS to a server byte by byte. For tests
// only, which link OpenSSL themselves. Thread-compatible.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "net/tls.h"

namespace pawsight::net::testing {

struct FreeOpenSsl {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* stream) const { SSL_free(stream); }
};
template <typename T>
using OpenSslPtr = std::unique_ptr<T, FreeOpenSsl>;

template <typename Write>
std::string ToPem(const Write& write) {
  const OpenSslPtr<BIO> bio(BIO_new(BIO_s_mem()));
  CHECK(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

/// A certificate and its key as PEM.
struct TestPair {
  std::string certificate;
  std::string key;
};

/// An authority that signs what it is asked to.
class TestCa {
 public:
  explicit TestCa(const std::string& name = "test authority") : name_(name), key_(EVP_EC_gen("P-256")) {
    certificate_ = Make(name, key_.get(), -3600, 3600, true);
  }
  std::string pem() const {
    return ToPem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate_.get()); });
  }
  /// For localhost and 127.0.0.1; valid from and until so many seconds from now.
  TestPair Issue(const std::string& name, long from_s = -3600, long until_s = 3600) const {
    const OpenSslPtr<EVP_PKEY> key(EVP_EC_gen("P-256"));
    const OpenSslPtr<X509> made = Make(name, key.get(), from_s, until_s, false);
    return {ToPem([&](BIO* bio) { return PEM_write_bio_X509(bio, made.get()); }), ToPem([&](BIO* bio) {
              return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
  }
  TlsText Server(const std::string& name = "server") const {
    TestPair pair = Issue(name);
    return {std::move(pair.certificate), std::move(pair.key), ""};
  }

 private:
  OpenSslPtr<X509> Make(const std::string& name, EVP_PKEY* key, long from_s, long until_s, bool is_ca) const {
    OpenSslPtr<X509> made(X509_new());
    X509_set_version(made.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1 + ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), from_s);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), until_s);
    X509_set_pubkey(made.get(), key);
    SetName(X509_get_subject_name(made.get()), name);
    SetName(X509_get_issuer_name(made.get()), name_);
    Extend(made.get(), NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!is_ca) Extend(made.get(), NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    CHECK(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0);
    return made;
  }
  static void SetName(X509_NAME* to, const std::string& name) {
    // OpenSSL's characters are unsigned.
    CHECK(X509_NAME_add_entry_by_txt(to, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                                     -1, 0) == 1);
  }
  static void Extend(X509* to, int nid, const char* value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value);
    CHECK(extension != nullptr && X509_add_ext(to, extension, -1) == 1);
    X509_EXTENSION_free(extension);
  }

  const std::string name_;
  const OpenSslPtr<EVP_PKEY> key_;
  mutable int serial_ = 0;
  OpenSslPtr<X509> certificate_;
};

struct TlsClientOptions {
  std::string ca;    // PEM; the server's certificate must be of it; "" takes any
  TestPair own;      // shown when asked
  std::string alpn;  // as on the wire: "\x02h2"
  int min_version = 0;
  int max_version = 0;
  bool shake = true;  // at once
};

/// Waits at most 20 s for anything.
class TlsClient {
 public:
  explicit TlsClient(int port, const TlsClientOptions& options = {})
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), context_(SSL_CTX_new(TLS_client_method())) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    CHECK(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    Configure(options);
    stream_.reset(SSL_new(context_.get()));
    SSL_set_bio(stream_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(stream_.get()), -1);
    SSL_set_connect_state(stream_.get());
    if (options.shake) shaken_ = Step([&] { return SSL_do_handshake(stream_.get()); }) == 1;
  }
  ~TlsClient() { close(fd_); }
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// The handshake was done, as this side sees it; with TLS 1.3 the server may yet refuse a client's certificate.
  bool shaken() const { return shaken_; }
  SSL* stream() { return stream_.get(); }

  void Send(std::string_view bytes) { SendRaw(Encrypted(bytes)); }
  /// The bytes that would be sent.
  std::string Encrypted(std::string_view bytes) {
    CHECK(SSL_write(stream_.get(), bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
    return TakeOut();
  }
  void SendRaw(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;  // the server has closed; what it said is read next
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  /// Everything until the server closes.
  std::string ReadAll() {
    while (ReadSome()) {
    }
    return std::exchange(read_, {});
  }
  /// Up to and with `mark`, or everything when the server closes before it.
  std::string ReadUntil(std::string_view mark) {
    size_t from = 0;
    while (read_.find(mark, from) == std::string::npos) {
      from = read_.size() < mark.size() ? 0 : read_.size() - mark.size();
      if (!ReadSome()) break;
    }
    const size_t at = read_.find(mark);
    const std::string text = read_.substr(0, at == std::string::npos ? at : at + mark.size());
    read_.erase(0, text.size());
    return text;
  }
  /// Does `step` again until it no longer wants bytes; gives what it gave.
  template <typename Function>
  int Step(const Function& step) {
    for (;;) {
      const int result = step();
      const int error = SSL_get_error(stream_.get(), result);
      SendRaw(TakeOut());
      if (result > 0 || error != SSL_ERROR_WANT_READ || !Receive()) return result;
    }
  }

 private:
  void Configure(const TlsClientOptions& options) {
    SSL_CTX* context = context_.get();
    SSL_CTX_set_security_level(context, 0);  // a client of long ago
    if (options.min_version != 0) CHECK(SSL_CTX_set_min_proto_version(context, options.min_version) == 1);
    if (options.max_version != 0) CHECK(SSL_CTX_set_max_proto_version(context, options.max_version) == 1);
    if (!options.alpn.empty()) {
      SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(options.alpn.data()),
                              static_cast<unsigned>(options.alpn.size()));
    }
    if (!options.ca.empty()) {
      const OpenSslPtr<X509> ca(
          PEM_read_bio_X509(OpenSslPtr<BIO>(BIO_new_mem_buf(options.ca.data(), -1)).get(), nullptr, nullptr, nullptr));
      CHECK(ca != nullptr && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) == 1);
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    if (options.own.certificate.empty()) return;
    const OpenSslPtr<X509> own(PEM_read_bio_X509(
        OpenSslPtr<BIO>(BIO_new_mem_buf(options.own.certificate.data(), -1)).get(), nullptr, nullptr, nullptr));
    const OpenSslPtr<EVP_PKEY> key(PEM_read_bio_PrivateKey(
        OpenSslPtr<BIO>(BIO_new_mem_buf(options.own.key.data(), -1)).get(), nullptr, nullptr, nullptr));
    CHECK(SSL_CTX_use_certificate(context, own.get()) == 1 && SSL_CTX_use_PrivateKey(context, key.get()) == 1);
  }
  std::string TakeOut() {
    BIO* out = SSL_get_wbio(stream_.get());
    std::string bytes(BIO_ctrl_pending(out), '\0');
    if (!bytes.empty()) CHECK(BIO_read(out, bytes.data(), static_cast<int>(bytes.size())) > 0);
    return bytes;
  }
  bool Receive() {
    char chunk[16384];
    const ssize_t got = recv(fd_, chunk, sizeof chunk, 0);
    return got > 0 && BIO_write(SSL_get_rbio(stream_.get()), chunk, static_cast<int>(got)) == got;
  }
  bool ReadSome() {
    char chunk[16384];
    const int got = Step([&] { return SSL_read(stream_.get(), chunk, sizeof chunk); });
    if (got <= 0) return false;
    read_.append(chunk, static_cast<size_t>(got));
    return true;
  }

  const int fd_;
  const OpenSslPtr<SSL_CTX> context_;
  OpenSslPtr<SSL> stream_;
  bool shaken_ = false;
  std::string read_;  // not yet returned
};

}  // namespace pawsight::net::testing
