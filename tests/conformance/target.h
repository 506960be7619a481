// tests/conformance/target.h: the server that a conformance suite asks, and what it is asked about. For tests only.
#pragma once

#include <string>
#include <string_view>

namespace pawsight::conformance {

/// --address and --model, or our own server.
struct Target {
  std::string host = "127.0.0.1";
  int port = 0;
  std::string model = "vqa";
};
Target& TheTarget();

/// Starts our server in this process, with an empty model called `vqa`, and makes it the target. Lives until exit. Each
/// suite's program has its own.
void ServeInProcess();

/// A small PNG; the same in base64.
std::string Image();
std::string ImageBase64();
/// An element of a BYTES tensor: four little-endian bytes of its length, then it.
std::string Element(std::string_view bytes);

}  // namespace pawsight::conformance
