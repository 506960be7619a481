// protocol/json_metadata.h: what a server and its models say about themselves, and its errors, as JSON.
// Thread-safe: functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "protocol/messages.h"

namespace pawsight::protocol {

Json ServerMetadataToJson(const ServerMetadata& metadata);
Json ModelMetadataToJson(const ModelMetadata& metadata);
/// Of the "Model Configuration Extension".
Json ModelConfigToJson(const ModelMetadata& metadata, const ModelConfig& config);
/// {"model_stats":[...]}, of the "Statistics Extension".
Json StatisticsToJson(const std::vector<ModelStatistics>& statistics);
/// {"error": message}
Json ErrorToJson(std::string_view message, std::string_view code = "");

}  // namespace pawsight::protocol
