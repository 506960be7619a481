// Any bytes as YAML: refused, or a value that JSON can carry and that reads back the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "base/yaml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace pawsight;
  if (const auto yaml = ParseYaml({reinterpret_cast<const char*>(data), size}, {.max_bytes = 4096}); yaml.ok()) {
    const std::string text = yaml->Dump();
    const auto json = Json::Parse(text);
    CHECK(json.ok());
    CHECK(json->Dump() == text);
  }
  return 0;
}
