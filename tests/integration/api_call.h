// tests/integration/api_call.h: one request to a gateway that runs beside the test. For tests only; thread-safe.
#pragma once

#include <string>
#include <utility>

#include "base/json.h"

namespace pawsight::integration {

/// Status line and body; null when the body is no JSON.
std::pair<std::string, Json> CallApi(int port, const std::string& method, const std::string& target,
                                     const std::string& token, const std::string& body = "",
                                     const std::string& type = "application/json");

/// The port in the first "http://127.0.0.1:PORT" of `said`; 0: there is none.
int PortIn(const std::string& said);

}  // namespace pawsight::integration
