// net/multipart.h: the parts of a multipart body (RFC 2046, section 5.1; forms: RFC 7578) that lies whole in memory.
// Strict: lines end in CRLF, nothing stands before the first boundary and nothing but one line end behind the last.
// Names and file names of parts are text like any other header: nothing here opens a file. Not here: nested multiparts,
// transfer encodings, which are refused. Thread-safe: functions without state.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "net/http.h"

namespace pawsight::net {

struct MultipartLimits {
  size_t max_parts = 64;
  size_t max_header_bytes = 4096;  // of one part
};

struct MultipartPart {
  HttpHeaders headers;    // names in lower case
  std::string_view body;  // of the body that was read

  /// The first header of that lower-case name, or "".
  std::string_view Header(std::string_view name) const;
};

/// Whether a Content-Type is a multipart one.
bool IsMultipart(std::string_view content_type);

/// The boundary that a Content-Type names: 1..70 letters, digits and '()+_,-./:=? (RFC 2046's, but the space).
/// Errors: kInvalidArgument (`multipart_boundary`), none or another.
Result<std::string> MultipartBoundary(std::string_view content_type);

/// Errors: kInvalidArgument (`multipart_malformed`): no part, no end, a header that is none or a transfer encoding.
/// kResourceExhausted (`multipart_too_many_parts`, `multipart_header_too_large`).
/// Cost: one pass over the body.
Result<std::vector<MultipartPart>> ReadMultipart(std::string_view body, std::string_view boundary,
                                                 const MultipartLimits& limits = {});

}  // namespace pawsight::net
