// base/base64.h: base64 as RFC 4648, section 4, defines it: how text carries bytes that are none. Strict:
// padding is wanted, line breaks and other letters are not, and the bits that padding leaves over are zero.
// Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace pawsight {

/// Errors: kInvalidArgument, saying where. Cost: about a nanosecond a letter.
Result<std::string> DecodeBase64(std::string_view text);
std::string EncodeBase64(std::string_view bytes);

}  // namespace pawsight
