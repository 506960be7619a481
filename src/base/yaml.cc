#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace pawsight {
namespace {

template <typename Number>
bool ReadWhole(std::string_view text, Number* value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *value);
  return error == std::errc() && end == text.data() + text.size();
}

/// A scalar without quotes, by the core schema; hexadecimal and octal numbers stay words.
Json Plain(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return {};
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  const std::string_view digits = text.front() == '+' ? std::string_view(text).substr(1) : std::string_view(text);
  const bool number = !digits.empty() && digits.find_first_not_of("0123456789+-.eE") == std::string_view::npos &&
                      digits.find_first_of("0123456789") != std::string_view::npos && digits.front() != '+';
  if (!number) return text;
  if (int64_t integer = 0; ReadWhole(digits, &integer)) return integer;
  if (double real = 0; ReadWhole(digits, &real) && std::isfinite(real)) return real;
  return text;
}

/// Builds the value as the parser meets its parts, without recursion of its own. The first fault is kept and the rest
/// ignored.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const YamlLimits& limits) : limits_(limits) {}

  const Status& status() const { return status_; }
  Json Take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (Allowed(mark, "", anchor)) Value(mark, Json(), false);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Fail(mark, "an alias (*name); write the value out"); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    const bool quoted = tag == "!";
    if (!Allowed(mark, quoted ? "" : tag, anchor)) return;
    if (WantsKey()) {
      Key(mark, text);
    } else {
      Value(mark, quoted ? Json(text) : Plain(text), false);
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    if (Allowed(mark, tag, anchor)) Value(mark, Json(Json::Array{}), true);
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    if (Allowed(mark, tag, anchor)) Value(mark, Json(Json::Object{}), true);
  }
  void OnMapEnd() override { Close(); }
  // NOLINTNEXTLINE(readability-identifier-naming): the library's name
  void OnAnchor(const YAML::Mark& mark, const std::string&) override {
    Fail(mark, "an anchor (&name); write the value out");
  }

 private:
  /// A collection that is being read; `key` is the member whose value comes next.
  struct Open {
    Json value;
    std::string key;
    bool has_key = false;
  };

  bool WantsKey() const { return !open_.empty() && open_.back().value.is_object() && !open_.back().has_key; }

  bool Allowed(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) Fail(mark, "an anchor (&name); write the value out");
    if (!tag.empty() && tag != "?") Fail(mark, "a tag (!name); there are none here");
    if (++nodes_ > limits_.max_nodes && status_.ok()) {
      status_ = ResourceExhausted("yaml: more than " + std::to_string(limits_.max_nodes) + " values");
    }
    return status_.ok();
  }

  void Key(const YAML::Mark& mark, const std::string& key) {
    Open& open = open_.back();
    if (open.value.Find(key) != nullptr) return Fail(mark, "the key " + JsonQuote(key) + " twice");
    open.key = key;
    open.has_key = true;
  }

  void Value(const YAML::Mark& mark, Json value, bool collection) {
    if (WantsKey()) return Fail(mark, "a key that is no word");
    if (collection) {
      if (static_cast<int>(open_.size()) >= limits_.max_depth) {
        return Fail(mark, "more than " + std::to_string(limits_.max_depth) + " levels");
      }
      open_.push_back({std::move(value), {}, false});
    } else {
      Add(std::move(value));
    }
  }

  void Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Open& open = open_.back(); open.has_key) {
      open.value.Set(open.key, std::move(value));
      open.has_key = false;
    } else {
      open.value.Append(std::move(value));
    }
  }

  void Close() {
    if (!status_.ok() || open_.empty()) return;
    Json value = std::move(open_.back().value);
    open_.pop_back();
    Add(std::move(value));
  }

  void Fail(const YAML::Mark& mark, const std::string& what) {
    if (!status_.ok()) return;
    status_ = InvalidArgument("yaml: line " + std::to_string(mark.line + 1) + " column " +
                              std::to_string(mark.column + 1) + ": " + what);
  }

  const YamlLimits limits_;
  Status status_;
  Json root_{Json::Object{}};
  std::vector<Open> open_;
  size_t nodes_ = 0;
};

/// How deep the text could nest, from above: yaml-cpp goes down by recursion, so what is far too deep never reaches it.
/// Flow brackets count one each, so does each step of indentation and each "- " or "? " at a line's start.
bool TooDeep(std::string_view text, int limit) {
  int brackets = 0;
  size_t line_marks = 0;
  bool line_start = true;
  for (const char c : text) {
    if (c == '[' || c == '{') ++brackets;
    if (c == ']' || c == '}') brackets = std::max(0, brackets - 1);
    if (c == '\n') {
      line_start = true;
      line_marks = 0;
    } else if (line_start && (c == '-' || c == '?' || c == ':')) {
      ++line_marks;
    } else if (c != ' ') {
      line_start = false;
    }
    if (brackets > 8 * limit || line_marks > static_cast<size_t>(8 * limit)) return true;
  }
  return false;
}

}  // namespace

Result<Json> ParseYaml(std::string_view text, const YamlLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return ResourceExhausted("yaml: more than " + std::to_string(limits.max_bytes) + " bytes");
  }
  if (TooDeep(text, limits.max_depth)) {
    return InvalidArgument("yaml: more than " + std::to_string(limits.max_depth) + " levels");
  }
  Builder builder(limits);
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    if (parser.HandleNextDocument(builder) && builder.status().ok()) {
      Builder second(limits);
      if (parser.HandleNextDocument(second)) return InvalidArgument("yaml: a second document in the file; want one");
    }
  } catch (const YAML::Exception& e) {
    return InvalidArgument("yaml: line " + std::to_string(e.mark.line + 1) + " column " +
                           std::to_string(e.mark.column + 1) + ": " + e.msg);
  }
  PAWSIGHT_RETURN_IF_ERROR(builder.status());
  Json root = builder.Take();
  return root.is_null() ? Json(Json::Object{}) : root;
}

}  // namespace pawsight
