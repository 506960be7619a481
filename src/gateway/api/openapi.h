// gateway/api/openapi.h: the API's description, docs/openapi.yaml, as it was compiled in: OpenAPI 3.1. Thread-safe.
#pragma once

#include <string_view>

#include "base/json.h"

namespace pawsight::gateway {

extern const std::string_view kOpenApiText;  // YAML

/// As JSON. Stops the process when it cannot be read, which the tests would have found. Cost: parses it, some
/// milliseconds; keep what it gives.
Json OpenApiDocument();

}  // namespace pawsight::gateway
