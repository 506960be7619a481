#include "rules/alert_codec.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/json.h"

namespace pawsight::rules {
namespace {

constexpr int64_t kVersion = 1;
constexpr size_t kMaxBytes = 4096;
constexpr size_t kMaxAlertBytes = 64;
constexpr int kThousandths = 1000;  // probabilities are whole numbers of them, which read back as written

int64_t Nanos(Time time) { return time.time_since_epoch().count(); }
Time FromNanos(int64_t nanos) { return Time(std::chrono::nanoseconds(nanos)); }

Result<int64_t> IntegerOr(const Json& json, std::string_view key, int64_t otherwise, int64_t low, int64_t high) {
  if (json.Find(key) == nullptr) return otherwise;
  return json.GetInteger(key, low, high);
}

Result<std::optional<Time>> MaybeTime(const Json& json, std::string_view key) {
  if (json.Find(key) == nullptr) return std::optional<Time>();
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t nanos, json.GetInteger(key));
  return std::optional<Time>(FromNanos(nanos));
}

template <typename Enum>
Result<Enum> ByName(const Json& json, std::string_view key, int num_values, std::string_view (*name)(Enum)) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, json.GetString(key));
  for (int i = 0; i < num_values; ++i) {
    if (name(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  return InvalidArgument(std::string(key) + ": no such value");
}

Result<uint64_t> ParseMeaning(const Json& json) {
  PAWSIGHT_ASSIGN_OR_RETURN(const std::string text, json.GetString("meaning"));
  uint64_t meaning = 0;
  const char* const end = text.data() + text.size();
  const std::from_chars_result read = std::from_chars(text.data(), end, meaning, 16);
  if (read.ec != std::errc() || read.ptr != end) return InvalidArgument("meaning: want hexadecimal digits");
  return meaning;
}

/// What Advance keeps true of every state.
Status CheckState(const AlertState& state) {
  const bool firing = state.phase == AlertPhase::kFiring;
  const bool fits = (!firing || (state.num_fired > 0 && !state.true_since && state.recent == 0)) &&
                    (firing || (!state.false_since && state.num_false == 0)) &&
                    (state.phase != AlertPhase::kPending || state.true_since) &&
                    (state.phase != AlertPhase::kResolved || state.num_fired > 0);
  return fits ? Ok() : InvalidArgument("phase: does not fit the rest");
}

}  // namespace

std::string EncodeState(const StoredState& stored) {
  const AlertState& state = stored.state;
  char meaning[17];
  std::snprintf(meaning, sizeof meaning, "%016llx", static_cast<unsigned long long>(stored.meaning));  // NOLINT
  Json json(Json::Object{{"v", kVersion}, {"meaning", meaning}, {"phase", AlertPhaseName(state.phase)}});
  if (!stored.alert.empty()) json.Set("alert", stored.alert);
  if (state.num_fired > 0) json.Set("fired", state.num_fired);
  if (state.last_seen) json.Set("seen", Nanos(*state.last_seen));
  if (state.true_since) json.Set("true_since", Nanos(*state.true_since));
  if (state.false_since) json.Set("false_since", Nanos(*state.false_since));
  if (state.num_false > 0) json.Set("false", state.num_false);
  if (state.recent != 0) json.Set("recent", int64_t{state.recent});
  if (state.fired_at != Time{}) json.Set("fired_at", Nanos(state.fired_at));
  if (state.resolved_at != Time{}) json.Set("resolved_at", Nanos(state.resolved_at));
  if (state.phase == AlertPhase::kFiring) {
    json.Set("told_at", Nanos(stored.told.at));
    json.Set("told_p", int64_t{std::llround(stored.told.p * kThousandths)});
  }
  json.Set("last", VerdictName(state.last));
  return json.Dump();
}

Result<StoredState> DecodeState(std::string_view text) {
  PAWSIGHT_ASSIGN_OR_RETURN(const Json json, Json::Parse(text, {.max_bytes = kMaxBytes, .max_depth = 4}));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t version, json.GetInteger("v"));
  if (version != kVersion) return Unimplemented("alert state: version " + std::to_string(version) + ", want 1");
  StoredState stored;
  AlertState& state = stored.state;
  PAWSIGHT_ASSIGN_OR_RETURN(stored.meaning, ParseMeaning(json));
  if (json.Find("alert") != nullptr) {
    PAWSIGHT_ASSIGN_OR_RETURN(stored.alert, json.GetString("alert"));
    if (stored.alert.size() > kMaxAlertBytes) return InvalidArgument("alert: more than 64 bytes");
  }
  PAWSIGHT_ASSIGN_OR_RETURN(state.phase, ByName<AlertPhase>(json, "phase", 4, AlertPhaseName));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t fired, IntegerOr(json, "fired", 0, 0, INT64_MAX));
  state.num_fired = static_cast<uint64_t>(fired);
  PAWSIGHT_ASSIGN_OR_RETURN(state.last_seen, MaybeTime(json, "seen"));
  PAWSIGHT_ASSIGN_OR_RETURN(state.true_since, MaybeTime(json, "true_since"));
  PAWSIGHT_ASSIGN_OR_RETURN(state.false_since, MaybeTime(json, "false_since"));
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t num_false, IntegerOr(json, "false", 0, 0, INT32_MAX));
  state.num_false = static_cast<int>(num_false);
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t recent, IntegerOr(json, "recent", 0, 0, UINT32_MAX));
  state.recent = static_cast<uint32_t>(recent);
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t fired_at, IntegerOr(json, "fired_at", 0, INT64_MIN, INT64_MAX));
  state.fired_at = FromNanos(fired_at);
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t resolved_at, IntegerOr(json, "resolved_at", 0, INT64_MIN, INT64_MAX));
  state.resolved_at = FromNanos(resolved_at);
  PAWSIGHT_ASSIGN_OR_RETURN(state.last, ByName<Verdict>(json, "last", 3, VerdictName));
  PAWSIGHT_RETURN_IF_ERROR(CheckState(state));
  if (state.phase != AlertPhase::kFiring) return stored;
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t told_at, IntegerOr(json, "told_at", fired_at, INT64_MIN, INT64_MAX));
  stored.told.at = FromNanos(told_at);
  PAWSIGHT_ASSIGN_OR_RETURN(const int64_t told_p, IntegerOr(json, "told_p", kThousandths, 0, kThousandths));
  stored.told.p = static_cast<double>(told_p) / kThousandths;
  return stored;
}

}  // namespace pawsight::rules
