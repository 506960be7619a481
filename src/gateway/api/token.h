// gateway/api/token.h: the tokens by which devices and people sign in: "paw_", a letter for the role, and 256 random
// bits in base64url. Only a token's SHA-256 is kept. Thread-safe: functions without state.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "events/rows.h"

namespace pawsight::gateway {

using TokenHash = std::array<uint8_t, 32>;

/// A fresh one, from the system's random numbers: "paw_d" and 43 characters for a device.
std::string NewToken(events::Role role);

/// The token of "Bearer TOKEN", or nothing when the value of that header cannot be one. It says nothing of whether
/// the token opens anything.
std::optional<std::string_view> TokenOf(std::string_view authorization);

/// SHA-256.
TokenHash HashToken(std::string_view token);

/// base64url without padding (RFC 4648, section 5).
std::string EncodeBase64Url(std::string_view bytes);

}  // namespace pawsight::gateway
