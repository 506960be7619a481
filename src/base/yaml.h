// base/yaml.h: a YAML document as a Json value, by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2,
// chapter 10.3): plain true/false, null, integers and decimal numbers have their types, everything else and everything
// in quotes is a string, so that `on`, `no` and `12:30` stay words. For configuration that people write. Not here:
// anchors, aliases, tags and several documents in a file, which are refused. A quote left open at the end of the text
// passes for closed there (the parser below says nothing of it). Thread-safe.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/status.h"

namespace pawsight {

struct YamlLimits {
  size_t max_bytes = 1U << 20U;
  int max_depth = 32;
  size_t max_nodes = 100000;
};

/// An empty text is an empty object.
/// Errors: kInvalidArgument with line and column: not YAML, a key twice or not a plain word, an anchor, alias or tag, a
/// second document, too deep. kResourceExhausted, more than max_bytes or max_nodes.
Result<Json> ParseYaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace pawsight
