// apps/worker_options.h: the settings of `pawsight worker`.
#pragma once

#include <chrono>
#include <string>

#include "base/options.h"
#include "server/work.h"

namespace pawsight {

struct WorkerOptions {
  std::string model;
  std::string artifacts;
  std::string precision = "int8";
  std::string cpu;
  int threads = 0;
  int teams = 1;
  bool empty_model = false;
  double peak_gops = 0;

  std::string listen_http = "127.0.0.1:8000";
  std::string listen_grpc = "127.0.0.1:8001";
  std::string listen_metrics = "127.0.0.1:8002";
  std::string token_file;
  std::string tls_certificate;
  std::string tls_key;
  std::string tls_client_ca;
  std::string metrics_token_file;
  bool metrics_tls = false;

  int http_threads = 1;
  int max_connections = 16384;
  std::chrono::seconds handshake_timeout{10};
  std::chrono::seconds header_timeout{10};
  Bytes header_bytes{32U << 10U};
  std::chrono::seconds body_timeout{30};
  Bytes body_rate{1000};
  std::chrono::seconds idle_timeout{75};
  std::chrono::seconds write_timeout{20};
  Bytes max_body{32U << 20U};
  Bytes max_bytes_in_flight{256U << 20U};
  Bytes max_growth{1U << 30U};
  int max_calls = 2048;
  int max_images = server::kMaxImages;
  int max_questions = server::kMaxQuestionsAnImage;
  int max_pixels = 4096 * 4096;

  std::string access_log = "-";
  int access_log_rate = 20;

  int max_batch = 8;
  std::chrono::microseconds max_queue_delay{2000};
  int queue_limit = 512;
  int request_limit = 65536;
  Bytes queue_bytes{256U << 20U};
  int decoders = 1;
  std::chrono::milliseconds shed_target{20};
  std::chrono::milliseconds default_timeout{30000};

  std::chrono::milliseconds canary_interval{2000};
  std::chrono::milliseconds canary_limit{5000};
  std::chrono::milliseconds drain_limit{25000};

  template <typename Visitor>
  static void Describe(Visitor&& option) {
    using O = WorkerOptions;
    using std::chrono::milliseconds;
    using std::chrono::seconds;
    option(&O::model, "model", "model directory in the hub's layout; empty: pawsight-mini");
    option(&O::artifacts, "artifacts", "directory made by `pawsight compile`, instead of a model");
    option(&O::precision, "precision", "in which a model is compiled into the cache: fp32, bf16, int8");
    option(&O::cpu, "cpu", "kernels: scalar, avx2, avx512, amx; empty: the fastest");
    option(&O::threads, "threads", "of a forward pass; 0: the cores shared among the teams", 0, 256);
    option(&O::teams, "teams", "forward passes at once", 1, 256);
    option(&O::empty_model, "empty-model", "answers at once without a model, to measure everything else");
    option(&O::peak_gops, "peak-gops",
           "GFLOP/s of a thread that engine_peak_share is held against; 0: measured at start, some 10 ms", 0.0, 1e6);

    option(&O::listen_http, "listen-http", "address:port of HTTP; empty: none");
    option(&O::listen_grpc, "listen-grpc", "address:port of gRPC; empty: none");
    option(&O::listen_metrics, "listen-metrics", "address:port of /metrics; empty: none");
    option(&O::token_file, "token-file",
           "file with the bearer token that callers want; beyond loopback, this or tls-client-ca");
    option(&O::tls_certificate, "tls-certificate",
           "HTTP and gRPC: PEM file of the certificate and its chain; empty: no TLS");
    option(&O::tls_key, "tls-key", "PEM file of its key");
    option(&O::tls_client_ca, "tls-client-ca", "PEM file; callers want a certificate of it");
    option(&O::metrics_token_file, "metrics-token-file",
           "file with the bearer token for /metrics; beyond loopback, this or metrics-tls with tls-client-ca");
    option(&O::metrics_tls, "metrics-tls", "/metrics shows tls-certificate, and wants one of tls-client-ca, too");

    option(&O::http_threads, "http-threads", "that read and answer HTTP", 1, 64);
    option(&O::max_connections, "max-connections", "HTTP: at once; another gets 503", 1, 1 << 20);
    option(&O::handshake_timeout, "handshake-timeout", "for TLS, and gRPC, to begin; then the connection is closed",
           seconds(1), seconds(600));
    option(&O::header_timeout, "header-timeout", "HTTP: from a request's first byte to its header's end; 408",
           seconds(1), seconds(600));
    option(&O::header_bytes, "header-bytes", "HTTP: of a request line and its headers; 431", Bytes{1024},
           Bytes{1U << 20U});
    option(&O::body_timeout, "body-timeout", "HTTP: for a body; 408", seconds(1), seconds(3600));
    option(&O::body_rate, "body-rate", "HTTP: bytes a second that a body must come at, after 5s; 408", Bytes{0},
           Bytes{1U << 30U});
    option(&O::idle_timeout, "idle-timeout", "between requests of a connection; then it is closed", seconds(1),
           seconds(3600));
    option(&O::write_timeout, "write-timeout", "HTTP: for a client to take a response; then it is closed", seconds(1),
           seconds(3600));
    option(&O::max_body, "max-body", "of a request; 413 or RESOURCE_EXHAUSTED", Bytes{1024}, Bytes{1U << 30U});
    option(&O::max_bytes_in_flight, "max-bytes-in-flight", "HTTP: of bodies being read and answered; 503", Bytes{1024},
           Bytes{1ULL << 40U});
    option(&O::max_calls, "max-calls", "gRPC: infer calls at once; RESOURCE_EXHAUSTED", 1, 1 << 20);
    option(&O::max_growth, "max-growth",
           "gRPC: what the process may hold beyond what it had at start; then connections are cut", Bytes{64U << 20U},
           Bytes{1ULL << 40U});
    option(&O::max_images, "max-images", "of a request", 1, server::kMaxImages);
    option(&O::max_questions, "max-questions", "about an image of a request", 1, server::kMaxQuestionsAnImage);
    option(&O::max_pixels, "max-pixels", "of an image", 256, 1 << 28);

    option(&O::access_log, "access-log", "file for a line a request, - for standard error, off for none");
    option(&O::access_log_rate, "access-log-rate", "lines a second, of requests that went well and of others each", 1,
           100000);

    option(&O::max_batch, "max-batch", "frames in one batch", 1, 64);
    option(&O::max_queue_delay, "max-queue-delay", "longest a frame that could run waits for company", seconds(0),
           seconds(1));
    option(&O::queue_limit, "queue-limit", "frames that wait; more are refused", 32, 65536);
    option(&O::request_limit, "request-limit", "accepted and not ended; more are refused: the concurrency cap", 1, 65536);
    option(&O::queue_bytes, "queue-bytes", "of the images that wait; more are refused");
    option(&O::decoders, "decoders", "threads that decode beside inference", 1, 64);
    option(&O::shed_target, "shed-target", "a longer wait, for long, is an overload: work is refused", milliseconds(1),
           milliseconds(100));  // ScheduleOptions::shed_interval
    option(&O::default_timeout, "default-timeout", "of a request that has none", milliseconds(1), seconds(120));

    option(&O::canary_interval, "canary-interval", "between questions about our own health", milliseconds(100),
           seconds(60));
    option(&O::canary_limit, "canary-limit", "a slower answer to one makes us not ready", milliseconds(100),
           seconds(60));
    option(&O::drain_limit, "drain-limit", "at SIGTERM: for accepted work to finish", milliseconds(0), seconds(600));
  }
};

}  // namespace pawsight
