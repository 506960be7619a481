// Any bytes through the JSON door to ParseRules; what is taken must survive being written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "rules/rule.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const pawsight::Result<pawsight::Json> json =
      pawsight::Json::Parse(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!json.ok()) return 0;
  const auto parsed = pawsight::rules::ParseRules(*json);
  if (!parsed.ok()) return 0;
  pawsight::Json again(pawsight::Json::Array{});
  for (const pawsight::rules::Rule& rule : *parsed) again.Append(pawsight::rules::RuleToJson(rule));
  CHECK(pawsight::rules::ParseRules(again).ok());
  return 0;
}
