#include "apps/backend_clients.h"

#include <utility>

#include "client/http_client.h"
#include "rpc/grpc_client.h"

namespace pawsight {
namespace {

constexpr std::string_view kGrpcTls = "grpcs://";

template <typename Options>
void Show(const BackendCredential& credential, Options* options) {
  options->token = credential.token;
  options->ca_pem = credential.ca_pem;
  options->certificate_pem = credential.certificate_pem;
  options->key_pem = credential.key_pem;
}

/// How many calls there are at once is decided by the pool; a client takes what may come.
constexpr size_t kMaxCalls = 4096;

}  // namespace

void BackendClients::SetCredentials(std::map<std::string, BackendCredential> credentials) {
  MutexLock lock(mu_);
  credentials_.swap(credentials);  // what there was dies with the argument
}

Result<std::shared_ptr<client::InferenceClient>> BackendClients::Make(const gateway::EndpointConfig& endpoint) {
  BackendCredential credential;
  if (!endpoint.credential.empty()) {
    MutexLock lock(mu_);
    const auto found = credentials_.find(endpoint.credential);
    if (found == credentials_.end()) {
      return FailedPrecondition("credential: the settings have none called '" + endpoint.credential + "'",
                                "credential_unknown");
    }
    credential = found->second;
  }
  if (endpoint.kind == "embedded") {
    if (embedded_) return embedded_(endpoint.address);
    return FailedPrecondition("there is no model in this process", "embedded_missing");
  }
  if (endpoint.kind == "grpc") {
    rpc::GrpcClientOptions options;
    Show(credential, &options);
    options.tls = endpoint.address.starts_with(kGrpcTls);
    options.address = endpoint.address.substr(options.tls ? kGrpcTls.size() : 0);
    options.max_calls = kMaxCalls;
    PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<client::InferenceClient> made, rpc::MakeGrpcClient(options));
    return made;
  }
  if (endpoint.kind != "http") return InvalidArgument("kind: want http, grpc or embedded");
  client::HttpClientOptions options;
  Show(credential, &options);
  options.url = endpoint.address;
  options.max_connections = kMaxCalls;
  PAWSIGHT_ASSIGN_OR_RETURN(std::shared_ptr<client::InferenceClient> made, client::HttpClient::Make(options, io_));
  return made;
}

}  // namespace pawsight
