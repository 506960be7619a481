// events/ids.h: the ids of everything that is kept: a prefix that says what it is ("cam_", "rul_", "alr_") and 20
// characters of base32 (Crockford's alphabet in lower case: no i, l, o, u), 100 bits. Made of the time and of random
// bits, so lists in the order of ids are in the order of making. Not secrets. Thread-safe: functions without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace pawsight::events {

/// Characters after the prefix.
inline constexpr size_t kIdCharacters = 20;

/// 48 bits of `now` in milliseconds, then 52 bits from the system's random numbers (getrandom): two made in the same
/// millisecond are equal once in 4.5e15.
std::string NewId(std::string_view prefix, Time now);

/// `high`, 48 bits, then `low`, 52 bits; higher bits are left out.
std::string MakeId(std::string_view prefix, uint64_t high, uint64_t low);

/// `high` of such an id; nothing when it is none.
std::optional<uint64_t> HighOfId(std::string_view prefix, std::string_view id);

/// Whether `id` is `prefix` and 20 characters of the alphabet: what a name in a URL must be before it is looked for.
bool IsId(std::string_view prefix, std::string_view id);

}  // namespace pawsight::events
