#include "gateway/api/openapi.h"

#include <utility>

#include "base/yaml.h"

namespace pawsight::gateway {

Json OpenApiDocument() {
  Result<Json> document = ParseYaml(kOpenApiText);
  CHECK(document.ok());
  return std::move(document).value();
}

}  // namespace pawsight::gateway
