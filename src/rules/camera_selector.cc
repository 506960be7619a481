#include "rules/camera_selector.h"

#include <algorithm>
#include <utility>

namespace pawsight::rules {
namespace {

constexpr size_t kMaxIdBytes = 64;

bool IsId(std::string_view id) {
  if (id.empty() || id.size() > kMaxIdBytes) return false;
  return std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool IsLabelText(std::string_view text) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  return !text.empty() && text.size() <= kMaxLabelBytes && std::none_of(text.begin(), text.end(), is_control);
}

}  // namespace

bool CameraSelector::Selects(std::string_view camera, const Labels& of_camera) const {
  if (!ids.empty() && std::find(ids.begin(), ids.end(), camera) == ids.end()) return false;
  return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
    const auto found = of_camera.find(label.first);
    return found != of_camera.end() && found->second == label.second;
  });
}

Result<Labels> ParseLabels(const Json& json) {
  if (!json.is_object()) return InvalidArgument("want an object of labels such as {\"room\": \"kitchen\"}");
  if (json.as_object().size() > kMaxLabels) return InvalidArgument("more than 16 labels");
  Labels labels;
  for (const auto& [key, value] : json.as_object()) {
    if (!IsLabelText(key) || !value.is_string() || !IsLabelText(value.as_string())) {
      return InvalidArgument("want labels and their values of 1 to 64 bytes of text on one line");
    }
    labels[key] = value.as_string();
  }
  return labels;
}

Result<std::vector<std::string>> ParseIds(const Json& json, size_t most) {
  if (!json.is_array() || json.as_array().empty()) return InvalidArgument("want an array of ids");
  if (json.as_array().size() > most) return InvalidArgument("more than " + std::to_string(most) + " ids");
  std::vector<std::string> ids;
  for (const Json& id : json.as_array()) {
    if (!id.is_string() || !IsId(id.as_string())) {
      return InvalidArgument("want ids of 1 to 64 letters, digits, - and _");
    }
    ids.push_back(id.as_string());
  }
  return ids;
}

Result<CameraSelector> ParseCameraSelector(const Json& json) {
  CameraSelector selector;
  if (json.is_object()) {
    PAWSIGHT_ASSIGN_OR_RETURN(selector.labels, ParseLabels(json));
    if (selector.labels.empty()) return InvalidArgument("want at least one label; leave it out for every camera");
    return selector;
  }
  if (!json.is_array()) return InvalidArgument("want an array of camera ids or an object of labels");
  PAWSIGHT_ASSIGN_OR_RETURN(selector.ids, ParseIds(json, kMaxSelected));
  return selector;
}

Json CameraSelectorToJson(const CameraSelector& selector) {
  if (!selector.ids.empty()) {
    Json::Array ids;
    for (const std::string& id : selector.ids) ids.emplace_back(id);
    return Json(std::move(ids));
  }
  Json::Object labels;
  for (const auto& [key, value] : selector.labels) labels.emplace_back(key, value);
  return Json(std::move(labels));
}

}  // namespace pawsight::rules
