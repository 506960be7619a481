#include "notify/mqtt_topics.h"

#include <algorithm>

namespace pawsight::notify {
namespace {

constexpr size_t kMaxNameBytes = 120;

/// A level of a topic: no wildcard, no slash, no control.
std::string Level(std::string_view id) {
  std::string level(id.substr(0, 64));
  for (char& c : level) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!plain) c = '_';
  }
  return level.empty() ? "_" : level;
}

std::string RuleTopic(const MqttConfig& config, const std::string& camera, const std::string& rule) {
  return config.topic_prefix + "/" + Level(camera) + "/" + Level(rule);
}

Json Seconds(Time time) {
  return std::chrono::duration<double>(std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch()).count();
}

/// One side of a Frigate event. Frigate's consumers read id, camera, label, score, times; our label is the rule.
Json FrigateSide(const Message& message, bool ended) {
  const Json p_yes = message.p_yes.has_value() ? Json(*message.p_yes) : Json();
  return Json::Object{{"id", message.alert.empty() ? message.id : message.alert},
                      {"camera", message.camera},
                      {"frame_time", Seconds(message.time)},
                      {"label", message.rule},
                      {"sub_label", Json()},
                      {"score", p_yes},
                      {"top_score", p_yes},
                      {"false_positive", false},
                      {"start_time", Seconds(message.fired.value_or(message.time))},
                      {"end_time", ended ? Seconds(message.time) : Json()},
                      {"current_zones", Json::Array{}},
                      {"entered_zones", Json::Array{}},
                      {"stationary", false},
                      {"has_snapshot", message.picture != nullptr},
                      {"has_clip", false},
                      {"camera_name", message.camera_name},
                      {"question", message.question},
                      {"severity", SeverityName(message.severity)}};
}

Json Attributes(const Message& message) {
  Json attributes(Json::Object{{"alert", message.alert},
                               {"event", message.id},
                               {"question", message.question},
                               {"severity", SeverityName(message.severity)}});
  if (message.p_yes.has_value()) attributes.Set("p_yes", *message.p_yes);
  if (message.fired.has_value()) attributes.Set("fired_at", FormatTime(*message.fired));
  if (message.type == MessageType::kResolved) attributes.Set("resolved_at", FormatTime(message.time));
  return attributes;
}

std::string DeviceId(const CameraInventory& camera) { return "pawsight_" + Level(camera.id); }

std::string ComponentId(const CameraInventory& camera, const RuleInventory& rule) {
  return DeviceId(camera) + "_" + Level(rule.id);
}

bool Has(const CameraInventory& camera, const std::string& rule) {
  return std::any_of(camera.rules.begin(), camera.rules.end(),
                     [&](const RuleInventory& each) { return each.id == rule; });
}

const CameraInventory* Find(const std::vector<CameraInventory>& cameras, const std::string& id) {
  const auto at =
      std::find_if(cameras.begin(), cameras.end(), [&](const CameraInventory& each) { return each.id == id; });
  return at == cameras.end() ? nullptr : &*at;
}

void AddComponents(const MqttConfig& config, bool pictures, const CameraInventory& camera, const RuleInventory& rule,
                   Json& components) {
  const std::string id = ComponentId(camera, rule);
  const std::string topic = RuleTopic(config, camera.id, rule.id);
  const std::string name = PlainLine(rule.name.empty() ? rule.id : rule.name, kMaxNameBytes);
  components.Set(id, Json::Object{{"platform", "binary_sensor"},
                                  {"unique_id", id},
                                  {"name", name},
                                  {"icon", "mdi:paw"},
                                  {"state_topic", topic + "/state"},
                                  {"json_attributes_topic", topic + "/attributes"}});
  if (!pictures) return;
  components.Set(id + "_snapshot", Json::Object{{"platform", "image"},
                                                {"unique_id", id + "_snapshot"},
                                                {"name", PlainLine(name + " (picture)", kMaxNameBytes)},
                                                {"content_type", "image/jpeg"},
                                                {"image_topic", topic + "/snapshot"}});
}

/// A camera's discovery message. A component that is to go is named with its platform alone.
Json DevicePayload(const MqttConfig& config, bool pictures, const CameraInventory& camera,
                   const CameraInventory* before) {
  Json components(Json::Object{});
  for (size_t i = 0; i < camera.rules.size() && i < kMaxInventoryRules; ++i)
    AddComponents(config, pictures, camera, camera.rules[i], components);
  for (size_t i = 0; before != nullptr && i < before->rules.size() && i < kMaxInventoryRules; ++i) {
    const RuleInventory& rule = before->rules[i];
    if (Has(camera, rule.id)) continue;
    components.Set(ComponentId(camera, rule), Json::Object{{"platform", "binary_sensor"}});
    if (pictures) components.Set(ComponentId(camera, rule) + "_snapshot", Json::Object{{"platform", "image"}});
  }
  const std::string name = PlainLine(camera.name.empty() ? camera.id : camera.name, kMaxNameBytes);
  return Json::Object{{"device", Json::Object{{"identifiers", Json::Array{DeviceId(camera)}},
                                              {"name", name},
                                              {"manufacturer", "Pawsight"},
                                              {"model", "camera"},
                                              {"sw_version", PAWSIGHT_VERSION}}},
                      {"origin", Json::Object{{"name", "pawsight"}, {"sw_version", PAWSIGHT_VERSION}}},
                      {"availability", Json::Array{Json::Object{{"topic", MqttAvailabilityTopic(config)}}}},
                      {"qos", 1},
                      {"components", std::move(components)}};
}

}  // namespace

std::string MqttAvailabilityTopic(const MqttConfig& config) { return config.topic_prefix + "/available"; }

std::vector<MqttPublication> MqttPublications(const MqttConfig& config, const Message& message) {
  if (message.type == MessageType::kTest) return {{config.topic_prefix + "/test", MessageJson(message).Dump(), false}};
  const bool ended = message.type == MessageType::kResolved;
  const std::string topic = RuleTopic(config, message.camera, message.rule);
  std::vector<MqttPublication> publications;
  if (message.picture != nullptr)
    publications.push_back(
        {topic + "/snapshot", std::string(message.picture->bytes.begin(), message.picture->bytes.end()), true});
  publications.push_back({topic + "/attributes", Attributes(message).Dump(), true});
  publications.push_back({topic + "/state", ended ? "OFF" : "ON", true});
  const char* type = ended ? "end" : message.type == MessageType::kFired ? "new" : "update";
  const Json event =
      Json::Object{{"type", type}, {"before", FrigateSide(message, false)}, {"after", FrigateSide(message, ended)}};
  publications.push_back({config.topic_prefix + "/events", event.Dump(), false});
  return publications;
}

std::vector<MqttPublication> MqttDiscovery(const MqttConfig& config, bool pictures,
                                           const std::vector<CameraInventory>& before,
                                           const std::vector<CameraInventory>& now) {
  std::vector<MqttPublication> publications;
  const size_t num_cameras = std::min(now.size(), kMaxInventoryCameras);
  for (size_t i = 0; i < num_cameras; ++i) {
    const CameraInventory& camera = now[i];
    if (!config.discovery_prefix.empty()) {
      const std::string topic = config.discovery_prefix + "/device/" + DeviceId(camera) + "/config";
      publications.push_back({topic, DevicePayload(config, pictures, camera, Find(before, camera.id)).Dump(), true});
    }
    for (const RuleInventory& rule : camera.rules) {
      if (!rule.firing.has_value()) continue;
      publications.push_back({RuleTopic(config, camera.id, rule.id) + "/state", *rule.firing ? "ON" : "OFF", true});
    }
  }
  for (const CameraInventory& camera : before) {
    if (Find(now, camera.id) != nullptr || config.discovery_prefix.empty()) continue;
    publications.push_back({config.discovery_prefix + "/device/" + DeviceId(camera) + "/config", "", true});
  }
  return publications;
}

}  // namespace pawsight::notify
