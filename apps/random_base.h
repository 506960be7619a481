// apps/random_base.h: a model of BLIP base's size and random weights, for measuring anywhere. Used by one thread.
#pragma once

#include <functional>
#include <string>

#include "base/status.h"

namespace pawsight {

/// Its directory under the user's cache, written when it is not there (0.7 GB); `on_part` is told what part is done and
/// says whether to go on. Errors: those of CacheDir and targets::WriteRandomModel.
Result<std::string> RandomBaseModel(const std::function<bool(double part)>& on_part);

}  // namespace pawsight
