#include "net/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <utility>

namespace pawsight::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr long kMaxRedirects = 3;
constexpr int kStopLookMs = 100;

bool StartsWith(std::string_view text, std::string_view start) { return text.substr(0, start.size()) == start; }

Status StatusOfHttp(long status, const std::string& where) {
  const std::string message = where + ": HTTP status " + std::to_string(status);
  if (status == 200) return Ok();
  if (status == 401) return {StatusCode::kUnauthenticated, message + "; put user:password@ before the host"};
  if (status == 403) return PermissionDenied(message);
  if (status == 404) return NotFound(message);
  return Unavailable(message);
}

Status StatusOfCurl(CURLcode code, const std::string& where) {
  const std::string message = where + ": " + curl_easy_strerror(code);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) return InvalidArgument(message);
  if (code == CURLE_OPERATION_TIMEDOUT) return DeadlineExceeded(message);
  return Unavailable(message);
}

}  // namespace

std::string RedactUrl(std::string_view url) {
  const size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  const size_t host = scheme + 3;
  const size_t end = std::min(url.find_first_of("/?#", host), url.size());
  const size_t at = url.substr(0, end).rfind('@');
  const size_t from = at == std::string_view::npos || at < host ? host : at + 1;
  const size_t query = std::min(url.find_first_of("?#", end), url.size());  // cameras take passwords there too
  return std::string(url.substr(0, host)) + std::string(url.substr(from, query - from)) +
         (query < url.size() ? "?..." : "");
}

struct HttpClient::Handles {
  CURL* easy = nullptr;
  CURLM* multi = nullptr;
};

/// One request's state, reached by libcurl's callbacks.
struct HttpClient::Transfer {
  CURL* easy = nullptr;
  const OnBytes* on_bytes = nullptr;
  steady_clock::time_point last_byte = steady_clock::now();
  bool ended_by_reader = false;
  const FetchOptions* options = nullptr;
  bool refused = false;  // the last address that was tried, by may_connect

  /// Signature of CURLOPT_OPENSOCKETFUNCTION.
  static curl_socket_t OnSocket(void* self_pointer, curlsocktype, curl_sockaddr* address) {
    auto& self = *static_cast<Transfer*>(self_pointer);
    self.refused = self.options->may_connect && !self.options->may_connect(&address->addr);
    if (self.refused) return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  /// Signature of CURLOPT_WRITEFUNCTION. Bytes of a status other than 200 are thrown away.
  static size_t OnWrite(char* bytes, size_t size, size_t count, void* self_pointer) {
    auto& self = *static_cast<Transfer*>(self_pointer);
    self.last_byte = steady_clock::now();
    long status = 0;
    curl_easy_getinfo(self.easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) return size * count;
    const char* type = nullptr;
    curl_easy_getinfo(self.easy, CURLINFO_CONTENT_TYPE, &type);
    const std::span<const uint8_t> span(reinterpret_cast<const uint8_t*>(bytes), size * count);
    if ((*self.on_bytes)(type == nullptr ? "" : type, span)) return size * count;
    self.ended_by_reader = true;
    return CURL_WRITEFUNC_ERROR;
  }
};

HttpClient::HttpClient() : handles_(std::make_unique<Handles>()) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);  // once; thread-safe since C++11
  CHECK(started == CURLE_OK);
  handles_->easy = curl_easy_init();
  handles_->multi = curl_multi_init();
  CHECK(handles_->easy != nullptr && handles_->multi != nullptr);
}

HttpClient::~HttpClient() {
  curl_easy_cleanup(handles_->easy);
  curl_multi_cleanup(handles_->multi);
}

Status HttpClient::Perform(const std::string& url, const FetchOptions& options, std::stop_token stop,
                           Transfer& transfer) {
  const std::string where = RedactUrl(url);
  const bool secure = StartsWith(url, "https://");
  if (!secure && !StartsWith(url, "http://")) return InvalidArgument(where + ": want an http:// or https:// URL");
  CURL* easy = handles_->easy;
  curl_easy_reset(easy);  // keeps the connection
  transfer.easy = easy;
  transfer.options = &options;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(easy, CURLOPT_HTTPAUTH, options.bearer.empty() ? CURLAUTH_BASIC | CURLAUTH_DIGEST : CURLAUTH_BEARER);
  if (!options.bearer.empty()) curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, options.bearer.c_str());
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "pawsight/" PAWSIGHT_VERSION);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.total_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::OnWrite);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::OnSocket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_multi_add_handle(handles_->multi, easy);

  Status status;
  while (true) {
    int num_running = 0;
    curl_multi_perform(handles_->multi, &num_running);
    if (stop.stop_requested()) status = Cancelled("stopped");
    if (steady_clock::now() - transfer.last_byte > options.stall_timeout)
      status = DeadlineExceeded(where + ": nothing came for too long");
    if (!status.ok() || num_running == 0) break;
    curl_multi_poll(handles_->multi, nullptr, 0, kStopLookMs, nullptr);
  }
  int num_left = 0;
  while (const CURLMsg* message = curl_multi_info_read(handles_->multi, &num_left)) {
    if (message->msg == CURLMSG_DONE && message->data.result != CURLE_OK && status.ok() && !transfer.ended_by_reader) {
      const bool refused = transfer.refused && message->data.result == CURLE_COULDNT_CONNECT;
      status = refused ? PermissionDenied(where + ": leads to an address that may not be", "address_refused")
                       : StatusOfCurl(message->data.result, where);
    }
  }
  curl_multi_remove_handle(handles_->multi, easy);
  if (!status.ok()) return status;
  long http_status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &http_status);
  return StatusOfHttp(http_status, where);
}

Result<Fetched> HttpClient::Get(const std::string& url, const FetchOptions& options, std::stop_token stop) {
  Fetched fetched;
  bool too_large = false;
  const OnBytes on_bytes = [&](std::string_view content_type, std::span<const uint8_t> bytes) {
    if (fetched.content_type.empty()) fetched.content_type = content_type;
    too_large = fetched.body.size() + bytes.size() > options.max_bytes;
    if (!too_large) fetched.body.insert(fetched.body.end(), bytes.begin(), bytes.end());
    return !too_large;
  };
  Transfer transfer;
  transfer.on_bytes = &on_bytes;
  PAWSIGHT_RETURN_IF_ERROR(Perform(url, options, stop, transfer));
  if (too_large)
    return ResourceExhausted(RedactUrl(url) + ": more than " + std::to_string(options.max_bytes) + " bytes");
  return fetched;
}

Status HttpClient::Stream(const std::string& url, const FetchOptions& options, std::stop_token stop,
                          const OnBytes& on_bytes) {
  FetchOptions endless = options;
  endless.total_timeout = milliseconds(0);
  Transfer transfer;
  transfer.on_bytes = &on_bytes;
  return Perform(url, endless, stop, transfer);
}

}  // namespace pawsight::net
