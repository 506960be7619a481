// base/log.h: one line an event for a person, `2026-01-31T08:15:30.250Z info server.started port=8000`, to standard
// error. Never log pixels, question text, answers about people, or secrets. Thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace pawsight {

enum class LogLevel { kDebug, kInfo, kWarning, kError, kOff };

/// A value with spaces, quotes or control characters is written quoted and escaped.
struct LogField {
  std::string_view key;
  std::string value;
};

/// "2026-01-31T08:15:30.250Z info server.started": how a line begins.
std::string LogLineStart(Time time, LogLevel level, std::string_view event);
/// " port=8000".
void AppendLogField(std::string* line, std::string_view key, std::string_view value);

void SetLogLevel(LogLevel level);
void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
inline void LogInfo(std::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kInfo, event, fields);
}
inline void LogWarning(std::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kWarning, event, fields);
}
inline void LogError(std::string_view event, std::initializer_list<LogField> fields = {}) {
  Log(LogLevel::kError, event, fields);
}

}  // namespace pawsight
