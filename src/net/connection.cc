#include "net/connection.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace pawsight::net {
namespace {

constexpr size_t kRecordBytes = 16U << 10U;  // most of one TLS record
constexpr int kMaxRecords = 16;              // at once, so that others on the thread have their turn

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

Connection::Connection(int socket, std::shared_ptr<const TlsContext> tls) : socket_(socket), context_(std::move(tls)) {
  if (context_ != nullptr) stream_.emplace(*context_, socket);
}

Io Connection::Handshake() {
  if (!stream_) return Io::kDone;
  const Io io = stream_->Handshake();
  if (io == Io::kFailed && stream_->saw_plain_http()) {
    static constexpr std::string_view kWantTls =
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 23\r\nConnection: close\r\n\r\nthis port speaks HTTPS\n";
    (void)send(socket_, kWantTls.data(), kWantTls.size(), MSG_NOSIGNAL);  // a peer that has gone is not told
  }
  return io;
}

Io Connection::Read(char* to, size_t room, size_t* count) {
  if (stream_) return stream_->Read(to, room, count);
  const ssize_t got = recv(socket_, to, room, 0);
  *count = got > 0 ? static_cast<size_t>(got) : 0;
  if (got > 0) return Io::kDone;
  if (got == 0) return Io::kEnded;
  return WouldBlock() ? Io::kWantRead : Io::kFailed;
}

Io Connection::Write(std::string_view first, std::string_view second, size_t* count) {
  if (stream_) return WriteRecords(first, second, count);
  *count = 0;
  // writev's constness is C's.
  std::array<iovec, 2> parts = {
      {{const_cast<char*>(first.data()), first.size()}, {const_cast<char*>(second.data()), second.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t sent = sendmsg(socket_, &message, MSG_NOSIGNAL);
  if (sent < 0) return WouldBlock() ? Io::kWantWrite : Io::kFailed;
  *count = static_cast<size_t>(sent);
  return Io::kDone;
}

/// Record after record; a small head and its body go in one.
Io Connection::WriteRecords(std::string_view first, std::string_view second, size_t* count) {
  *count = 0;
  std::array<char, kRecordBytes> joined;
  for (int n = 0; n < kMaxRecords && (!first.empty() || !second.empty()); ++n) {
    std::string_view record = first.empty() ? second.substr(0, kRecordBytes) : first.substr(0, kRecordBytes);
    if (!first.empty() && record.size() < kRecordBytes && !second.empty()) {
      const size_t more = std::min(kRecordBytes - record.size(), second.size());
      std::copy(record.begin(), record.end(), joined.begin());
      std::copy_n(second.begin(), more, joined.begin() + static_cast<ptrdiff_t>(record.size()));
      record = {joined.data(), record.size() + more};
    }
    size_t sent = 0;
    const Io io = stream_->Write(record, &sent);
    const size_t of_first = std::min(sent, first.size());
    first.remove_prefix(of_first);
    second.remove_prefix(sent - of_first);
    *count += sent;
    if (io != Io::kDone) return *count > 0 && io == Io::kWantWrite ? Io::kDone : io;
  }
  return Io::kDone;
}

void Connection::EndSending() {
  if (stream_) stream_->EndSending();
  (void)shutdown(socket_, SHUT_WR);  // the peer may be gone
}

}  // namespace pawsight::net
