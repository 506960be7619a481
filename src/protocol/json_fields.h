// protocol/json_fields.h: the fields that requests and responses have in common, read from JSON and written to it. Part
// of protocol/json_codec.h and protocol/json_client.h. Thread-safe: functions without state.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "protocol/messages.h"

namespace pawsight::protocol {

/// Errors: kInvalidArgument, no JSON or more than `limits` allow.
Result<Json> ParseJson(std::string_view text, const InferLimits& limits);

/// A member that may be left out, or be null, which many clients write for the same.
const Json* FindOptional(const Json& object, std::string_view key);

/// The member "parameters" of `owner`; none is an empty one. Errors: kInvalidArgument, too many, values of other kinds.
Result<Parameters> ParseParameters(const Json& owner, const InferLimits& limits);

/// The value of Inference-Header-Content-Length: digits, at most `num_bytes`. Errors: kInvalidArgument.
Result<size_t> ParseHeaderLength(std::string_view text, size_t num_bytes);

/// Errors: kInvalidArgument, a parameter of an extension that is not spoken here, and that changes what a tensor is.
Status RefuseUnsupported(const Parameters& parameters);

/// Name, datatype, shape, parameters and contents of one tensor; binary ones are taken from the front of `binary` and
/// viewed. Views `json`; what has to be made is made in memory that `owners` gets. Errors: kInvalidArgument.
Status ReadTensor(const Json& json, const InferLimits& limits, std::string_view* binary, InputTensor* tensor,
                  std::vector<std::shared_ptr<const void>>* owners);

/// `{"name":...,"datatype":...,"shape":[...]`, without the end.
void AppendTensorHead(std::string_view name, Datatype datatype, std::span<const int64_t> shape, std::string* out);

/// `,"parameters":{...}` with `binary_data_size` last, or nothing.
void AppendParameters(const Parameters& parameters, std::optional<size_t> binary_size, std::string* out);

}  // namespace pawsight::protocol
