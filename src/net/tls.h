// net/tls.h: TLS of a server: what a listener shows and wants, as files say it, and the bytes of one connection over a
// socket that never blocks. TLS 1.2 and 1.3, forward secrecy and authenticated ciphers alone; no renegotiation, no
// compression, no resumption (so no 0-RTT, and a client's certificate is looked at in every handshake). Not here:
// sockets and time limits (net/http_loop.h), TLS of our clients (net/http_client.h). Certificates are not looked up in
// revocation lists. TlsContext is thread-safe, TlsStream thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

struct ssl_ctx_st;
struct ssl_st;

namespace pawsight::net {

/// Paths of PEM files. Without any there is no TLS.
struct TlsFiles {
  std::string certificate;  // and its chain, the server's own first
  std::string key;
  std::string client_ca;  // clients show a certificate of one of these, or get none of our answers; "" asks for none
};

/// What stands in them.
struct TlsText {
  std::string certificate;
  std::string key;
  std::string client_ca;

  bool wanted() const { return !certificate.empty() || !key.empty() || !client_ca.empty(); }
};

/// Errors: those of ReadTextFile (a file is at most 1 MiB) and kInvalidArgument, a file is empty; with the setting's
/// name.
Result<TlsText> ReadTls(const TlsFiles& files);

/// A certificate with its key and what is asked of clients: what connections are made with. Never changes; a
/// connection keeps the one it began with.
class TlsContext {
 public:
  /// Errors: kInvalidArgument, with the setting's name: one of certificate and key is missing or no PEM of one, the key
  /// is encrypted or of another certificate, the certificate has expired or is not valid yet, is too weak, or the CA
  /// holds no certificate.
  static Result<std::shared_ptr<const TlsContext>> Make(const TlsText& text);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  /// When the certificate expires, seconds of Unix time.
  int64_t expires_unix_s() const { return expires_unix_s_; }

 private:
  friend class TlsStream;
  TlsContext() = default;
  ssl_ctx_st* context_ = nullptr;
  int64_t expires_unix_s_ = 0;
};

/// What became of a step on a connection that never blocks.
enum class Io {
  kDone,
  kWantRead,   // nothing happened; again when the socket can be read
  kWantWrite,  // when it can be written
  kEnded,      // the peer sends no more
  kFailed,     // the connection is of no use any more
};

class TlsStream {
 public:
  /// `socket` does not block, stays the caller's and outlives this.
  TlsStream(const TlsContext& context, int socket);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  /// Again until it is kDone or kFailed; then a peer that can read it was told why.
  Io Handshake();
  /// The peer's first bytes were HTTP without TLS.
  bool saw_plain_http() const { return saw_plain_http_; }

  /// Fills `to` with what has come, as far as it goes; kDone with at least a byte.
  Io Read(char* to, size_t room, size_t* count);
  /// Takes bytes from the front. After kWantWrite the next call begins with the same bytes.
  Io Write(std::string_view bytes, size_t* count);
  /// Tells the peer that no more comes, if it can be told at once.
  void EndSending();

  /// Bytes have come that no wait on the socket would tell of.
  bool has_more() const { return has_more_; }
  /// The beginning of a record has come, its end has not.
  bool HoldsPart() const;

 private:
  Io Outcome(int result);

  int socket_;  // OpenSSL has its address
  ssl_st* stream_ = nullptr;
  bool has_more_ = false;
  bool handshaken_ = false;
  bool saw_plain_http_ = false;
  Io end_ = Io::kDone;  // kEnded or kFailed: what every further Read gives
};

}  // namespace pawsight::net
