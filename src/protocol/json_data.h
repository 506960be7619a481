// protocol/json_data.h: the "data" of a tensor: JSON values to elements and back. Part of protocol/json_codec.h.
// Thread-safe: functions without state.
#pragma once

#include <string>

#include "base/json.h"
#include "protocol/messages.h"

namespace pawsight::protocol {

/// Sets the data or elements of `input`, which has name, datatype, shape and parameters, from `data`: an array of the
/// elements, row-major, either flat or nested as the shape says. Strings are viewed in `data`; what has to be made is
/// made in memory that `owners` gets. Errors: kInvalidArgument.
Status SetJsonContents(const Json& data, const InferLimits& limits, InputTensor* input,
                       std::vector<std::shared_ptr<const void>>* owners);

/// Adds a flat array. NaN and infinities, which JSON lacks, become null.
/// Errors: kInvalidArgument, FP16 or BF16.
Status AppendJsonContents(const OutputTensor& output, std::string* out);

}  // namespace pawsight::protocol
