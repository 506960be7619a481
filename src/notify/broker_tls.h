// notify/broker_tls.h: TLS for a connection that is made to a checked address but must be with a named broker.
// libmosquitto checks certificates against what it connects to, which is an address here, so the check is OpenSSL's,
// set up by us. For mqtt_connection.cc; thread-compatible.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "notify/receiver_config.h"

struct ssl_ctx_st;

namespace pawsight::notify {

/// TLS 1.2 or later; asks for `host` by name and takes only a trusted certificate for it, or, with pins, only a
/// certificate with such a key. Must outlive the connections made with it.
class BrokerTls {
 public:
  /// Errors: kUnavailable, the trusted certificates cannot be read.
  static Result<std::unique_ptr<BrokerTls>> Make(const Host& host, const std::vector<Pin>& pins,
                                                 const std::string& ca_file);
  ~BrokerTls();
  BrokerTls(const BrokerTls&) = delete;
  BrokerTls& operator=(const BrokerTls&) = delete;

  /// For MOSQ_OPT_SSL_CTX.
  ssl_ctx_st* context() const { return context_; }
  const std::string& name() const { return name_; }
  const std::vector<Pin>& pins() const { return pins_; }

 private:
  BrokerTls(const Host& host, std::vector<Pin> pins);
  const std::string name_;  // empty: an address, which is not asked for by name
  const std::vector<Pin> pins_;
  ssl_ctx_st* context_ = nullptr;
};

}  // namespace pawsight::notify
