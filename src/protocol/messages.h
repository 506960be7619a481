// protocol/messages.h: the Open Inference Protocol's messages as plain values, whatever they travelled in, and the
// checks that all endpoints share. Not here: JSON and binary tensors (protocol/json_codec.h), what the tensors mean (a
// model). Source: Open Inference Protocol v2 and the extensions named in docs/protocol.md. Values; thread-compatible.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/status.h"
#include "protocol/datatype.h"

namespace pawsight::protocol {

/// What a request may hold. More is kInvalidArgument: kResourceExhausted would say that it may be tried again.
struct InferLimits {
  size_t max_inputs = 16;
  size_t max_outputs = 16;             // asked for
  size_t max_dims = 8;                 // of a shape
  size_t max_elements = 1U << 20U;     // of one tensor
  size_t max_json_values = 1U << 17U;  // numbers, strings, arrays and objects of a JSON request together
  size_t max_json_bytes = 32U << 20U;
  int max_json_depth = 16;
  size_t max_parameters = 32;                                        // of a request, a tensor
  size_t max_name_bytes = 256;                                       // of a name, an id, a parameter's string
  std::chrono::microseconds max_timeout = std::chrono::minutes(10);  // a longer one is cut to this
};

using Parameter = std::variant<bool, int64_t, double, std::string>;
/// In the order they came; no name twice.
using Parameters = std::vector<std::pair<std::string, Parameter>>;
/// nullptr when there is none of that name.
const Parameter* FindParameter(const Parameters& parameters, std::string_view name);

/// One input. What it views lives as long as the request's owners.
struct InputTensor {
  std::string name;
  Datatype datatype = Datatype::kBytes;
  std::vector<int64_t> shape;  // each 1 or more; [] is one element
  Parameters parameters;
  /// Of every datatype but BYTES: the elements, row-major, little-endian, packed; not aligned. As many as the shape
  /// says.
  std::span<const std::byte> data;
  /// Of BYTES: the elements, row-major. As many as the shape says.
  std::vector<std::string_view> elements;
};

struct RequestedOutput {
  std::string name;
  Parameters parameters;
  bool binary = false;  // as raw bytes behind the JSON; HTTP only
};

struct InferRequest {
  std::string model;
  std::string version;  // "" is whichever the server has
  std::string id;       // echoed; "" is none
  Parameters parameters;
  std::optional<std::chrono::microseconds> timeout;  // from its arrival, at most max_timeout
  uint64_t priority = 0;                             // 0 is the model's default, 1 goes first
  std::vector<InputTensor> inputs;                   // no name twice
  std::vector<RequestedOutput> outputs;              // no name twice; empty is all
  bool binary_outputs = false;                       // of outputs that were not named; HTTP only
  std::vector<std::shared_ptr<const void>> owners;   // of what the inputs view

  /// nullptr when there is none of that name.
  const InputTensor* Find(std::string_view name) const;
  /// Whether the client wants that output.
  bool Wants(std::string_view name) const;
};

struct OutputTensor {
  std::string name;
  Datatype datatype = Datatype::kBytes;
  std::vector<int64_t> shape;
  Parameters parameters;
  std::string data;                   // as InputTensor::data
  std::vector<std::string> elements;  // of BYTES
};
/// CHECK that there are as many elements as the shape says.
OutputTensor BytesOutput(std::string name, std::vector<int64_t> shape, std::vector<std::string> elements);
OutputTensor Fp32Output(std::string name, std::vector<int64_t> shape, std::span<const float> values);

/// What was read as `tensor`, in memory of its own, without the parameter binary_data_size.
OutputTensor OwningOutput(InputTensor tensor);

/// Whoever writes it out takes model, id and the choice of outputs from the request.
struct InferResponse {
  std::string model;
  std::string version;
  Parameters parameters;
  std::vector<OutputTensor> outputs;
};

/// What a model takes or gives: a dimension of -1 may have any size.
struct TensorSpec {
  std::string name;
  Datatype datatype = Datatype::kBytes;
  std::vector<int64_t> shape;
  bool optional = false;
};

struct ModelMetadata {
  std::string name;
  std::vector<std::string> versions;  // one or more
  std::string platform;               // "pawsight_blip"
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
};

struct ModelConfig {
  std::string backend;
  int max_batch_size = 0;  // the protocol's sense: 0, the tensors have no batch dimension of their own
  std::vector<int> preferred_batch_sizes;
  std::chrono::microseconds max_queue_delay{0};
};

struct CountedTime {
  uint64_t count = 0;
  std::chrono::nanoseconds total{0};
};
struct BatchStatistics {
  uint64_t batch_size = 0;
  CountedTime compute_input;
  CountedTime compute_infer;
  CountedTime compute_output;
};
struct ModelStatistics {
  std::string name;
  std::string version;
  uint64_t last_inference_ms = 0;  // since the epoch, UTC
  uint64_t inference_count = 0;    // requests, each counted as many times as it holds frames
  uint64_t execution_count = 0;    // batches
  CountedTime success;
  CountedTime fail;
  CountedTime queue;
  CountedTime compute_input;
  CountedTime compute_infer;
  CountedTime compute_output;
  CountedTime cache_hit;
  CountedTime cache_miss;
  std::vector<BatchStatistics> batches;
};

struct ServerMetadata {
  std::string name;
  std::string version;
  std::vector<std::string> extensions;
};
/// "pawsight", this build's version, and the extensions of docs/protocol.md that every endpoint speaks.
ServerMetadata ThisServer();

/// The number of elements. Errors: kInvalidArgument, too many dimensions, one below 1, a product that overflows
/// or is more than max_elements.
Result<size_t> CountElements(std::span<const int64_t> shape, const InferLimits& limits);

/// A name, an id: 1 to max_name_bytes bytes without control characters. Errors: kInvalidArgument, naming `what`.
Status CheckName(std::string_view what, std::string_view name, const InferLimits& limits);

/// Takes `timeout` (microseconds; 0 is none) and `priority` out of the request's parameters into its fields.
/// Errors: kInvalidArgument, not an integer, or below 0.
Status TakeSchedule(const InferLimits& limits, InferRequest* request);

/// Whether every input and output is one of the model's, each at most once, the inputs of its datatype, and all that
/// are not optional are there. Not the shapes: a model may take several. Errors: kInvalidArgument.
Status CheckAgainst(const InferRequest& request, const ModelMetadata& metadata);

}  // namespace pawsight::protocol
