// base/status.h: how a function that can fail says so. Not here: broken invariants, see CHECK in base/check.h.
// Codes are gRPC's canonical ones (https://grpc.github.io/grpc/core/md_doc_statuscodes.html), so one table maps them
// to HTTP and gRPC. Values; thread-compatible.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"

namespace pawsight {

enum class StatusCode {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

/// "INVALID_ARGUMENT" and so on, gRPC's spelling.
std::string_view StatusCodeName(StatusCode code);

/// Success, or a code, a message for a person that names the field and what was wanted, and, where a client may branch
/// on it, a stable snake_case reason ("image_truncated").
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(StatusCode code, std::string message, std::string reason = {})
      : code_(code), message_(std::move(message)), reason_(std::move(reason)) {}

  bool ok() const { return code_ == StatusCode::kOk; }
  StatusCode code() const { return code_; }
  const std::string& message() const { return message_; }
  /// Stable machine-readable reason; empty when the code says it all.
  const std::string& reason() const { return reason_; }
  /// "INVALID_ARGUMENT: message", "OK".
  std::string ToString() const;

  friend bool operator==(const Status&, const Status&) = default;

 private:
  StatusCode code_ = StatusCode::kOk;
  std::string message_;
  std::string reason_;
};

inline Status Ok() { return {}; }
inline Status Cancelled(std::string m, std::string reason = {}) {
  return {StatusCode::kCancelled, std::move(m), std::move(reason)};
}
inline Status InvalidArgument(std::string m, std::string reason = {}) {
  return {StatusCode::kInvalidArgument, std::move(m), std::move(reason)};
}
inline Status DeadlineExceeded(std::string m, std::string reason = {}) {
  return {StatusCode::kDeadlineExceeded, std::move(m), std::move(reason)};
}
inline Status NotFound(std::string m, std::string reason = {}) {
  return {StatusCode::kNotFound, std::move(m), std::move(reason)};
}
inline Status PermissionDenied(std::string m, std::string reason = {}) {
  return {StatusCode::kPermissionDenied, std::move(m), std::move(reason)};
}
inline Status ResourceExhausted(std::string m, std::string reason = {}) {
  return {StatusCode::kResourceExhausted, std::move(m), std::move(reason)};
}
inline Status FailedPrecondition(std::string m, std::string reason = {}) {
  return {StatusCode::kFailedPrecondition, std::move(m), std::move(reason)};
}
inline Status Unimplemented(std::string m, std::string reason = {}) {
  return {StatusCode::kUnimplemented, std::move(m), std::move(reason)};
}
inline Status Internal(std::string m, std::string reason = {}) {
  return {StatusCode::kInternal, std::move(m), std::move(reason)};
}
inline Status Unavailable(std::string m, std::string reason = {}) {
  return {StatusCode::kUnavailable, std::move(m), std::move(reason)};
}
inline Status DataLoss(std::string m, std::string reason = {}) {
  return {StatusCode::kDataLoss, std::move(m), std::move(reason)};
}

/// A T or the Status that says why there is none. value() on an error is our bug and stops the process.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor): `return value;` reads well
  Result(Status status) : status_(std::move(status)) {  // NOLINT(google-explicit-constructor): `return NotFound(..)`
    CHECK(!status_.ok());
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  const T& value() const& {
    CHECK(ok());
    return *value_;
  }
  T& value() & {
    CHECK(ok());
    return *value_;
  }
  T&& value() && {
    CHECK(ok());
    return *std::move(value_);
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

 private:
  Status status_;
  std::optional<T> value_;
};

/// `prefix: message`, the code and reason kept: says where in a file or an array the fault is.
Status Annotate(const Status& status, std::string_view prefix);

}  // namespace pawsight

#define PAWSIGHT_CONCAT_INNER(a, b) a##b
#define PAWSIGHT_CONCAT(a, b) PAWSIGHT_CONCAT_INNER(a, b)

/// Returns from the enclosing function when `expr`, a Status, is not OK.
#define PAWSIGHT_RETURN_IF_ERROR(expr)                      \
  do {                                                      \
    if (::pawsight::Status s_ = (expr); !s_.ok()) return s_; \
  } while (false)

/// `target` = the value of `expr`, a Result; returns its Status when there is none.
#define PAWSIGHT_ASSIGN_OR_RETURN(target, expr) \
  PAWSIGHT_ASSIGN_OR_RETURN_INNER(PAWSIGHT_CONCAT(result_, __LINE__), target, expr)
#define PAWSIGHT_ASSIGN_OR_RETURN_INNER(result, target, expr) \
  auto result = (expr);                                       \
  if (!result.ok()) return result.status();                   \
  target = std::move(result).value()
