#include "notify/url.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "notify/address.h"

namespace pawsight::notify {
namespace {

/// From 1024 on; below, only 80 and 443 are taken. Databases, queues, caches, control planes, and what browsers refuse.
constexpr int kOtherPorts[] = {1433, 1521, 1719, 1720, 1723,  1883,  2049,  2375,  2376,  2379,  2380,  3306,
                               3389, 3659, 4045, 4190, 5060,  5061,  5432,  5672,  5900,  5984,  5985,  5986,
                               6000, 6379, 6443, 6566, 6665,  6666,  6667,  6668,  6669,  6697,  8500,  8883,
                               9042, 9092, 9200, 9300, 10080, 10250, 11211, 15672, 25672, 27017, 27018, 50000};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsNameByte(char c) { return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '-'; }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// As the URL standard has it: then the whole host is an IPv4 address or wrong.
bool EndsInNumber(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);  // npos + 1 is 0
  return std::all_of(last.begin(), last.end(), IsDigit) || last.starts_with("0x");
}

Status CheckLabels(std::string_view name) {
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('.', at), name.size());
    const std::string_view label = name.substr(at, end - at);
    if (label.empty()) return InvalidArgument("host: a dot without a name beside it");
    if (label.size() > 63) return InvalidArgument("host: a part of more than 63 bytes");
    if (!std::all_of(label.begin(), label.end(), IsNameByte) || label.front() == '-' || label.back() == '-')
      return InvalidArgument("host: want letters, digits and hyphens; names in other scripts as xn--");
    at = end + 1;
  }
  return Ok();
}

/// Every byte is printable ASCII and means the same to every reader of URLs.
Status CheckBytes(std::string_view text) {
  if (text.size() > kMaxUrlBytes) return InvalidArgument("more than " + std::to_string(kMaxUrlBytes) + " bytes");
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c <= ' ' || c >= 0x7F) return InvalidArgument("want printable ASCII without spaces; write other bytes as %XX");
    if (c == '\\') return InvalidArgument("a backslash");
    if (c == '#') return InvalidArgument("a fragment (#), which is never sent");
    if (c != '%') continue;
    const std::string_view code = text.substr(i + 1, 2);
    if (code == "00" || code == "0a" || code == "0A" || code == "0d" || code == "0D")
      return InvalidArgument("a zero or a line break (%00, %0a, %0d)");
  }
  return Ok();
}

}  // namespace

bool IsWebPort(int port) {
  if (port == 80 || port == 443) return true;
  return port >= 1024 && port <= 65535 &&
         std::find(std::begin(kOtherPorts), std::end(kOtherPorts), port) == std::end(kOtherPorts);
}

Result<Host> ParseHost(std::string_view text) {
  if (text.empty()) return InvalidArgument("host: empty");
  if (text.find(':') != std::string_view::npos) {
    auto address = IpAddress::Parse(text);
    if (!address.ok()) return Annotate(address.status(), "host");
    return Host{address->ToString(), true};
  }
  std::string name(text);
  std::transform(name.begin(), name.end(), name.begin(), Lower);
  if (name.size() > 253) return InvalidArgument("host: more than 253 bytes");
  PAWSIGHT_RETURN_IF_ERROR(CheckLabels(name));
  if (!EndsInNumber(name)) return Host{std::move(name), false};
  auto address = IpAddress::Parse(name);
  if (!address.ok()) return Annotate(address.status(), "host");
  return Host{address->ToString(), true};
}

Result<Url> ParseUrl(std::string_view text) {
  PAWSIGHT_RETURN_IF_ERROR(CheckBytes(text));
  Url url;
  const size_t scheme_end = text.find("://");
  std::string scheme(text.substr(0, std::min(scheme_end, size_t{8})));
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), Lower);
  if (scheme_end == std::string_view::npos || (scheme != "https" && scheme != "http"))
    return InvalidArgument("want https:// (or http://, where that is allowed)");
  url.secure = scheme == "https";
  const size_t from = scheme_end + 3;
  const size_t end = std::min(text.find_first_of("/?", from), text.size());
  const std::string_view authority = text.substr(from, end - from);
  if (authority.find('@') != std::string_view::npos)
    return InvalidArgument("a user or password before the host; there are fields for credentials");
  size_t host_end = authority.find(':');
  std::string_view host = authority.substr(0, host_end);
  if (authority.starts_with('[')) {
    const size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return InvalidArgument("host: a bracket without its other half");
    host = authority.substr(1, bracket - 1);
    host_end = bracket + 1 < authority.size() ? bracket + 1 : std::string_view::npos;
    if (host.find(':') == std::string_view::npos) return InvalidArgument("host: want IPv6 in brackets");
    if (host_end != std::string_view::npos && authority[host_end] != ':')
      return InvalidArgument("host: something behind the bracket");
  }
  PAWSIGHT_ASSIGN_OR_RETURN(url.host, ParseHost(host));
  url.port = url.secure ? 443 : 80;
  if (host_end != std::string_view::npos) {
    const std::string_view digits = authority.substr(host_end + 1);
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (error != std::errc{} || stop != digits.data() + digits.size() || digits.size() > 5 || !IsDigit(digits[0]))
      return InvalidArgument("port: want a number");
    if (!IsWebPort(url.port)) return InvalidArgument("port: " + std::to_string(url.port) + " is not one for HTTP");
  }
  if (end < text.size())
    url.target = text[end] == '/' ? std::string(text.substr(end)) : "/" + std::string(text.substr(end));
  return url;
}

std::string Url::Origin() const {
  const bool brackets = host.is_address && host.name.find(':') != std::string::npos;
  std::string text = secure ? "https://" : "http://";
  text += brackets ? "[" + host.name + "]" : host.name;
  if (port != (secure ? 443 : 80)) text += ":" + std::to_string(port);
  return text;
}

std::string Url::ToString() const { return Origin() + target; }

}  // namespace pawsight::notify
