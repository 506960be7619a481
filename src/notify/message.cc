#include "notify/message.h"

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "base/base64.h"

namespace pawsight::notify {
namespace {

constexpr size_t kMaxIdBytes = 64;
constexpr size_t kMaxTitleBytes = 200;
constexpr size_t kMaxQuestionBytes = 1024;

bool IsIdByte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

bool IsMessageId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), IsIdByte);
}

std::string TextOf(const Json& detail, std::string_view key) {
  const Json* value = detail.Find(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

/// The character at `at`, and how many bytes it has; U+FFFD and one byte when it is no UTF-8.
struct Character {
  uint32_t code;
  size_t size;
};
Character CharacterAt(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) return {first, 1};
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || at + size > text.size()) return {0xFFFD, 1};
  uint32_t code = first & (0x7FU >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80) return {0xFFFD, 1};
    code = code << 6U | (byte(at + i) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {0xFFFD, 1};
  return {code, size};
}

/// Ends a line, is invisible, or turns the direction in which text is read.
bool IsUnfit(uint32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD || code == 0x61C ||
         (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB) ||
         (code >= 0xE0000 && code <= 0xE007F);
}

std::string Percent(double p) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f %%", 100 * p);
  return text;
}

}  // namespace

std::string_view MessageTypeName(MessageType type) {
  switch (type) {
    case MessageType::kFired:
      return "alert.fired";
    case MessageType::kUpdated:
      return "alert.updated";
    case MessageType::kResolved:
      return "alert.resolved";
    case MessageType::kTest:
      return "test";
  }
  CHECK(false);
}

Result<Message> MessageOf(std::string_view id, std::string_view type, std::string_view owner, std::string_view camera,
                          std::string_view rule, std::string_view alert, Time time, const Json& detail) {
  if (!IsMessageId(id)) return InvalidArgument("event.id: want 1..64 letters, digits, _ and -");
  Message message;
  bool known = false;
  for (const MessageType each :
       {MessageType::kFired, MessageType::kUpdated, MessageType::kResolved, MessageType::kTest}) {
    if (type != MessageTypeName(each)) continue;
    message.type = each;
    known = true;
  }
  if (!known) return InvalidArgument("event.type: " + PlainLine(type, 64) + " is not told to receivers");
  message.id = id;
  message.owner = owner;
  message.camera = camera;
  message.rule = rule;
  message.alert = alert;
  message.time = time;
  message.camera_name = TextOf(detail, "camera_name");
  message.question = TextOf(detail, "question");
  message.cause = TextOf(detail, "cause");
  message.severity = SeverityOf(TextOf(detail, "severity")).value_or(message.severity);
  if (const Json* p_yes = detail.Find("p_yes"); p_yes != nullptr && p_yes->is_number())
    message.p_yes = p_yes->as_number();
  message.fired = ParseTime(TextOf(detail, "fired_at"));
  if (message.type == MessageType::kFired) message.fired = time;
  return message;
}

Message TestMessage(std::string_view id, std::string_view owner, Time now) {
  Message message;
  message.id = id;
  message.owner = owner;
  message.question = "Does this receiver work?";
  message.severity = Severity::kInfo;
  message.time = now;
  return message;
}

std::optional<Time> ParseTime(std::string_view text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, used = 0;
  const std::string copy(text);
  const int num_read = std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour, &minute,
                                   &second, &ms, &used);
  if (num_read != 7 || used != static_cast<int>(copy.size())) return std::nullopt;
  if (year < 1970 || year > 2261) return std::nullopt;  // what nanoseconds in 64 bits can count
  std::tm parts{};
  parts.tm_year = year - 1900;
  parts.tm_mon = month - 1;
  parts.tm_mday = day;
  parts.tm_hour = hour;
  parts.tm_min = minute;
  parts.tm_sec = second;
  const Time time = Time(std::chrono::seconds(timegm(&parts))) + std::chrono::milliseconds(ms);
  if (FormatTime(time) != text) return std::nullopt;  // the 31st of February, hour 24
  return time;
}

Json MessageJson(const Message& message) {
  Json data(Json::Object{{"id", message.id}, {"owner", message.owner}});
  const auto add = [&data](std::string_view key, const std::string& text) {
    if (!text.empty()) data.Set(key, text);
  };
  add("alert", message.alert);
  add("camera", message.camera);
  add("camera_name", message.camera_name);
  add("rule", message.rule);
  add("question", message.question);
  data.Set("severity", SeverityName(message.severity));
  if (message.p_yes.has_value()) data.Set("p_yes", *message.p_yes);
  add("cause", message.cause);
  if (message.fired.has_value()) data.Set("fired_at", FormatTime(*message.fired));
  if (message.type == MessageType::kResolved) data.Set("resolved_at", FormatTime(message.time));
  if (message.picture != nullptr) {
    const auto& bytes = message.picture->bytes;
    data.Set("picture",
             Json::Object{{"content_type", message.picture->content_type},
                          {"base64", EncodeBase64({reinterpret_cast<const char*>(bytes.data()), bytes.size()})}});
  }
  return Json::Object{
      {"type", MessageTypeName(message.type)}, {"timestamp", FormatTime(message.time)}, {"data", std::move(data)}};
}

std::string PlainLine(std::string_view text, size_t max_bytes) {
  static constexpr std::string_view kCut = "...";
  std::string line;
  for (size_t at = 0; at < text.size();) {
    const Character character = CharacterAt(text, at);
    std::string_view bytes = text.substr(at, character.size);
    at += character.size;
    if (character.code == 0xFFFD) bytes = "\xEF\xBF\xBD";
    if (IsUnfit(character.code)) bytes = " ";
    if (line.size() + bytes.size() > max_bytes) {
      size_t kept = max_bytes > kCut.size() ? std::min(line.size(), max_bytes - kCut.size()) : 0;
      while (kept > 0 && kept < line.size() && (static_cast<unsigned char>(line[kept]) & 0xC0U) == 0x80) --kept;
      return line.substr(0, kept) + std::string(kCut.substr(0, max_bytes));
    }
    line += bytes;
  }
  return line;
}

std::string Title(const Message& message) {
  std::string_view start = "Test";
  if (message.type == MessageType::kFired) start = "Alert";
  if (message.type == MessageType::kUpdated) start = "Still on";
  if (message.type == MessageType::kResolved) start = "Over";
  return PlainLine(std::string(start) + ": " + message.question, kMaxTitleBytes);
}

std::string Text(const Message& message) {
  std::string text = PlainLine(message.question, kMaxQuestionBytes) + "\n";
  const std::string& camera = message.camera_name.empty() ? message.camera : message.camera_name;
  if (!camera.empty()) text += "Camera: " + PlainLine(camera, kMaxTitleBytes) + "\n";
  if (message.p_yes.has_value()) text += "Probability of yes: " + Percent(*message.p_yes) + "\n";
  text += "Severity: " + std::string(SeverityName(message.severity)) + "\n";
  if (message.fired.has_value()) text += "Since: " + FormatTime(*message.fired) + "\n";
  if (message.type == MessageType::kResolved) text += "Until: " + FormatTime(message.time) + "\n";
  if (!message.fired.has_value() && message.type != MessageType::kResolved)
    text += "Time: " + FormatTime(message.time) + "\n";
  return text;
}

}  // namespace pawsight::notify
