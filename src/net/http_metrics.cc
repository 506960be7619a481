#include "net/http_metrics.h"

#include "base/metrics.h"

namespace pawsight::net {

std::string HttpMetrics(std::span<const NamedHttpServer> servers) {
  MetricsWriter out("pawsight_net_");
  const auto each = [&](std::string_view name, std::string_view type, std::string_view help, const auto& value) {
    out.Metric(name, type, help);
    for (const NamedHttpServer& named : servers) {
      out.Sample(static_cast<double>(value(named.server)), MetricLabel("listener", named.listener));
    }
  };
  using S = HttpServer;
  each("connections", "gauge", "Connections now.", [](const S& s) { return s.num_connections(); });
  each("connections_limit", "gauge", "Connections that there may be.", [](const S& s) { return s.max_connections(); });
  each("connections_total", "counter", "Connections accepted.", [](const S& s) { return s.counts().accepted.load(); });
  each("connections_refused_total", "counter", "Connections turned away: as many as may be were there.",
       [](const S& s) { return s.counts().turned_away.load(); });
  each("handshakes_failed_total", "counter", "TLS handshakes that came to nothing.",
       [](const S& s) { return s.counts().handshakes_failed.load(); });
  each("certificate_expiry_timestamp_seconds", "gauge", "When the certificate expires; 0: no TLS.",
       [](const S& s) { return s.certificate_expires_unix_s(); });
  each("in_flight_bytes", "gauge", "Bytes of bodies being read and answered.",
       [](const S& s) { return s.bytes_in_flight(); });
  each("received_bytes_total", "counter", "Bytes of HTTP received.",
       [](const S& s) { return s.counts().bytes_in.load(); });
  each("sent_bytes_total", "counter", "Bytes of HTTP sent.", [](const S& s) { return s.counts().bytes_out.load(); });
  out.Metric("responses_total", "counter", "Responses by status; 499: the client went before it had one.");
  for (const NamedHttpServer& named : servers) {
    for (int status = 0; status <= kMaxStatus; ++status) {
      const uint64_t count = named.server.counts().responses[static_cast<size_t>(status)];
      if (count == 0) continue;
      out.Sample(static_cast<double>(count),
                 MetricLabel("listener", named.listener) + "," + MetricLabel("status", std::to_string(status)));
    }
  }
  out.Metric("errors_total", "counter", "Responses that said what was wrong, by its stable code.");
  for (const NamedHttpServer& named : servers) {
    for (const auto& [reason, count] : named.server.counts().reasons.View()) {
      out.Sample(static_cast<double>(count),
                 MetricLabel("listener", named.listener) + "," + MetricLabel("reason", reason));
    }
  }
  return out.Take();
}

}  // namespace pawsight::net
