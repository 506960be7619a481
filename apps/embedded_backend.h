// apps/embedded_backend.h: a gateway backend that answers inside this process, for one small box.
#pragma once

#include <memory>

#include "apps/open_model.h"
#include "base/status.h"
#include "gateway/backend.h"

namespace pawsight {

/// Errors: those of OpenModel. Cost: reads and packs the model's weights.
Result<std::unique_ptr<gateway::Backend>> OpenEmbeddedBackend(const ModelOptions& options);

}  // namespace pawsight
