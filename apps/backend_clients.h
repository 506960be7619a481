// apps/backend_clients.h: what the endpoint kinds of gateway/backends stand for: "http" and "grpc" speak to a server,
// "embedded" is the model in this process; and what credentials' names mean. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/mutex.h"
#include "client/inference_client.h"
#include "client/io_thread.h"
#include "gateway/backends/routing.h"

namespace pawsight {

/// What an endpoint is shown and how it is known; "" is none.
struct BackendCredential {
  std::string token;
  std::string ca_pem;           // who may sign its certificate; "": the system's list
  std::string certificate_pem;  // ours, with its chain
  std::string key_pem;
  friend bool operator==(const BackendCredential&, const BackendCredential&) = default;
};

class BackendClients {
 public:
  /// `credentials` by name. `embedded` makes clients of the model in this process, in a precision, "" the process' own;
  /// null: there is none.
  using Embedded = std::function<Result<std::shared_ptr<client::InferenceClient>>(const std::string& precision)>;
  BackendClients(std::map<std::string, BackendCredential> credentials, Embedded embedded)
      : credentials_(std::move(credentials)), embedded_(std::move(embedded)) {}

  /// For clients made from now on.
  void SetCredentials(std::map<std::string, BackendCredential> credentials) EXCLUDES(mu_);

  /// For gateway::Backends, which it outlives. An address of "http" is a URL, https for TLS; of "grpc" it is host:port,
  /// or grpcs://host:port for TLS. Errors: kInvalidArgument, an address that is none. kFailedPrecondition, no such
  /// credential; no model in this process. What `embedded` says.
  Result<std::shared_ptr<client::InferenceClient>> Make(const gateway::EndpointConfig& endpoint) EXCLUDES(mu_);

 private:
  Mutex mu_;
  std::map<std::string, BackendCredential> credentials_ GUARDED_BY(mu_);
  const Embedded embedded_;
  client::IoThread io_;
};

}  // namespace pawsight
