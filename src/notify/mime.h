// notify/mime.h: text and bytes in the forms that mail carries. Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace pawsight::notify {

/// A plain line (PlainLine) as the value of a header: as it is when it is printable ASCII, else RFC 2047 encoded words
/// in base64, each whole characters and at most 75 bytes, folded. `start` is how long the line is before it.
std::string HeaderText(std::string_view line, size_t start);
/// The same on one line, for headers that may not be folded.
std::string HeaderTextUnfolded(std::string_view line);

/// Lines ending in LF as quoted-printable (RFC 2045), lines of at most 76 bytes ending in CRLF.
std::string QuotedPrintable(std::string_view text);

/// Base64 in lines of 76, each ending in CRLF.
std::string Base64Lines(std::string_view bytes);

}  // namespace pawsight::notify
