// tools/settings_file.h: what a recommendation means in a worker's settings, and putting that into its file without
// touching the rest: comments, order and all other settings stay as they are. Pure.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "tools/stress_result.h"

namespace pawsight::tools {

using Setting = std::pair<std::string, std::string>;

/// teams and request-limit of a worker: how many requests, over HTTP and gRPC together, are under way at once.
std::vector<Setting> WorkerSettings(const Recommendation& advice);

/// `text`, YAML of one setting a line, with these values; what was not there is added at the end.
/// Errors: kInvalidArgument, it is no YAML before or would be none after.
Result<std::string> EditSettings(std::string_view text, const std::vector<Setting>& settings);

}  // namespace pawsight::tools
