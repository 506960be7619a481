// gateway/api/fields.h: the members of a request's JSON object, read one by one: each error names its field and what
// was wanted, and a member that nobody asked for is an error with the nearest one that there is. Thread-compatible.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/status.h"

namespace pawsight::gateway {

/// Bytes of a name: of an owner, a device, a camera, a receiver.
inline constexpr size_t kMaxNameLength = 200;

class Fields {
 public:
  /// `json` must outlive it.
  explicit Fields(const Json& json);

  /// The member was given and is not null.
  bool Has(std::string_view key);

  // Each gives the member, or `otherwise`; without `otherwise` it must be there. After a first error they give
  // anything.
  std::string Text(std::string_view key, size_t max_bytes = kMaxNameLength);
  std::string Text(std::string_view key, const std::string& otherwise, size_t max_bytes = kMaxNameLength);
  bool Flag(std::string_view key, bool otherwise);
  double Number(std::string_view key, double low, double high);
  double Number(std::string_view key, double otherwise, double low, double high);
  int64_t Integer(std::string_view key, int64_t otherwise, int64_t low, int64_t high);
  /// Different, each 1..max_bytes.
  std::vector<std::string> Texts(std::string_view key, size_t max_count, size_t max_bytes);
  /// RFC 3339.
  std::optional<Time> When(std::string_view key);
  /// One of `choices`.
  std::string Choice(std::string_view key, const std::vector<std::string>& choices);
  /// A member that the gateway gives. A POST may not bring one; a PUT (`sent_back`) may bring what a GET has shown:
  /// where `shown` is a text, that one.
  void Given(std::string_view key, bool sent_back, const std::string& shown = "");
  /// The member as it is; null when it is not there.
  Json Any(std::string_view key);

  /// The first error; OK also says that there is no other member.
  Status Finish();

 private:
  const Json* Take(std::string_view key);
  void Fail(std::string_view key, const std::string& wanted);

  const Json& json_;
  std::vector<std::string> known_;
  Status status_;
};

}  // namespace pawsight::gateway
