// net/connection.h: the bytes of one connection of a server, with TLS or without, over a socket that never blocks. Not
// here: waiting and time limits (net/http_loop.h). Thread-compatible.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "net/tls.h"

namespace pawsight::net {

class Connection {
 public:
  /// `socket` does not block, stays the caller's and outlives this. `tls` may be null: none.
  Connection(int socket, std::shared_ptr<const TlsContext> tls);

  bool is_tls() const { return stream_.has_value(); }

  /// TLS: again until it is kDone or kFailed. A peer that speaks HTTP without TLS is told so.
  Io Handshake();

  /// kDone with at least a byte. Cost: one system call, or with TLS two.
  Io Read(char* to, size_t room, size_t* count);
  /// Takes bytes from the front of `first`, then of `second`: as many as go at once. After kWantWrite the next call
  /// begins with the same bytes.
  Io Write(std::string_view first, std::string_view second, size_t* count);
  /// The peer sees the end of what it is sent; it may be read on.
  void EndSending();

  /// Bytes, or the end, have come that no wait on the socket would tell of.
  bool has_more() const { return stream_ && stream_->has_more(); }
  /// TLS: part of a record has come, which Read does not give yet.
  bool HoldsPart() const { return stream_ && stream_->HoldsPart(); }

 private:
  Io WriteRecords(std::string_view first, std::string_view second, size_t* count);

  const int socket_;
  const std::shared_ptr<const TlsContext> context_;  // outlives the stream
  std::optional<TlsStream> stream_;
};

}  // namespace pawsight::net
