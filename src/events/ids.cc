#include "events/ids.h"

#include <sys/random.h>

#include "base/check.h"

namespace pawsight::events {
namespace {

constexpr std::string_view kAlphabet = "0123456789abcdefghjkmnpqrstvwxyz";

uint64_t RandomBits() {
  uint64_t bits = 0;
  CHECK(getrandom(&bits, sizeof bits, 0) == static_cast<ssize_t>(sizeof bits));  // up to 256 bytes never fail
  return bits;
}

}  // namespace

std::string MakeId(std::string_view prefix, uint64_t high, uint64_t low) {
  std::string id(prefix);
  const auto add = [&id](uint64_t bits) { id += kAlphabet[bits & 31U]; };
  for (int shift = 43; shift >= 3; shift -= 5) add(high >> shift);
  add(((high & 7U) << 2U) | ((low >> 50U) & 3U));
  for (int shift = 45; shift >= 0; shift -= 5) add(low >> shift);
  return id;
}

std::string NewId(std::string_view prefix, Time now) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count();
  return MakeId(prefix, static_cast<uint64_t>(since), RandomBits());
}

std::optional<uint64_t> HighOfId(std::string_view prefix, std::string_view id) {
  if (id.size() != prefix.size() + kIdCharacters || !id.starts_with(prefix)) return std::nullopt;
  uint64_t high = 0;
  for (size_t i = 0; i < kIdCharacters; ++i) {
    const size_t digit = kAlphabet.find(id[prefix.size() + i]);
    if (digit == std::string_view::npos) return std::nullopt;
    if (i < 9) high = high << 5U | digit;
    if (i == 9) high = high << 3U | digit >> 2U;
  }
  return high;
}

bool IsId(std::string_view prefix, std::string_view id) { return HighOfId(prefix, id).has_value(); }

}  // namespace pawsight::events
