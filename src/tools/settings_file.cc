#include "tools/settings_file.h"

#include <algorithm>

#include "base/yaml.h"

namespace pawsight::tools {
namespace {

/// Where the value of a top-level `key: value` begins and ends in the line; false when it is another line.
bool ValueOf(std::string_view line, const std::string& key, size_t* begin, size_t* end) {
  if (!line.starts_with(key + ":")) return false;
  *begin = std::min(line.find_first_not_of(" \t", key.size() + 1), line.size());
  const size_t comment = line.find(" #", *begin == line.size() ? key.size() : *begin - 1);
  *end = line.find_last_not_of(" \t\r", comment == std::string_view::npos ? line.size() - 1 : comment) + 1;
  if (*end < *begin) *end = *begin;
  return true;
}

}  // namespace

std::vector<Setting> WorkerSettings(const Recommendation& advice) {
  std::vector<Setting> settings;
  if (advice.server > 0) settings.emplace_back("teams", std::to_string(advice.server));
  settings.emplace_back("request-limit", std::to_string(advice.cap));
  return settings;
}

Result<std::string> EditSettings(std::string_view text, const std::vector<Setting>& settings) {
  PAWSIGHT_RETURN_IF_ERROR(ParseYaml(text).status());
  std::string edited(text);
  for (const auto& [key, value] : settings) {
    bool found = false;
    for (size_t at = 0; at < edited.size() && !found;) {
      const size_t line_end = std::min(edited.find('\n', at), edited.size());
      size_t begin = 0;
      size_t end = 0;
      if (ValueOf(std::string_view(edited).substr(at, line_end - at), key, &begin, &end)) {
        const bool needs_space = begin > 0 && edited[at + begin - 1] == ':';
        edited.replace(at + begin, end - begin, (needs_space ? " " : "") + value);
        found = true;
      }
      at = line_end + 1;
    }
    if (found) continue;
    if (!edited.empty() && edited.back() != '\n') edited += '\n';
    edited += key + ": " + value + "\n";
  }
  const auto read = ParseYaml(edited);
  if (!read.ok()) return read.status();
  for (const auto& [key, value] : settings) {
    const Json* there = read->Find(key);
    if (there == nullptr || there->Dump() != value) return InvalidArgument(key + ": cannot be set in this file");
  }
  return edited;
}

}  // namespace pawsight::tools
