// base/options.h: one description of a component's settings, from which come its file, its environment variables, its
// flags, its help and the printed settings in effect. A component has a struct of values with defaults and describes
// it:
//
//   struct BatcherOptions {
//     int max_batch = 8;
//     std::chrono::microseconds max_queue_delay{2000};
//     template <typename Visitor>
//     static void Describe(Visitor&& option) {
//       option(&BatcherOptions::max_batch, "max-batch", "frames in one forward pass", 1, 64);
//       option(&BatcherOptions::max_queue_delay, "max-queue-delay", "longest a frame waits for company");
//     }
//   };
//
// A file is read first, then the environment, then flags: later ones win, and the table remembers where each value is
// from. Values are written as people write them: 8, 0.5, true, 20ms, 1.5s, 2m, 64MiB; a list is separated by commas or
// is a YAML list. Thread-compatible.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/status.h"

namespace pawsight {

/// A size that may be written with kB, MB, GB (powers of 1000) or KiB, MiB, GiB (of 1024).
struct Bytes {
  uint64_t value = 0;
  friend auto operator<=>(const Bytes&, const Bytes&) = default;
};

/// Text to value and back. Errors: kInvalidArgument, "want ...".
Status ReadOption(std::string_view text, bool* value);
Status ReadOption(std::string_view text, int* value);
Status ReadOption(std::string_view text, double* value);
Status ReadOption(std::string_view text, Bytes* value);
Status ReadOption(std::string_view text, std::string* value);
Status ReadOption(std::string_view text, std::vector<std::string>* value);
/// A number and ns, us, ms, s, m, h or d; 0 needs no unit.
Status ReadOption(std::string_view text, std::chrono::nanoseconds* value);
std::string PrintOption(bool value);
std::string PrintOption(int value);
std::string PrintOption(double value);
std::string PrintOption(Bytes value);
std::string PrintOption(const std::string& value);
std::string PrintOption(const std::vector<std::string>& value);
std::string PrintOption(std::chrono::nanoseconds value);

/// Rounds towards zero; what does not divide into the unit is refused, so that 1us for a setting in milliseconds is not
/// 0.
template <typename Rep, typename Period>
Status ReadOption(std::string_view text, std::chrono::duration<Rep, Period>* value) {
  std::chrono::nanoseconds exact{0};
  PAWSIGHT_RETURN_IF_ERROR(ReadOption(text, &exact));
  *value = std::chrono::duration_cast<std::chrono::duration<Rep, Period>>(exact);
  if (*value != exact)
    return InvalidArgument("want a whole number of " +
                           PrintOption(std::chrono::nanoseconds(std::chrono::duration<Rep, Period>(1))));
  return Ok();
}
template <typename Rep, typename Period>
std::string PrintOption(std::chrono::duration<Rep, Period> value) {
  return PrintOption(std::chrono::nanoseconds(value));
}

class OptionTable {
 public:
  struct Entry {
    std::string name;           // "max-batch"
    std::string help;           // with the range and the default
    std::string default_value;  // as printed
    bool is_bool = false;       // its flag needs no value
    bool secret = false;        // printed as ***
    std::string origin = "default";
    std::function<Status(std::string_view)> set;
    std::function<std::string()> print;
  };

  /// Adds what Options describes; `options` must outlive the table. A name twice is our bug.
  template <typename Options>
  void Add(Options& options) {
    Options::Describe(Visitor<Options>{*this, options});
  }

  std::span<const Entry> entries() const { return entries_; }

  /// Sets one value; `origin` is where it is from, for messages ("--max-batch", "pawsight.yaml").
  /// Errors: kInvalidArgument: an unknown name, with the nearest known one; a value that cannot be read or is out of
  /// range.
  Status Set(std::string_view name, std::string_view text, std::string_view origin);
  /// A YAML map of names to values, as the text of a file called `origin`. Errors: ParseYaml's, those of Set.
  Status SetAll(std::string_view yaml, std::string_view origin);
  /// At most 1 MiB. Errors: those of ReadTextFile and SetAll.
  Status ReadFile(const std::string& path);
  /// Variables that begin with `prefix`: PAWSIGHT_WORKER_MAX_BATCH with the prefix "PAWSIGHT_WORKER_" is max-batch.
  /// `environment` is "NAME=value" strings. Errors: those of Set, also for a variable that no option has.
  Status ReadEnvironment(std::string_view prefix, std::span<const std::string> environment);

  /// Whether something else than the default was set, by whomever. An unknown name is our bug.
  bool IsGiven(std::string_view name) const;

  /// Every setting, one a line, as a file that ReadFile takes; where each value is from as a comment; secrets hidden.
  std::string Effective() const;

 private:
  template <typename Options>
  struct Visitor {
    OptionTable& table;
    Options& options;

    template <typename Value>
    void operator()(Value Options::*member, std::string name, std::string help) const {
      Value& value = options.*member;
      table.AddEntry(
          std::move(name), std::move(help), std::is_same_v<Value, bool>,
          [&value](std::string_view text) { return ReadOption(text, &value); },
          [&value] { return PrintOption(value); });
    }
    /// low and high are allowed themselves.
    template <typename Value, typename Low, typename High>
    void operator()(Value Options::*member, std::string name, std::string help, Low low, High high) const {
      Value& value = options.*member;
      const Value lowest(low), highest(high);
      const std::string range = PrintOption(lowest) + ".." + PrintOption(highest);
      const auto set = [&value, lowest, highest, range](std::string_view text) {
        Value read{};
        PAWSIGHT_RETURN_IF_ERROR(ReadOption(text, &read));
        if (read < lowest || read > highest) return InvalidArgument("want " + range);
        value = read;
        return Ok();
      };
      table.AddEntry(std::move(name), std::move(help) + ", " + range, false, set,
                     [&value] { return PrintOption(value); });
    }
  };

  void AddEntry(std::string name, std::string help, bool is_bool, std::function<Status(std::string_view)> set,
                std::function<std::string()> print);
  Entry* Find(std::string_view name);

  std::vector<Entry> entries_;
};

/// The name nearest to `wanted` by edits of a letter, or "" when none is near: for "unknown ..., did you mean ...?".
std::string Nearest(std::string_view wanted, std::span<const std::string> names);

}  // namespace pawsight
