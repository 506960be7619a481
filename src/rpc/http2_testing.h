// rpc/http2_testing.h: HTTP/2 as bytes (RFC 9113, RFC 7541), so that a test can send what no library would. For tests
// only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace pawsight::rpc::http2 {

enum Type : uint8_t {
  kData = 0,
  kHeaders = 1,
  kPriority = 2,
  kReset = 3,
  kSettings = 4,
  kPing = 6,
  kGoAway = 7,
  kWindow = 8,
  kContinuation = 9
};
inline constexpr uint8_t kEndStream = 1;   // of kData and kHeaders
inline constexpr uint8_t kEndHeaders = 4;  // of kHeaders and kContinuation
inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The low `count` bytes of a number, the highest first.
inline std::string Bytes(uint64_t number, int count) {
  std::string bytes;
  for (int shift = 8 * (count - 1); shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
  return bytes;
}

inline std::string Frame(Type type, uint8_t flags, uint32_t stream, std::string_view payload = {}) {
  std::string frame = Bytes(payload.size(), 3);
  frame += static_cast<char>(type);
  frame += static_cast<char>(flags);
  return (frame + Bytes(stream, 4)).append(payload);
}

/// A length or a text of HPACK, without Huffman.
inline std::string Length(size_t length) {
  if (length < 127) return Bytes(length, 1);
  std::string bytes = "\x7f";
  for (length -= 127; length >= 128; length /= 128) bytes += static_cast<char>(length % 128 + 128);
  return bytes + static_cast<char>(length);
}
inline std::string Text(std::string_view text) { return Length(text.size()).append(text); }

/// A header that is kept in no table.
inline std::string Header(std::string_view name, std::string_view value) {
  return std::string(1, '\0') + Text(name) + Text(value);
}

/// The headers of a call of inference.GRPCInferenceService.
inline std::string CallOf(const std::string& method) {
  return Header(":method", "POST") + Header(":scheme", "http") +
         Header(":path", "/inference.GRPCInferenceService/" + method) + Header(":authority", "localhost") +
         Header("content-type", "application/grpc") + Header("te", "trailers");
}

/// A message as gRPC puts it into kData.
inline std::string Message(std::string_view bytes) {
  return (std::string(1, '\0') + Bytes(bytes.size(), 4)).append(bytes);
}

/// Identifier and value of a setting.
inline std::string Setting(uint16_t id, uint32_t value) { return Bytes(id, 2) + Bytes(value, 4); }
inline constexpr uint16_t kInitialWindow = 4;

}  // namespace pawsight::rpc::http2
