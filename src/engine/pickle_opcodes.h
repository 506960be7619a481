// engine/pickle_opcodes.h: the instructions of Python's pickle machine (protocols 0 to 5, as documented in the standard
// library's pickletools): those that are carried out here, and the names of all, so that a refusal can say what it met.
#pragma once

#include <cstdint>
#include <string_view>

namespace pawsight::engine {

inline constexpr uint8_t kOpMark = 0x28;
inline constexpr uint8_t kOpStop = 0x2E;
inline constexpr uint8_t kOpBinInt = 0x4A;
inline constexpr uint8_t kOpBinInt1 = 0x4B;
inline constexpr uint8_t kOpBinInt2 = 0x4D;
inline constexpr uint8_t kOpNone = 0x4E;
inline constexpr uint8_t kOpBinPersId = 0x51;
inline constexpr uint8_t kOpReduce = 0x52;
inline constexpr uint8_t kOpBinUnicode = 0x58;
inline constexpr uint8_t kOpAppend = 0x61;
inline constexpr uint8_t kOpBuild = 0x62;
inline constexpr uint8_t kOpGlobal = 0x63;
inline constexpr uint8_t kOpEmptyDict = 0x7D;
inline constexpr uint8_t kOpAppends = 0x65;
inline constexpr uint8_t kOpBinGet = 0x68;
inline constexpr uint8_t kOpLongBinGet = 0x6A;
inline constexpr uint8_t kOpEmptyList = 0x5D;
inline constexpr uint8_t kOpBinPut = 0x71;
inline constexpr uint8_t kOpLongBinPut = 0x72;
inline constexpr uint8_t kOpSetItem = 0x73;
inline constexpr uint8_t kOpTuple = 0x74;
inline constexpr uint8_t kOpEmptyTuple = 0x29;
inline constexpr uint8_t kOpSetItems = 0x75;
inline constexpr uint8_t kOpProto = 0x80;
inline constexpr uint8_t kOpTuple1 = 0x85;
inline constexpr uint8_t kOpTuple2 = 0x86;
inline constexpr uint8_t kOpTuple3 = 0x87;
inline constexpr uint8_t kOpNewTrue = 0x88;
inline constexpr uint8_t kOpNewFalse = 0x89;
inline constexpr uint8_t kOpLong1 = 0x8A;
inline constexpr uint8_t kOpShortBinUnicode = 0x8C;
inline constexpr uint8_t kOpStackGlobal = 0x93;
inline constexpr uint8_t kOpMemoize = 0x94;
inline constexpr uint8_t kOpFrame = 0x95;

struct Opcode {
  uint8_t op;
  std::string_view name;
};
inline constexpr Opcode kOpcodes[] = {
    {0x28, "MARK"}, {0x2E, "STOP"}, {0x30, "POP"}, {0x31, "POP_MARK"}, {0x32, "DUP"}, {0x46, "FLOAT"}, {0x49, "INT"},
    {0x4A, "BININT"}, {0x4B, "BININT1"}, {0x4C, "LONG"}, {0x4D, "BININT2"}, {0x4E, "NONE"}, {0x50, "PERSID"},
    {0x51, "BINPERSID"}, {0x52, "REDUCE"}, {0x53, "STRING"}, {0x54, "BINSTRING"}, {0x55, "SHORT_BINSTRING"},
    {0x56, "UNICODE"}, {0x58, "BINUNICODE"}, {0x61, "APPEND"}, {0x62, "BUILD"}, {0x63, "GLOBAL"}, {0x64, "DICT"},
    {0x7D, "EMPTY_DICT"}, {0x65, "APPENDS"}, {0x67, "GET"}, {0x68, "BINGET"}, {0x69, "INST"}, {0x6A, "LONG_BINGET"},
    {0x6C, "LIST"}, {0x5D, "EMPTY_LIST"}, {0x6F, "OBJ"}, {0x70, "PUT"}, {0x71, "BINPUT"}, {0x72, "LONG_BINPUT"},
    {0x73, "SETITEM"}, {0x74, "TUPLE"}, {0x29, "EMPTY_TUPLE"}, {0x75, "SETITEMS"}, {0x47, "BINFLOAT"},
    {0x42, "BINBYTES"}, {0x43, "SHORT_BINBYTES"}, {0x80, "PROTO"}, {0x81, "NEWOBJ"}, {0x82, "EXT1"}, {0x83, "EXT2"},
    {0x84, "EXT4"}, {0x85, "TUPLE1"}, {0x86, "TUPLE2"}, {0x87, "TUPLE3"}, {0x88, "NEWTRUE"}, {0x89, "NEWFALSE"},
    {0x8A, "LONG1"}, {0x8B, "LONG4"}, {0x8C, "SHORT_BINUNICODE"}, {0x8D, "BINUNICODE8"}, {0x8E, "BINBYTES8"},
    {0x8F, "EMPTY_SET"}, {0x90, "ADDITEMS"}, {0x91, "FROZENSET"}, {0x92, "NEWOBJ_EX"}, {0x93, "STACK_GLOBAL"},
    {0x94, "MEMOIZE"}, {0x95, "FRAME"}, {0x96, "BYTEARRAY8"}, {0x97, "NEXT_BUFFER"}, {0x98, "READONLY_BUFFER"},
};

/// "NEWOBJ"; "unknown" for a byte that is no instruction.
constexpr std::string_view OpcodeName(uint8_t op) {
  for (const Opcode& opcode : kOpcodes) {
    if (opcode.op == op) return opcode.name;
  }
  return "unknown";
}

}  // namespace pawsight::engine
