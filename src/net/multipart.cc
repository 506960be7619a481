#include "net/multipart.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace pawsight::net {
namespace {

Status Malformed(const std::string& what) { return InvalidArgument("multipart: " + what, "multipart_malformed"); }

bool IsBoundaryByte(char c) {
  const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("'()+_,-./:=?").find(c) != std::string_view::npos;
}

bool IsTokenByte(char c) {
  const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// One "Name: value" line.
Status ReadHeader(std::string_view line, MultipartPart* part) {
  const size_t colon = line.find(':');
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.empty() || !std::all_of(name.begin(), name.end(), IsTokenByte)) {
    return Malformed("a part's header is none");
  }
  const std::string_view value = Trim(line.substr(colon + 1));
  const auto is_control = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; };
  if (std::any_of(value.begin(), value.end(), is_control))
    return Malformed("a part's header holds a control character");
  part->headers.emplace_back(LowerCase(name), value);
  if (part->headers.back().first != "content-transfer-encoding") return Ok();
  const std::string encoding = LowerCase(value);
  if (encoding == "binary" || encoding == "8bit" || encoding == "7bit") return Ok();
  return Malformed("a part is encoded; want its bytes as they are");
}

/// The headers at the front of *rest, which is cut to the part's body and what follows.
Status ReadHeaders(std::string_view* rest, size_t max_bytes, MultipartPart* part) {
  size_t taken = 0;
  for (;;) {
    const size_t end = rest->substr(0, max_bytes - taken + 2).find("\r\n");
    if (end == std::string_view::npos) {
      if (rest->size() <= max_bytes - taken) return Malformed("a part's headers have no end");
      return ResourceExhausted("multipart: a part's headers are larger than " + std::to_string(max_bytes) + " bytes",
                               "multipart_header_too_large");
    }
    const std::string_view line = rest->substr(0, end);
    rest->remove_prefix(end + 2);
    taken += std::min(max_bytes - taken, end + 2);
    if (line.empty()) return Ok();
    PAWSIGHT_RETURN_IF_ERROR(ReadHeader(line, part));
  }
}

}  // namespace

std::string_view MultipartPart::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

bool IsMultipart(std::string_view content_type) { return LowerCase(content_type.substr(0, 10)) == "multipart/"; }

Result<std::string> MultipartBoundary(std::string_view content_type) {
  const Status bad = InvalidArgument("Content-Type: want multipart/form-data; boundary=...", "multipart_boundary");
  std::string_view rest = content_type;
  while (true) {
    const size_t semicolon = rest.find(';');
    if (semicolon == std::string_view::npos) return bad;
    rest = Trim(rest.substr(semicolon + 1));
    if (LowerCase(rest.substr(0, 9)) == "boundary=") break;
  }
  rest.remove_prefix(9);
  std::string_view boundary = Trim(rest.substr(0, rest.find(';')));
  if (boundary.size() >= 2 && boundary.front() == '"' && boundary.back() == '"') {
    boundary = boundary.substr(1, boundary.size() - 2);
  }
  if (boundary.empty() || boundary.size() > 70 || !std::all_of(boundary.begin(), boundary.end(), IsBoundaryByte)) {
    return bad;
  }
  return std::string(boundary);
}

Result<std::vector<MultipartPart>> ReadMultipart(std::string_view body, std::string_view boundary,
                                                 const MultipartLimits& limits) {
  const std::string delimiter = "\r\n--" + std::string(boundary);
  if (!body.starts_with(std::string_view(delimiter).substr(2))) return Malformed("does not begin with its boundary");
  std::string_view rest = body.substr(delimiter.size() - 2);
  std::vector<MultipartPart> parts;
  while (!rest.starts_with("--")) {
    if (!rest.starts_with("\r\n")) return Malformed("a boundary goes on");
    rest.remove_prefix(2);
    if (parts.size() == limits.max_parts) {
      return ResourceExhausted("multipart: more than " + std::to_string(limits.max_parts) + " parts",
                               "multipart_too_many_parts");
    }
    MultipartPart& part = parts.emplace_back();
    PAWSIGHT_RETURN_IF_ERROR(ReadHeaders(&rest, limits.max_header_bytes, &part));
    // memmem, since find() looks at a byte at a time.
    const void* found = memmem(rest.data(), rest.size(), delimiter.data(), delimiter.size());
    if (found == nullptr) return Malformed("the last boundary is missing");
    part.body = rest.substr(0, static_cast<size_t>(static_cast<const char*>(found) - rest.data()));
    rest.remove_prefix(part.body.size() + delimiter.size());
  }
  if (parts.empty()) return Malformed("no part");
  if (rest != "--" && rest != "--\r\n") return Malformed("something follows the last boundary");
  return parts;
}

}  // namespace pawsight::net
