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

/// "NEWOBJ"; "unknown" for a byte that is no instruction.
constexpr std::string_view OpcodeName(uint8_t op) {
  switch (op) {
    case 0x28: return "MARK";
    case 0x2E: return "STOP";
    case 0x30: return "POP";
    case 0x31: return "POP_MARK";
    case 0x32: return "DUP";
    case 0x46: return "FLOAT";
    case 0x49: return "INT";
    case 0x4A: return "BININT";
    case 0x4B: return "BININT1";
    case 0x4C: return "LONG";
    case 0x4D: return "BININT2";
    case 0x4E: return "NONE";
    case 0x50: return "PERSID";
    case 0x51: return "BINPERSID";
    case 0x52: return "REDUCE";
    case 0x53: return "STRING";
    case 0x54: return "BINSTRING";
    case 0x55: return "SHORT_BINSTRING";
    case 0x56: return "UNICODE";
    case 0x58: return "BINUNICODE";
    case 0x61: return "APPEND";
    case 0x62: return "BUILD";
    case 0x63: return "GLOBAL";
    case 0x64: return "DICT";
    case 0x7D: return "EMPTY_DICT";
    case 0x65: return "APPENDS";
    case 0x67: return "GET";
    case 0x68: return "BINGET";
    case 0x69: return "INST";
    case 0x6A: return "LONG_BINGET";
    case 0x6C: return "LIST";
    case 0x5D: return "EMPTY_LIST";
    case 0x6F: return "OBJ";
    case 0x70: return "PUT";
    case 0x71: return "BINPUT";
    case 0x72: return "LONG_BINPUT";
    case 0x73: return "SETITEM";
    case 0x74: return "TUPLE";
    case 0x29: return "EMPTY_TUPLE";
    case 0x75: return "SETITEMS";
    case 0x47: return "BINFLOAT";
    case 0x42: return "BINBYTES";
    case 0x43: return "SHORT_BINBYTES";
    case 0x80: return "PROTO";
    case 0x81: return "NEWOBJ";
    case 0x82: return "EXT1";
    case 0x83: return "EXT2";
    case 0x84: return "EXT4";
    case 0x85: return "TUPLE1";
    case 0x86: return "TUPLE2";
    case 0x87: return "TUPLE3";
    case 0x88: return "NEWTRUE";
    case 0x89: return "NEWFALSE";
    case 0x8A: return "LONG1";
    case 0x8B: return "LONG4";
    case 0x8C: return "SHORT_BINUNICODE";
    case 0x8D: return "BINUNICODE8";
    case 0x8E: return "BINBYTES8";
    case 0x8F: return "EMPTY_SET";
    case 0x90: return "ADDITEMS";
    case 0x91: return "FROZENSET";
    case 0x92: return "NEWOBJ_EX";
    case 0x93: return "STACK_GLOBAL";
    case 0x94: return "MEMOIZE";
    case 0x95: return "FRAME";
    case 0x96: return "BYTEARRAY8";
    case 0x97: return "NEXT_BUFFER";
    case 0x98: return "READONLY_BUFFER";
    default: return "unknown";
  }
}

}  // namespace pawsight::engine
