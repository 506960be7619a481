// notify/mqtt_topics.h: messages as MQTT publications: Frigate-shaped events, a retained state a rule, and Home
// Assistant's device discovery. docs/receivers.md has the topics. Pure functions; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "notify/message.h"
#include "notify/receiver_config.h"

namespace pawsight::notify {

struct MqttPublication {
  std::string topic;
  std::string payload;
  bool retain = false;
};

/// What one message becomes, in the order in which it is to be sent:
///   PREFIX/CAMERA/RULE/snapshot    retained, the picture's bytes, when the message has one
///   PREFIX/CAMERA/RULE/attributes  retained, JSON: question, p_yes, times, the alert's id
///   PREFIX/CAMERA/RULE/state       retained, ON while the alert fires, else OFF
///   PREFIX/events                  {"type": "new" | "update" | "end", "before": {...}, "after": {...}}
/// A test is only PREFIX/test. Ids in topics: other letters than a-z A-Z 0-9 _ - become _.
std::vector<MqttPublication> MqttPublications(const MqttConfig& config, const Message& message);

/// What a camera has that a home automation shows.
struct RuleInventory {
  std::string id;
  std::string name;            // any text; the question
  std::optional<bool> firing;  // whether its alert is open, when that is known
};
struct CameraInventory {
  std::string id;
  std::string name;
  std::vector<RuleInventory> rules;
};
inline constexpr size_t kMaxInventoryCameras = 256;
inline constexpr size_t kMaxInventoryRules = 64;  // a camera

/// Retained publications that make each camera a device of Home Assistant with a binary sensor a rule: one message a
/// camera, DISCOVERY/device/pawsight_CAMERA/config; and the state of rules where it is known. What `before` had and
/// `now` lacks is taken away. Cameras and rules above the limits are left out. Source:
/// https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload.
std::vector<MqttPublication> MqttDiscovery(const MqttConfig& config, bool pictures,
                                           const std::vector<CameraInventory>& before,
                                           const std::vector<CameraInventory>& now);

/// PREFIX/available: "online", and "offline" as the last will.
std::string MqttAvailabilityTopic(const MqttConfig& config);

}  // namespace pawsight::notify
