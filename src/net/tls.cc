#include "net/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/files.h"

namespace pawsight::net {
namespace {

constexpr size_t kMaxFileBytes = 1U << 20U;
constexpr size_t kReadAheadBytes = 64U << 10U;  // records taken from the socket at once; held only while there are some

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, Free>;
using X509Ptr = std::unique_ptr<X509, Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Free>;

/// What OpenSSL says of its last failure; forgets it.
std::string Why() {
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  const std::string_view all = text.data();  // error:0A00018F:SSL routines::ee key too small
  return std::string(all.substr(std::min(all.size(), all.rfind(':') + 1)));
}

Status Bad(const std::string& setting, const std::string& why) {
  return InvalidArgument(setting + ": " + why, "tls_invalid");
}

BioPtr Memory(const std::string& text) {
  CHECK(text.size() <= static_cast<size_t>(std::numeric_limits<int>::max()));
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Never asks a person for a passphrase.
int NoPassphrase(char*, int, int, void*) { return 0; }

X509Ptr NextCertificate(BIO* bio) { return X509Ptr(PEM_read_bio_X509(bio, nullptr, NoPassphrase, nullptr)); }

Status UseCertificate(SSL_CTX* context, const std::string& pem, int64_t* expires_unix_s) {
  const BioPtr bio = Memory(pem);
  const X509Ptr own = NextCertificate(bio.get());
  if (own == nullptr) return Bad("tls-certificate", "want PEM of a certificate: " + Why());
  if (X509_cmp_current_time(X509_get0_notAfter(own.get())) <= 0) return Bad("tls-certificate", "it has expired");
  if (X509_cmp_current_time(X509_get0_notBefore(own.get())) > 0) return Bad("tls-certificate", "it is not valid yet");
  tm expires{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(own.get()), &expires) != 1) return Bad("tls-certificate", Why());
  *expires_unix_s = timegm(&expires);
  if (SSL_CTX_use_certificate(context, own.get()) != 1) return Bad("tls-certificate", Why());
  for (X509Ptr above = NextCertificate(bio.get()); above != nullptr; above = NextCertificate(bio.get())) {
    if (SSL_CTX_add1_chain_cert(context, above.get()) != 1) return Bad("tls-certificate", Why());
  }
  ERR_clear_error();  // of the end of the text
  return Ok();
}

Status UseKey(SSL_CTX* context, const std::string& pem) {
  const KeyPtr key(PEM_read_bio_PrivateKey(Memory(pem).get(), nullptr, NoPassphrase, nullptr));
  if (key == nullptr) return Bad("tls-key", "want PEM of a key that is not encrypted: " + Why());
  if (SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1) {
    return Bad("tls-key", "it is not that of the certificate: " + Why());
  }
  return Ok();
}

Status WantClients(SSL_CTX* context, const std::string& pem) {
  const BioPtr bio = Memory(pem);
  int count = 0;
  for (X509Ptr ca = NextCertificate(bio.get()); ca != nullptr; ca = NextCertificate(bio.get()), ++count) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1 ||
        SSL_CTX_add_client_CA(context, ca.get()) != 1) {
      return Bad("tls-client-ca", Why());
    }
  }
  ERR_clear_error();  // of the end of the text
  if (count == 0) return Bad("tls-client-ca", "want PEM of certificates");
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return Ok();
}

/// A client that names protocols and not this one is refused; one that names none is served.
int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* wanted,
                   unsigned int wanted_length, void*) {
  static constexpr std::array<unsigned char, 18> kOurs = {8, 'h', 't', 't', 'p', '/', '1', '.', '1',
                                                          8, 'h', 't', 't', 'p', '/', '1', '.', '0'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, length, kOurs.data(), kOurs.size(), wanted, wanted_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void Restrict(SSL_CTX* context) {
  CHECK(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1);
  CHECK(SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1);  // of 1.2; those of 1.3 are all good
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                   SSL_OP_IGNORE_UNEXPECTED_EOF);  // requests say themselves where they end
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  CHECK(SSL_CTX_set_num_tickets(context, 0) == 1);
  CHECK(SSL_CTX_set_max_early_data(context, 0) == 1);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);  // an idle connection holds none
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadAheadBytes);
  SSL_CTX_set_alpn_select_cb(context, ChooseProtocol, nullptr);
}

/// A socket as OpenSSL reads and writes it. Its own would raise SIGPIPE when the peer has gone.
int SocketOf(BIO* bio) { return *static_cast<const int*>(BIO_get_data(bio)); }

int FinishStep(BIO* bio, ssize_t result, int retry) {
  BIO_clear_retry_flags(bio);
  if (result < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    BIO_set_flags(bio, BIO_FLAGS_SHOULD_RETRY | retry);
  }
  return static_cast<int>(result);
}

int ReadSocket(BIO* bio, char* to, int room) {
  const ssize_t got = recv(SocketOf(bio), to, static_cast<size_t>(room), 0);
  if (got == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return FinishStep(bio, got, BIO_FLAGS_READ);
}

int WriteSocket(BIO* bio, const char* bytes, int count) {
  return FinishStep(bio, send(SocketOf(bio), bytes, static_cast<size_t>(count), MSG_NOSIGNAL), BIO_FLAGS_WRITE);
}

long ControlSocket(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

const BIO_METHOD* SocketMethod() {
  static const BIO_METHOD* method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    CHECK(made != nullptr && BIO_meth_set_read(made, ReadSocket) == 1 && BIO_meth_set_write(made, WriteSocket) == 1 &&
          BIO_meth_set_ctrl(made, ControlSocket) == 1);
    return made;
  }();
  return method;
}

}  // namespace

Result<TlsText> ReadTls(const TlsFiles& files) {
  TlsText text;
  const std::array<std::pair<const std::string*, std::string*>, 3> parts = {
      {{&files.certificate, &text.certificate}, {&files.key, &text.key}, {&files.client_ca, &text.client_ca}}};
  static constexpr std::array<const char*, 3> kNames = {"tls-certificate", "tls-key", "tls-client-ca"};
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].first->empty()) continue;
    Result<std::string> read = ReadTextFile(*parts[i].first, kMaxFileBytes);
    if (!read.ok()) return Annotate(read.status(), kNames[i]);
    *parts[i].second = *std::move(read);
    if (parts[i].second->empty()) return Bad(kNames[i], *parts[i].first + " is empty");
  }
  return text;
}

Result<std::shared_ptr<const TlsContext>> TlsContext::Make(const TlsText& text) {
  if (text.certificate.empty() || text.key.empty()) {
    return InvalidArgument("TLS wants both tls-certificate and tls-key", "tls_invalid");
  }
  ERR_clear_error();
  const std::shared_ptr<TlsContext> made(new TlsContext());
  made->context_ = SSL_CTX_new(TLS_server_method());
  if (made->context_ == nullptr) return Internal("TLS: " + Why());
  Restrict(made->context_);
  PAWSIGHT_RETURN_IF_ERROR(UseCertificate(made->context_, text.certificate, &made->expires_unix_s_));
  PAWSIGHT_RETURN_IF_ERROR(UseKey(made->context_, text.key));
  if (!text.client_ca.empty()) PAWSIGHT_RETURN_IF_ERROR(WantClients(made->context_, text.client_ca));
  return std::shared_ptr<const TlsContext>(made);
}

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

TlsStream::TlsStream(const TlsContext& context, int socket) : socket_(socket), stream_(SSL_new(context.context_)) {
  BIO* bio = BIO_new(SocketMethod());
  CHECK(stream_ != nullptr && bio != nullptr);  // out of memory
  BIO_set_data(bio, &socket_);
  BIO_set_init(bio, 1);
  SSL_set_bio(stream_, bio, bio);
  SSL_set_accept_state(stream_);
}

TlsStream::~TlsStream() {
  SSL_free(stream_);
  ERR_clear_error();
}

Io TlsStream::Outcome(int result) {
  switch (SSL_get_error(stream_, result)) {
    case SSL_ERROR_WANT_READ:
      return Io::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Io::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return end_ = Io::kEnded;
    default:
      break;
  }
  saw_plain_http_ = !handshaken_ && ERR_GET_REASON(ERR_peek_error()) == SSL_R_HTTP_REQUEST;
  ERR_clear_error();
  return end_ = Io::kFailed;
}

Io TlsStream::Handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(stream_);
  if (result != 1) return Outcome(result);
  handshaken_ = true;
  has_more_ = SSL_has_pending(stream_) == 1;
  return Io::kDone;
}

Io TlsStream::Read(char* to, size_t room, size_t* count) {
  *count = 0;
  has_more_ = false;
  if (end_ != Io::kDone) return end_;
  ERR_clear_error();
  while (*count < room) {  // a record at a time
    size_t got = 0;
    const int result = SSL_read_ex(stream_, to + *count, room - *count, &got);
    *count += got;
    if (result == 1) continue;
    const Io io = Outcome(result);
    if (*count == 0) return io;
    has_more_ = end_ != Io::kDone;  // the end is told by the next Read
    return Io::kDone;
  }
  has_more_ = true;  // perhaps
  return Io::kDone;
}

Io TlsStream::Write(std::string_view bytes, size_t* count) {
  *count = 0;
  if (end_ == Io::kFailed) return end_;
  ERR_clear_error();
  const int result = SSL_write_ex(stream_, bytes.data(), bytes.size(), count);
  return result == 1 ? Io::kDone : Outcome(result);
}

void TlsStream::EndSending() {
  if (!handshaken_ || end_ == Io::kFailed) return;
  ERR_clear_error();
  (void)SSL_shutdown(stream_);  // whether it could be told: the connection ends either way
  ERR_clear_error();
}

bool TlsStream::HoldsPart() const { return SSL_has_pending(stream_) == 1; }

}  // namespace pawsight::net
