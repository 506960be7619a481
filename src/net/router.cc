#include "net/router.h"

#include <algorithm>
#include <utility>

namespace pawsight::net {
namespace {

/// "/a/b" -> "a", "b"; "/a/" -> "a", "".
std::vector<std::string> Segments(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    segments.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool IsParameter(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool Matches(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  return std::equal(pattern.begin(), pattern.end(), path.begin(), path.end(),
                    [](const std::string& p, const std::string& s) { return IsParameter(p) ? !s.empty() : p == s; });
}

}  // namespace

void Router::Add(std::string_view method, std::string_view pattern, HttpHandler handler) {
  CHECK(!pattern.empty() && pattern.front() == '/');
  routes_.push_back({std::string(method), Segments(pattern), std::move(handler), nullptr, {}});
}

void Router::AddLater(std::string_view method, std::string_view pattern, LaterHandler handler) {
  CHECK(!pattern.empty() && pattern.front() == '/');
  routes_.push_back({std::string(method), Segments(pattern), nullptr, std::move(handler), {}});
}

void Router::AddStream(std::string_view pattern, HttpStream stream) {
  CHECK(stream.broadcast != nullptr);
  routes_.push_back({"GET", Segments(pattern), nullptr, nullptr, std::move(stream)});
}

Router::Match Router::Find(std::string_view method, std::string_view path) const {
  Match match;
  const std::vector<std::string> segments = Segments(path);
  for (const Route& route : routes_) {
    if (!Matches(route.segments, segments)) continue;
    const bool answers_head = route.method == "GET" && (route.handler != nullptr || route.later != nullptr);
    match.allowed += (match.allowed.empty() ? "" : ", ") + route.method + (answers_head ? ", HEAD" : "");
    if (route.method != method && !(method == "HEAD" && answers_head)) continue;
    if (route.handler != nullptr) {
      match.handler = &route.handler;
    } else if (route.later != nullptr) {
      match.later = &route.later;
    } else {
      match.stream = &route.stream;
    }
    for (size_t i = 0; i < segments.size(); ++i) {
      if (IsParameter(route.segments[i])) match.parameters.push_back(segments[i]);
    }
    break;
  }
  return match;
}

}  // namespace pawsight::net
