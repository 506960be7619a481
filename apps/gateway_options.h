// apps/gateway_options.h: the settings of `pawsight gateway`.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/options.h"
#include "frames/decode.h"

namespace pawsight {

struct GatewayOptions {
  std::string listen = "127.0.0.1:8080";
  std::string listen_metrics;
  std::vector<std::string> hosts;
  std::string tls_certificate;
  std::string tls_key;
  std::string data;
  std::string receiver_keys;
  bool open_secrets = false;
  bool new_admin = false;

  std::vector<std::string> workers;
  std::string worker_token_file;
  std::string worker_ca;
  double price_per_hour = 0;
  double worker_capacity = 0;
  double autoscale_target = 0.7;
  int workers_least = 1;
  int workers_most = 100;

  std::string model;
  std::string artifacts;
  std::string precision = "int8";
  std::string cpu;
  int threads = 0;

  int http_threads = 1;
  int gate_threads = 1;
  int max_connections = 32768;
  Bytes max_body{32U << 20U};
  Bytes max_frame{8U << 20U};
  Bytes waiting_bytes{256U << 20U};
  Bytes kept_bytes{64U << 20U};
  int max_cameras = 100000;
  int owner_cameras = 10000;
  int max_outstanding = 256;
  double device_rate = 30;
  double device_burst = 60;
  std::chrono::milliseconds answer_within{10000};
  bool pull_cameras = false;
  int max_pulled = 256;
  std::chrono::milliseconds pull_silence{15000};
  int wrong_tokens = 20;

  std::chrono::hours keep_events{24 * 365};
  std::chrono::hours keep_deliveries{24 * 30};
  std::chrono::hours keep_pictures{24 * 30};

  std::string access_log = "off";
  int access_log_rate = 20;
  std::chrono::milliseconds drain_limit{25000};

  template <typename Visitor>
  static void Describe(Visitor&& option) {
    using O = GatewayOptions;
    using std::chrono::hours;
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    option(&O::listen, "listen", "address:port of the API and the page");
    option(&O::listen_metrics, "listen-metrics", "address:port of /metrics without a token; empty: none");
    option(&O::hosts, "hosts", "names this server has besides its addresses and localhost");
    option(&O::tls_certificate, "tls-certificate", "PEM file of the certificate and its chain; empty: no TLS");
    option(&O::tls_key, "tls-key", "PEM file of its key");
    option(&O::data, "data", "directory of the store and the admin's token; empty: pawsight under XDG_DATA_HOME");
    option(&O::receiver_keys, "receiver-keys",
           "file of the keys that seal receivers' secrets, the newest first; empty: receiver.keys in `data`");
    option(&O::open_secrets, "open-secrets", "take files of secrets that everybody on this machine may read");
    option(&O::new_admin, "new-admin", "make a new admin's token at this start and revoke those there are");

    option(&O::workers, "workers", "URLs of workers, http(s):// or grpc(s)://; none: the model runs in this process");
    option(&O::worker_token_file, "worker-token-file", "file with the bearer token that workers want");
    option(&O::worker_ca, "worker-ca", "PEM file: who signs the workers' certificates; empty: the system's");
    option(&O::price_per_hour, "price-per-hour", "of all workers, in dollars, for what an answer costs", 0.0, 1e6);
    option(&O::worker_capacity, "worker-capacity", "frames a second that one worker answers; 0: not known", 0.0, 1e6);
    option(&O::autoscale_target, "autoscale-target", "share of its capacity that a worker should have", 0.1, 1.0);
    option(&O::workers_least, "workers-least", "that the autoscale signal asks for", 0, 100000);
    option(&O::workers_most, "workers-most", "that the autoscale signal asks for", 1, 100000);

    option(&O::model, "model", "in this process: model directory in the hub's layout; empty: pawsight-mini");
    option(&O::artifacts, "artifacts", "in this process: directory made by `pawsight compile`, instead of a model");
    option(&O::precision, "precision", "in which a model is compiled into the cache: fp32, bf16, int8");
    option(&O::cpu, "cpu", "kernels: scalar, avx2, avx512, amx; empty: the fastest");
    option(&O::threads, "threads", "of a forward pass; 0: one a core", 0, 256);

    option(&O::http_threads, "http-threads", "that read and answer HTTP", 1, 64);
    option(&O::gate_threads, "gate-threads", "that look whether frames changed", 1, 64);
    option(&O::max_connections, "max-connections", "at once, if there are descriptors; another gets 503", 1, 1 << 20);
    option(&O::max_body, "max-body", "of a request; 413", Bytes{1024}, Bytes{1U << 30U});
    option(&O::max_frame, "max-frame", "of one frame; 413", Bytes{1024},
           Bytes{frames::DecodeLimits().max_bytes});  // more is decoded nowhere, here or at a worker
    option(&O::waiting_bytes, "waiting-bytes", "of all frames on their way; 503", Bytes{1U << 20U}, Bytes{1ULL << 40U});
    option(&O::kept_bytes, "kept-bytes", "of newest frames, kept for questions and the page; 0 keeps none", Bytes{0},
           Bytes{1ULL << 40U});
    option(&O::max_cameras, "max-cameras", "of all owners", 1, 1 << 24);
    option(&O::owner_cameras, "owner-cameras", "of one owner", 1, 1 << 24);
    option(&O::max_outstanding, "max-outstanding", "frames at the workers at once", 1, 65536);
    option(&O::device_rate, "device-rate", "frames a second of one device; 429", 0.01, 10000.0);
    option(&O::device_burst, "device-burst", "frames of one device at once", 1.0, 10000.0);
    option(&O::answer_within, "answer-within", "of a frame's arrival, or it is shed", milliseconds(100), seconds(300));
    option(&O::pull_cameras, "pull-cameras", "owners may name a URL that frames are pulled from");
    option(&O::max_pulled, "max-pulled", "cameras that are pulled at once; a thread each", 1, 65536);
    option(&O::pull_silence, "pull-silence", "of a camera that is pulled; then it is connected to anew", seconds(1),
           seconds(3600));
    option(&O::wrong_tokens, "wrong-tokens", "different ones of an address in a minute; then 429", 1, 10000);

    option(&O::keep_events, "keep-events", "and resolved alerts, so long; 0: for ever", hours(0), hours(24 * 3650));
    option(&O::keep_deliveries, "keep-deliveries", "that are finished, so long; 0: for ever", hours(0),
           hours(24 * 3650));

    option(&O::keep_pictures, "keep-pictures", "of alerts, where a camera's owner wants them kept, so long", hours(1),
           hours(24 * 3650));

    option(&O::access_log, "access-log", "file for a line a request, - for standard error, off for none");
    option(&O::access_log_rate, "access-log-rate", "lines a second, of requests that went well and of others each", 1,
           100000);
    option(&O::drain_limit, "drain-limit", "at SIGTERM: for accepted frames to end", milliseconds(0), seconds(600));
  }
};

}  // namespace pawsight
