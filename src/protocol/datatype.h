// protocol/datatype.h: the element types of the Open Inference Protocol, their names and sizes.
// Source: Open Inference Protocol v2, "Tensor Data Types". Thread-safe: functions without state.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/status.h"

namespace pawsight::protocol {

enum class Datatype {
  kBool,
  kUint8,
  kUint16,
  kUint32,
  kUint64,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kFp16,
  kBf16,
  kFp32,
  kFp64,
  kBytes,
};

/// "FP32", as requests, responses and metadata spell it.
std::string_view DatatypeName(Datatype datatype);
/// "TYPE_FP32", as a model configuration spells it; BYTES is "TYPE_STRING".
std::string_view DatatypeConfigName(Datatype datatype);
/// Errors: kInvalidArgument, no such name.
Result<Datatype> ParseDatatype(std::string_view name);
/// Of one element; 0 for BYTES, whose elements have a length each.
size_t DatatypeBytes(Datatype datatype);

}  // namespace pawsight::protocol
