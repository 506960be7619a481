#include "protocol/datatype.h"

#include <array>

namespace pawsight::protocol {
namespace {

struct Row {
  Datatype datatype;
  std::string_view name;
  std::string_view config_name;
  size_t bytes;
};

constexpr std::array<Row, 14> kRows = {{
    {Datatype::kBool, "BOOL", "TYPE_BOOL", 1},
    {Datatype::kUint8, "UINT8", "TYPE_UINT8", 1},
    {Datatype::kUint16, "UINT16", "TYPE_UINT16", 2},
    {Datatype::kUint32, "UINT32", "TYPE_UINT32", 4},
    {Datatype::kUint64, "UINT64", "TYPE_UINT64", 8},
    {Datatype::kInt8, "INT8", "TYPE_INT8", 1},
    {Datatype::kInt16, "INT16", "TYPE_INT16", 2},
    {Datatype::kInt32, "INT32", "TYPE_INT32", 4},
    {Datatype::kInt64, "INT64", "TYPE_INT64", 8},
    {Datatype::kFp16, "FP16", "TYPE_FP16", 2},
    {Datatype::kBf16, "BF16", "TYPE_BF16", 2},
    {Datatype::kFp32, "FP32", "TYPE_FP32", 4},
    {Datatype::kFp64, "FP64", "TYPE_FP64", 8},
    {Datatype::kBytes, "BYTES", "TYPE_STRING", 0},
}};

const Row& RowOf(Datatype datatype) {
  const Row& row = kRows[static_cast<size_t>(datatype)];
  CHECK(row.datatype == datatype);
  return row;
}

}  // namespace

std::string_view DatatypeName(Datatype datatype) { return RowOf(datatype).name; }
std::string_view DatatypeConfigName(Datatype datatype) { return RowOf(datatype).config_name; }
size_t DatatypeBytes(Datatype datatype) { return RowOf(datatype).bytes; }

Result<Datatype> ParseDatatype(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.datatype;
  }
  return InvalidArgument("datatype: want BOOL, UINT8..UINT64, INT8..INT64, FP16, BF16, FP32, FP64 or BYTES",
                         "datatype_unknown");
}

}  // namespace pawsight::protocol
