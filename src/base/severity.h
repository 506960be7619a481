// base/severity.h: how much something matters to a person. Rules have it, receivers are told it, pages show it: one
// type for all. Not the log's level (base/log.h). Thread-safe.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace pawsight {

enum class Severity { kInfo, kWarning, kCritical };
inline constexpr std::array<Severity, 3> kSeverities = {Severity::kInfo, Severity::kWarning, Severity::kCritical};

/// "info", "warning", "critical".
std::string_view SeverityName(Severity severity);
/// Nothing of another name.
std::optional<Severity> SeverityOf(std::string_view name);

}  // namespace pawsight
