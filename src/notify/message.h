// notify/message.h: one change of an alert as it is told to a receiver, whatever its kind. Made from the event that was
// recorded, so that a repeated delivery tells the same with the same id. Not here: how a kind of receiver writes it
// (notify/webhook.h, mqtt_topics.h, ntfy.h, mail.h). Values; thread-compatible.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/severity.h"
#include "base/status.h"

namespace pawsight::notify {

enum class MessageType { kFired, kUpdated, kResolved, kTest };
/// "alert.fired", "alert.updated", "alert.resolved", "test".
std::string_view MessageTypeName(MessageType type);

struct Picture {
  std::string content_type;  // "image/jpeg"
  std::vector<uint8_t> bytes;
};

struct Message {
  std::string id;  // the event's: the same in every attempt; letters, digits, "_" and "-", 1..64
  MessageType type = MessageType::kTest;
  std::string owner;
  std::string alert;  // its id, the same from fired to resolved
  std::string camera, camera_name;
  std::string rule;
  std::string question;  // any text, also hostile: use PlainLine where it becomes part of a format
  Severity severity = Severity::kWarning;
  std::optional<double> p_yes;
  std::string cause;                       // of an update or an end: "still_on", "rule_edited"; empty: none is named
  Time time{};                             // of the frame that changed the alert
  std::optional<Time> fired;               // when the alert fired
  std::shared_ptr<const Picture> picture;  // only when the owner opted in
};

/// A message from a recorded event. `detail` holds question, severity, p_yes, cause, fired_at and camera_name, each
/// optional: what is missing is left out. Errors: kInvalidArgument, an id or a type that no message can have.
Result<Message> MessageOf(std::string_view id, std::string_view type, std::string_view owner, std::string_view camera,
                          std::string_view rule, std::string_view alert, Time time, const Json& detail);

/// What an owner sends to see whether a receiver works.
Message TestMessage(std::string_view id, std::string_view owner, Time now);

/// "2026-01-31T08:15:30.250Z" back to a time; nothing when it is not written so.
std::optional<Time> ParseTime(std::string_view text);

/// {"type", "timestamp", "data": {"id", "alert", "owner", "camera", ...}}: the body of a webhook, without the picture
/// when there is none. Fields that are not known are left out.
Json MessageJson(const Message& message);

/// One line that cannot end the line or the format it is put into: controls, line and paragraph separators and the
/// characters that turn the direction of text become spaces, what is no UTF-8 becomes U+FFFD, longer than `max_bytes`
/// is cut between characters and ends in "...".
std::string PlainLine(std::string_view text, size_t max_bytes);

/// For people. "Alert: Is the dog on the couch?", a plain line of at most 200 bytes.
std::string Title(const Message& message);
/// Some lines: question, camera, probability, severity, times; each a plain line.
std::string Text(const Message& message);

}  // namespace pawsight::notify
