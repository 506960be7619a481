#include "gateway/api/problem.h"

#include <utility>

#include "base/log.h"

namespace pawsight::gateway {
namespace {

constexpr std::chrono::milliseconds kLineEvery{100};

struct StatusOfReason {
  std::string_view reason;
  int status;
};
/// Sorted by what they mean, not by name: few, and read only when something is wrong.
constexpr StatusOfReason kStatuses[] = {
    {"disk_full", 507},
    {"disk_error", 503},
    {"corrupt", 503},
    {"queue_full", 503},
    {"body_too_large", 413},
    {"content_type", 415},
    {"image_type_unsupported", 415},
    {"image_empty", 400},
    {"if_match", 412},
    {"key_reused", 422},
    {"stale", 422},
    {"multipart_too_many_parts", 413},
    {"too_large", 413},
    {"shed", 503},
    {"no_frame_yet", 409},
    {"secret_sealed", 409},
    {"multipart_header_too_large", 413},
    {"in_use", 409},
    {"limit_reached", 409},
    {"frame_too_large", 413},
    {"owner_full", 503},
    {"path_full", 503},
};

bool IsUnknownName(std::string_view reason) {
  return reason == "receiver_unknown" || reason == "camera_unknown" || reason == "rule_unknown";
}

}  // namespace

Status UnknownName(const std::string& field, const std::string& kind) {
  return InvalidArgument(field + ": this owner has no such " + kind, kind + "_unknown");
}

bool SaysUnknown(int http_status, std::string_view reason) {
  return http_status == 404 || (http_status == 422 && IsUnknownName(reason));
}

int ProblemStatus(const Status& status) {
  for (const StatusOfReason& known : kStatuses) {
    if (status.reason() == known.reason) return known.status;
  }
  const std::string& reason = status.reason();
  const bool is_content = reason.starts_with("image_") || reason.starts_with("question_") || IsUnknownName(reason);
  if (status.code() == StatusCode::kInvalidArgument && is_content) return 422;
  if (status.code() == StatusCode::kDataLoss) return 503;
  return net::HttpStatusFor(status.code());
}

std::string ProblemCode(const Status& status) {
  return status.reason().empty() ? net::LowerCase(StatusCodeName(status.code())) : status.reason();
}

net::HttpResponse Problem(const Status& status) {
  const int http_status = ProblemStatus(status);
  net::HttpResponse response = net::ProblemResponse(http_status, ProblemCode(status), status.message());
  if (http_status == 429) response.headers.emplace_back("Retry-After", "5");
  if (http_status == 503 || http_status == 507) response.headers.emplace_back("Retry-After", "1");
  if (http_status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

void RefusalLog::Note(const std::string& code, const std::string& credential, std::string_view path) {
  const std::chrono::nanoseconds now = clock_.Monotonic();
  uint64_t unlogged = 0;
  {
    MutexLock lock(mu_);
    const auto known = counts_.find(code);
    if (known != counts_.end()) {
      ++known->second;
    } else {
      ++counts_[counts_.size() < kMaxCodes && !code.empty() ? code : "other"];
    }
    if (last_line_ && now - *last_line_ < kLineEvery) {
      ++unlogged_;
      return;
    }
    last_line_ = now;
    unlogged = std::exchange(unlogged_, 0);
  }
  LogInfo("refused", {{"code", code},
                      {"credential", credential.empty() ? "-" : credential},
                      {"path", std::string(path.substr(0, 128))},
                      {"unlogged_before", std::to_string(unlogged)}});
}

std::map<std::string, uint64_t> RefusalLog::Counts() const {
  MutexLock lock(mu_);
  return counts_;
}

}  // namespace pawsight::gateway
