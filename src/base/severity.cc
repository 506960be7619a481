#include "base/severity.h"

#include "base/check.h"

namespace pawsight {

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      return "critical";
  }
  CHECK(false);
}

std::optional<Severity> SeverityOf(std::string_view name) {
  for (const Severity severity : kSeverities) {
    if (SeverityName(severity) == name) return severity;
  }
  return std::nullopt;
}

}  // namespace pawsight
