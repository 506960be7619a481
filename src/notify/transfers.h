// notify/transfers.h: sends to receivers by HTTP and SMTP, many at once, on one thread (libcurl's multi interface). The
// guard is here: a name is looked up, every address is checked (notify/address.h), and only those checked addresses are
// connected to, both by what libcurl is told the name stands for and by looking at each socket's address before it is
// opened. A name that changes meanwhile changes nothing. Not here: what is sent (notify/webhook.h, ntfy.h, mail.h),
// trying again (notify/notifier.h). Thread-safe.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "notify/lookup.h"
#include "notify/receiver_config.h"

namespace pawsight::notify {

/// One message to one place.
struct Transfer {
  enum class Protocol { kHttps, kHttp, kSmtps, kSmtpStartTls, kSmtp };
  Protocol protocol = Protocol::kHttps;
  std::string owner;  // whose: the one whose name servers may be slow
  Host host;
  int port = 443;
  std::vector<Pin> pins;
  std::string body;
  // HTTP: a POST.
  std::string target = "/";
  std::vector<std::pair<std::string, std::string>> headers;  // no line breaks (CHECK)
  // SMTP.
  std::string username, password;  // empty: no authentication
  std::string from;
  std::vector<std::string> to;
};

struct TransferResult {
  /// OK when there is an answer. Errors: kPermissionDenied `address_refused`. kUnavailable, no name, no connection, no
  /// trusted certificate, broken off. kDeadlineExceeded. kUnauthenticated, the mail server does not take the password.
  /// kResourceExhausted, too many at once. kCancelled, closing.
  Status status;
  int code = 0;  // of HTTP or SMTP; also with an error, when there was one
  std::optional<std::chrono::seconds> retry_after;
};

struct TransfersOptions {
  AddressPolicy addresses;
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds timeout{10000};  // of all of it, the name too
  size_t max_answer_bytes = 64U << 10U;      // of a body; more is not read
  size_t max_header_bytes = 32U << 10U;      // of an answer; more ends it
  size_t max_running = 512;
  size_t max_waiting = 1024;  // for one of those; more are refused
  std::string ca_file;        // certificates to trust; empty: the system's
};

class Transfers {
 public:
  /// `lookup` outlives it.
  Transfers(Lookup& lookup, const TransfersOptions& options);
  /// What runs and waits ends with kCancelled.
  ~Transfers();
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  /// Calls `done` exactly once, on the transfers' thread or, when refused at once, before it returns. `done` must be
  /// quick; it may Start. An answer of HTTP counts as soon as its header is there: what follows is read up to
  /// max_answer_bytes and thrown away, never decompressed; redirects are answers like others.
  using Done = std::function<void(TransferResult)>;
  void Start(Transfer transfer, Done done);

  const TransfersOptions& options() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace pawsight::notify
