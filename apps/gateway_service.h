// apps/gateway_service.h: everything a gateway has, built bottom up: store, workers, path, notifier, API, listeners.
// Started, drained and ended by one thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "apps/gateway_options.h"
#include "base/status.h"
#include "gateway/api/registry.h"
#include "gateway/backends/backends.h"
#include "gateway/event_record.h"
#include "gateway/names.h"
#include "net/http.h"
#include "notify/post_office.h"
#include "notify/seal.h"

namespace pawsight {

/// What an operator gets wrong most: a listener beyond loopback without TLS and a name, TLS files that do not fit,
/// networks and URLs that are none, secrets that everybody may read. Errors: kInvalidArgument and others, naming the
/// setting.
Status CheckGatewayOptions(const GatewayOptions& options, const notify::PostOfficeOptions& receivers);

/// What a command knows besides the settings, and what one that is a gateway besides something else wants otherwise.
/// All that it names outlives the service.
struct GatewayExtras {
  bool lasts = true;                   // false: its directory goes away with it, nothing waits for the disk
  bool serves = true;                  // false: nobody listens, the API is unreachable
  const Clock* frame_clock = nullptr;  // the time of frames; null: the machine's
  gateway::Names* names = nullptr;     // learns what there is; with `events`
  int connections = 0;                 // at once, of those the settings allow; 0: all
  std::string events;                  // file of this machine's events, beside the store; "": none
};

/// Whether only this machine reaches it.
bool IsLoopback(const net::ListenAddress& address);

class GatewayService {
 public:
  GatewayService(const GatewayOptions& options, const notify::PostOfficeOptions& receivers,
                 const GatewayExtras& extras = {});
  /// After Drain; without it, as when Start fails, what waits is refused, and what is on its way is waited for.
  ~GatewayService();
  GatewayService(const GatewayService&) = delete;
  GatewayService& operator=(const GatewayService&) = delete;

  /// Errors: CheckGatewayOptions's; kFailedPrecondition `in_use`, another gateway has the directory; the store's, the
  /// model's, a listener's.
  Status Start();

  /// "http://127.0.0.1:8080"; "" when it does not serve.
  std::string url() const;
  std::string Where() const;
  /// The first admin's token when this start made it, else "". And the file that holds it.
  const std::string& first_token() const;
  std::string token_path() const;

  /// Its parts, for the home of `watch` and `demo`. After Start.
  events::Store& store();
  gateway::Registry& registry();
  gateway::FramePath& path();
  const notify::SecretKeys& receiver_keys() const;
  /// Null without a file of events.
  const gateway::EventRecord* events() const;
  /// Pools and routing instead of the settings', until others are put. Errors: BackendsApi::Load's.
  Status LoadBackends(const gateway::PoolsConfig& pools, const gateway::RoutingConfig& routing);

  /// Why it is not ready; empty: it is.
  std::vector<std::string> Unready() const;

  /// Takes over what of `options` may change while it runs: TLS files, what workers are shown, the workers and their
  /// price (named in the log as overruled when pools were put by the API), devices' rate, the autoscale settings; the
  /// rest is named in the log as waiting for a restart. Errors: CheckGatewayOptions's, the access log's,
  /// BackendsApi::Load's; then nothing has changed.
  Status Reload(const GatewayOptions& options, const notify::PostOfficeOptions& receivers);
  /// For the gauge config_last_reload_ok.
  void NoteReload(bool ok);

  /// Not ready at once, takes no more frames, waits for what was accepted to end, within the limit. False: some has
  /// not.
  bool Drain();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace pawsight
